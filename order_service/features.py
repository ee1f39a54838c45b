"""Features that can be switched without a release: what each of them denies."""

import time
from collections.abc import Callable
from decimal import Decimal

from order_service.codes import Code, Refused
from order_service.control_state import ControlState
from order_service.order import NewOrder
from order_service.routing import FeatureRules, LimitPriceBand, OrderThrottle
from order_service.routing_store import RoutingStore

MAX_TRACKED = 100_000


class Features:
    """Apply the features that are on, from the table or by hand.

    Errors: Refused, with the feature's own code.
    """

    def __init__(
        self, routing: RoutingStore, control: ControlState, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._routing = routing
        self._control = control
        self._clock = clock
        self._last_prices: dict[tuple[str, str], Decimal] = {}
        self._tokens: dict[tuple[str, str], tuple[float, float]] = {}

    def enabled(self, feature: str) -> bool:
        """Say whether a feature is on; a hand's setting goes before the table's."""
        setting = self._control.feature(feature)
        return self._routing.table.features.enabled(feature) if setting is None else setting.enabled

    def names(self) -> tuple[str, ...]:
        """Name every feature of this release."""
        return FeatureRules.names()

    def check(self, order: NewOrder) -> None:
        """Pass an order through every feature that is on and takes nothing from it; asking again changes nothing."""
        if self.enabled("limit_price_band"):
            self._band(order, self._routing.table.features.limit_price_band)

    def take_place(self, order: NewOrder) -> None:
        """Count an order against the rate of its strategy."""
        if self.enabled("order_throttle"):
            self._throttle(order, self._routing.table.features.order_throttle)

    def give_place_back(self, order: NewOrder) -> None:
        """Let another order have the place of one that turned out not to be sent: a repeated one, for instance."""
        held = self._tokens.get(_rate_key(order))
        if held is not None:
            self._tokens[_rate_key(order)] = (held[0] + 1.0, held[1])

    def observe_price(self, order: NewOrder, last_px: Decimal | None) -> None:
        """Remember a symbol's last fill as the middle of its price band."""
        if last_px is None or last_px <= 0:
            return
        if len(self._last_prices) >= MAX_TRACKED:
            self._last_prices.clear()
        self._last_prices[(order.asset_class.value, order.symbol)] = last_px

    def _band(self, order: NewOrder, rules: LimitPriceBand) -> None:
        if order.limit_price is None:
            return
        last = self._last_prices.get((order.asset_class.value, order.symbol))
        if last is None:
            return
        deviation = abs(order.limit_price - last) / last
        if deviation > rules.max_deviation_ratio:
            raise Refused(
                Code.PRICE_OUTSIDE_BAND,
                f"expected within {rules.max_deviation_ratio} of the last fill {last}, was {order.limit_price}",
                "limit_price",
            )

    def _throttle(self, order: NewOrder, rules: OrderThrottle) -> None:
        key = _rate_key(order)
        limit = float(rules.max_orders_per_s)
        now = self._clock()
        if len(self._tokens) >= MAX_TRACKED:
            self._tokens.clear()
        tokens, since = self._tokens.get(key, (limit, now))
        tokens = min(limit, tokens + (now - since) * limit)
        if tokens < 1.0:
            self._tokens[key] = (tokens, now)
            raise Refused(
                Code.ORDER_RATE_EXCEEDED,
                f"expected at most {rules.max_orders_per_s} orders/s of {order.strategy}, was more",
                "strategy",
                retry_after_s=1,
            )
        self._tokens[key] = (tokens - 1.0, now)


def _rate_key(order: NewOrder) -> tuple[str, str]:
    return (order.asset_class.value, order.strategy)
