"""Whether a valid order may be sent, and where to. Nothing here touches a disk or a socket."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from order_service.api.contract import AssetClass, GatewayState, StrategyState, TradingState
from order_service.control.state import ControlState
from order_service.orders.order import NewOrder, plain
from order_service.orders.positions import PositionBook
from order_service.routing.table import FeatureRules, LimitPriceBand, OrderThrottle, Route
from order_service.routing.table_store import RoutingStore
from order_service.runtime.codes import Code, Refused

MAX_TRACKED = 100_000


class Features:
    """Apply the features that are on, from the table or as people have set them.

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
        """Say whether a feature is on; what people have set goes before the table."""
        setting = self._control.document.features.get(feature)
        return self._routing.table.features.enabled(feature) if setting is None else setting.enabled

    def names(self) -> tuple[str, ...]:
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


@dataclass(frozen=True, slots=True)
class PreTradeChecks:
    """Give the gateway for an order, or the first reason against it.

    Errors: Refused; nothing was sent.
    Steps: 1 route · 2 trading state, of the class and of the strategy · 3 gateway state · 4 synthetic quarantine
    · 5 quantity cap · 6 price band · 7 order rate, which takes its place last, so that no denied order takes one.
    """

    routing: RoutingStore
    control: ControlState
    positions: PositionBook
    features: Features

    def admit(self, order: NewOrder) -> str:
        """Name the gateway this order goes to."""
        gateway = self._allowed(order)
        self.features.take_place(order)
        return gateway

    def recheck(self, order: NewOrder, gateway: str) -> None:
        """Refuse an admitted order that may no longer leave for its gateway.

        It has waited since, for the journal and for a connection. A change of the trading state, a gateway, a route, a
        strategy, a cap or a band that was answered since is in force for it as well.
        """
        now = self._allowed(order)
        if now != gateway:
            raise Refused(
                Code.ROUTE_CHANGED,
                f"the route of {order.asset_class} moved from {gateway} to {now} while the order waited;"
                " send a new one under a new id",
            )

    def gateway_for(self, asset_class: AssetClass, route: Route) -> str:
        """Name the gateway in force: the one that was set while the table still allows it, else the table's."""
        setting = self.control.document.routes.get(asset_class)
        if setting is not None and setting.gateway in route.choices:
            return setting.gateway
        return route.gateway

    def synthetic_gateway(self, asset_class: AssetClass, route: Route) -> str | None:
        setting = self.control.document.synthetic_routes.get(asset_class)
        return setting.gateway if setting is not None and setting.gateway in route.choices else None

    def _allowed(self, order: NewOrder) -> str:
        route = self.routing.table.routes.get(order.asset_class)
        if route is None:
            raise Refused(Code.NO_ROUTE, f"the routing table has no route for {order.asset_class}", "asset_class")
        self._trading_allows(order)
        self._strategy_may_trade(order)
        gateway = self._gateway_of(order, route)
        if self.control.gateway_state(gateway) is GatewayState.DISABLED:
            raise Refused(Code.GATEWAY_DISABLED, f"gateway {gateway} is disabled: {self._why(gateway)}")
        self._within_limits(order, route)
        self.features.check(order)
        return gateway

    def _gateway_of(self, order: NewOrder, route: Route) -> str:
        tried = self.synthetic_gateway(order.asset_class, route) if order.synthetic else None
        return tried or self.gateway_for(order.asset_class, route)

    def _strategy_may_trade(self, order: NewOrder) -> None:
        setting = self.control.document.strategies.get(order.strategy)
        if setting is not None and setting.state is StrategyState.HALTED:
            raise Refused(Code.TRADING_HALTED, f"strategy {order.strategy} is halted: {setting.reason}", "strategy")

    def _trading_allows(self, order: NewOrder) -> None:
        setting = self.control.document.trading.get(order.asset_class)
        if setting is None or setting.state is TradingState.ACTIVE:
            return
        if setting.state is TradingState.HALTED:
            raise Refused(
                Code.TRADING_HALTED, f"trading in {order.asset_class} is halted: {setting.reason}", "asset_class"
            )
        if not self.positions.reduces(order):
            net = plain(self.positions.net(order))
            raise Refused(
                Code.TRADING_REDUCING,
                f"expected an order that reduces the position of {net}, was {order.side} {plain(order.quantity)}",
                "quantity",
            )

    def _within_limits(self, order: NewOrder, route: Route) -> None:
        if order.synthetic:
            self._quarantined(order, route)
        if order.quantity > route.max_quantity:
            raise Refused(
                Code.QUANTITY_CAP_EXCEEDED,
                f"expected up to {plain(route.max_quantity)} for {order.asset_class}, was {plain(order.quantity)}",
                "quantity",
            )

    def _quarantined(self, order: NewOrder, route: Route) -> None:
        if order.symbol not in route.test_symbols:
            raise Refused(
                Code.SYNTHETIC_NOT_ALLOWED, f"expected a test symbol on a synthetic order, was {order.symbol}", "symbol"
            )
        if order.quantity > route.max_synthetic_quantity:
            raise Refused(
                Code.SYNTHETIC_NOT_ALLOWED,
                f"expected quantity up to {plain(route.max_synthetic_quantity)} on a synthetic order,"
                f" was {plain(order.quantity)}",
                "quantity",
            )

    def _why(self, gateway: str) -> str:
        setting = self.control.document.gateways.get(gateway)
        return "" if setting is None else setting.reason
