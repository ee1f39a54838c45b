"""Settings by hand: in force at once, kept on disk, told in the log and in the incident ledger."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from order_service.clock import utc_now
from order_service.codes import Code, Refused
from order_service.control_changes import (
    Change,
    FeatureChange,
    GatewayChange,
    RouteChange,
    StrategyChange,
    TradingChange,
)
from order_service.control_state import (
    ControlState,
    FeatureSetting,
    GatewaySetting,
    RouteScope,
    RouteSetting,
    Setting,
    StrategySetting,
    StrategyState,
    TradingSetting,
)
from order_service.incidents import IncidentLog
from order_service.order import AssetClass
from order_service.routing import FeatureRules
from order_service.routing_store import RoutingStore

log = logging.getLogger(__name__)

MAX_STRATEGY_SETTINGS = 1000

Part = Literal["gateways", "routes", "synthetic_routes", "trading", "strategies", "features"]
Document = dict[str, object]


@dataclass(slots=True)
class ControlPlane:
    """Carry out changes by hand.

    Errors: Refused for what does not exist or the table does not allow.
    """

    state: ControlState
    routing: RoutingStore
    incidents: IncidentLog
    on_changed: Callable[[], None]
    begin_drain: Callable[[], None]
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def set_gateway(self, name: str, change: GatewayChange) -> Document:
        """Set a gateway's state; orders out there are left as they are."""
        if name not in self.routing.table.gateways:
            raise Refused(Code.UNKNOWN_GATEWAY, f"no gateway {name} in the routing table", "gateway")
        setting = GatewaySetting(state=change.state, reason=change.reason, set_by=change.set_by, set_at=utc_now())
        return await self._change("gateways", name, setting, change)

    async def set_route(self, asset_class: AssetClass, change: RouteChange) -> Document:
        """Send a class's new orders, or its test orders alone, to one of the gateways its route allows.

        A route for all orders ends the one for test orders: what was tried is now in force, or given up.
        """
        route = self.routing.table.routes.get(asset_class)
        choices = () if route is None else route.choices
        if change.gateway is not None and change.gateway not in choices:
            allowed = ", ".join(choices) or "none"
            raise Refused(
                Code.ROUTE_NOT_ALLOWED, f"expected one of {allowed} for {asset_class}, was {change.gateway}", "gateway"
            )
        setting = RouteSetting(
            gateway=change.gateway,
            scope=change.scope,
            reason=change.reason,
            set_by=change.set_by,
            set_at=utc_now(),
        )
        if change.scope is RouteScope.SYNTHETIC:
            return await self._change("synthetic_routes", asset_class, setting, change)
        self.state.drop("synthetic_routes", asset_class)
        return await self._change("routes", asset_class, setting, change)

    async def set_trading(self, asset_class: AssetClass, change: TradingChange) -> Document:
        """Set a class's trading state, whether or not the table has a route for it."""
        setting = TradingSetting(state=change.state, reason=change.reason, set_by=change.set_by, set_at=utc_now())
        return await self._change("trading", asset_class, setting, change)

    async def set_strategy(self, name: str, change: StrategyChange) -> Document:
        """Set a strategy's state; new orders of a halted one are denied in every class.

        Errors: Refused with TOO_MANY_STRATEGIES when every place is taken by a halt.
        """
        self._make_room_for(name)
        setting = StrategySetting(state=change.state, reason=change.reason, set_by=change.set_by, set_at=utc_now())
        return await self._change("strategies", name, setting, change)

    async def set_feature(self, name: str, change: FeatureChange) -> Document:
        """Switch a feature."""
        if name not in FeatureRules.names():
            raise Refused(Code.UNKNOWN_FEATURE, f"no feature {name} in this release", "feature")
        setting = FeatureSetting(enabled=change.enabled, reason=change.reason, set_by=change.set_by, set_at=utc_now())
        return await self._change("features", name, setting, change)

    def drain(self, change: Change) -> Document:
        """Take no new orders from here on; the process stays up until it is told to stop."""
        self.begin_drain()
        tell_change(self.incidents, ("drain", "service"), {"draining": True}, change)
        return {"draining": True}

    def _make_room_for(self, strategy: str) -> None:
        """Forget the oldest strategy that was set active, which changes nothing, before a new one is refused."""
        settings = self.state.document.strategies
        if strategy in settings or len(settings) < MAX_STRATEGY_SETTINGS:
            return
        active = [name for name, setting in settings.items() if setting.state is StrategyState.ACTIVE]
        if not active:
            raise Refused(
                Code.TOO_MANY_STRATEGIES,
                f"expected at most {MAX_STRATEGY_SETTINGS} halted strategies, was one more; halt a class instead",
                "strategy",
            )
        self.state.drop("strategies", min(active, key=lambda name: settings[name].set_at))

    async def _change(self, part: Part, key: str, setting: Setting, change: Change) -> Document:
        previous = getattr(self.state.document, part).get(key)
        self.state.apply(part, key, setting)
        self.on_changed()
        async with self._saving:
            kept = await asyncio.to_thread(self.state.save)
        now = setting.model_dump(mode="json")
        tell_change(self.incidents, (part, key), now, change)
        return {
            part: {str(key): now},
            "persisted": kept,
            "previous": None if previous is None else previous.model_dump(mode="json"),
        }


def tell_change(incidents: IncidentLog, place: tuple[str, str], now: Document, change: Change) -> None:
    """Write a change by hand into the log and the incident ledger."""
    part, key = place
    log.warning("CONTROL_CHANGED: %s.%s by %s: %s", part, key, change.set_by, change.reason)
    incidents.record(
        "control_changed",
        f"{part} {key} set by {change.set_by}: {change.reason}",
        {"part": part, "key": key, "set_by": change.set_by, "reason": change.reason, "now": now},
        source=change.source,
    )
