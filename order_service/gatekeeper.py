"""Whether a valid order may be sent, and where to. Nothing here touches a disk or a socket."""

from dataclasses import dataclass

from order_service.codes import Code, Refused
from order_service.control_state import ControlState, GatewayState, StrategyState, TradingState
from order_service.decimals import plain
from order_service.features import Features
from order_service.order import AssetClass, NewOrder
from order_service.positions import PositionBook
from order_service.routing import Route
from order_service.routing_store import RoutingStore


@dataclass(frozen=True, slots=True)
class Gatekeeper:
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
        strategy, a cap or a band that was answered meanwhile is in force for it as well.
        """
        now = self._allowed(order)
        if now != gateway:
            raise Refused(
                Code.ROUTE_CHANGED,
                f"the route of {order.asset_class} moved from {gateway} to {now} while the order waited;"
                " send a new one under a new id",
            )

    def gateway_for(self, asset_class: AssetClass, route: Route) -> str:
        """Name the gateway in force: the one set by hand while the table still allows it, else the table's."""
        setting = self.control.route(asset_class)
        if setting is not None and setting.gateway in route.choices:
            return setting.gateway
        return route.gateway

    def synthetic_gateway(self, asset_class: AssetClass, route: Route) -> str | None:
        """Name the gateway that test orders alone are sent to; none while they go where all orders go."""
        setting = self.control.synthetic_route(asset_class)
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
        setting = self.control.strategy(order.strategy)
        if setting is not None and setting.state is StrategyState.HALTED:
            raise Refused(Code.TRADING_HALTED, f"strategy {order.strategy} is halted: {setting.reason}", "strategy")

    def _trading_allows(self, order: NewOrder) -> None:
        setting = self.control.trading(order.asset_class)
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
        setting = self.control.gateway(gateway)
        return "" if setting is None else setting.reason
