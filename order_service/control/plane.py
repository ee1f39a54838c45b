"""Settings by people and tools, each with who and why: in force at once, kept on disk, in the log and the ledger."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from order_service.api.contract import AssetClass, Document, GatewayState, RouteScope, StrategyState, TradingState
from order_service.control.state import SETTINGS, ControlState, Part
from order_service.routing.table import FeatureRules, GatewayName
from order_service.routing.table_store import RoutingStore
from order_service.runtime.clock import utc_now
from order_service.runtime.codes import Code, Refused
from order_service.telemetry.incidents import IncidentLog

log = logging.getLogger(__name__)

TableHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Change(BaseModel):
    """Who changes something, and why. Both are required: an unexplained halt costs the next shift an hour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
    set_by: str = Field(
        default="operator", min_length=1, max_length=100, pattern=r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    )
    source: Literal["operator", "triage", "order_service"] = "operator"


class GatewayChange(Change):
    state: GatewayState


class RouteChange(Change):
    """Send new orders of a class to another gateway of its route; null follows the table again.

    With the scope `synthetic` only test orders take that way, so that a gateway is tried before real orders go there.
    """

    gateway: GatewayName | None
    scope: RouteScope = RouteScope.ALL


class TradingChange(Change):
    state: TradingState


class StrategyChange(Change):
    state: StrategyState


class FeatureChange(Change):
    enabled: bool = Field(strict=True)


class RestoreChange(Change):
    """Put a good routing table back, by the SHA-256 of its bytes."""

    hash: TableHash


MAX_STRATEGY_SETTINGS = 1000


@dataclass(slots=True)
class ControlPlane:
    """Carry out changes by people and tools.

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
        return await self._change("gateways", name, change)

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
        if change.scope is RouteScope.SYNTHETIC:
            return await self._change("synthetic_routes", asset_class, change)
        self.state.drop("synthetic_routes", asset_class)
        return await self._change("routes", asset_class, change)

    async def set_trading(self, asset_class: AssetClass, change: TradingChange) -> Document:
        """Set a class's trading state, whether or not the table has a route for it."""
        return await self._change("trading", asset_class, change)

    async def set_strategy(self, name: str, change: StrategyChange) -> Document:
        """Set a strategy's state; new orders of a halted one are denied in every class.

        Errors: Refused with TOO_MANY_STRATEGIES when every place is taken by a halt.
        """
        self._make_room_for(name)
        return await self._change("strategies", name, change)

    async def set_feature(self, name: str, change: FeatureChange) -> Document:
        if name not in FeatureRules.names():
            raise Refused(Code.UNKNOWN_FEATURE, f"no feature {name} in this release", "feature")
        return await self._change("features", name, change)

    def drain(self, change: Change) -> Document:
        """Take no new orders from here on; the process stays up until it is stopped."""
        self.begin_drain()
        record_change(self.incidents, ("drain", "service"), {"draining": True}, change)
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

    async def _change(self, part: Part, key: str, change: Change) -> Document:
        setting = SETTINGS[part](**change.model_dump(exclude={"source"}), set_at=utc_now())
        previous = getattr(self.state.document, part).get(key)
        self.state.apply(part, key, setting)
        self.on_changed()
        async with self._saving:
            kept = await asyncio.to_thread(self.state.save)
        now = setting.model_dump(mode="json")
        record_change(self.incidents, (part, key), now, change)
        return {
            part: {str(key): now},
            "persisted": kept,
            "previous": None if previous is None else previous.model_dump(mode="json"),
        }


def record_change(incidents: IncidentLog, place: tuple[str, str], now: Document, change: Change) -> None:
    part, key = place
    log.warning("CONTROL_CHANGED: %s.%s by %s: %s", part, key, change.set_by, change.reason)
    incidents.record(
        "control_changed",
        f"{part} {key} set by {change.set_by}: {change.reason}",
        {"part": part, "key": key, "set_by": change.set_by, "reason": change.reason, "now": now},
        source=change.source,
    )
