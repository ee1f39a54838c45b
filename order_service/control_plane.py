"""Changes by hand: in force at once, kept on disk, told in the log and in the incident ledger."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from order_service.clock import rfc3339, utc_now
from order_service.codes import Code, Refused
from order_service.control_state import (
    ControlState,
    FeatureSetting,
    GatewaySetting,
    GatewayState,
    RouteSetting,
    Setting,
    TradingSetting,
    TradingState,
)
from order_service.incidents import IncidentLog
from order_service.order import AssetClass
from order_service.routing import FeatureRules, GatewayName, TableRefused
from order_service.routing_store import RoutingStore

log = logging.getLogger(__name__)

Part = Literal["gateways", "routes", "trading", "features"]
Document = dict[str, object]


class Change(BaseModel):
    """Who changes something, and why. Both are required: an unexplained halt costs the next shift an hour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
    set_by: str = Field(
        default="operator", min_length=1, max_length=100, pattern=r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    )
    source: Literal["operator", "triage", "order_service"] = "operator"


class GatewayChange(Change):
    """Set a gateway's state."""

    state: GatewayState


class RouteChange(Change):
    """Send new orders of a class to another gateway of its route; null follows the table again."""

    gateway: GatewayName | None


class TradingChange(Change):
    """Set a class's trading state."""

    state: TradingState


class FeatureChange(Change):
    """Switch a feature."""

    enabled: bool = Field(strict=True)


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
        """Send a class's new orders to one of the gateways its route allows."""
        route = self.routing.table.routes.get(asset_class)
        choices = () if route is None else route.choices
        if change.gateway is not None and change.gateway not in choices:
            allowed = ", ".join(choices) or "none"
            raise Refused(
                Code.ROUTE_NOT_ALLOWED, f"expected one of {allowed} for {asset_class}, was {change.gateway}", "gateway"
            )
        setting = RouteSetting(gateway=change.gateway, reason=change.reason, set_by=change.set_by, set_at=utc_now())
        return await self._change("routes", asset_class, setting, change)

    async def set_trading(self, asset_class: AssetClass, change: TradingChange) -> Document:
        """Set a class's trading state."""
        setting = TradingSetting(state=change.state, reason=change.reason, set_by=change.set_by, set_at=utc_now())
        return await self._change("trading", asset_class, setting, change)

    async def set_feature(self, name: str, change: FeatureChange) -> Document:
        """Switch a feature."""
        if name not in FeatureRules.names():
            raise Refused(Code.UNKNOWN_FEATURE, f"no feature {name} in this release", "feature")
        setting = FeatureSetting(enabled=change.enabled, reason=change.reason, set_by=change.set_by, set_at=utc_now())
        return await self._change("features", name, setting, change)

    def drain(self, change: Change) -> Document:
        """Take no new orders from here on; the process stays up until it is told to stop."""
        self.begin_drain()
        self._tell("drain", "service", {"draining": True}, change)
        return {"draining": True}

    async def reload(self, change: Change) -> Document:
        """Take the routing table on disk, or refuse it and keep the one that serves."""
        before = self.routing.loaded.hash
        try:
            loaded = await asyncio.to_thread(self.routing.read)
        except TableRefused as error:
            details = {
                "path": str(self.routing.path),
                "error": str(error),
                "serving_hash": before,
                "set_by": change.set_by,
            }
            self.incidents.record(
                "routing_table_refused", f"routing table refused: {error}", details, source=change.source
            )
            log.error("ROUTING_TABLE_REFUSED: %s; serving=%s", error, before)  # noqa: TRY400 - the reason is all there is
            raise Refused(Code.ROUTING_TABLE_REFUSED, f"{error}; the table {before[:12]} serves on") from error
        self.routing.loaded = loaded
        self.on_changed()
        self._tell("reload", "routing", {"hash": loaded.hash, "previous_hash": before}, change)
        return {"hash": loaded.hash, "previous_hash": before, "loaded_at": rfc3339(loaded.loaded_at)}

    async def _change(self, part: Part, key: str, setting: Setting, change: Change) -> Document:
        previous = getattr(self.state.document, part).get(key)
        self.state.apply(part, key, setting)
        self.on_changed()
        async with self._saving:
            kept = await asyncio.to_thread(self.state.save)
        document: Document = {part: {str(key): setting.model_dump(mode="json")}, "persisted": kept}
        document["previous"] = None if previous is None else previous.model_dump(mode="json")
        self._tell(part, key, setting.model_dump(mode="json"), change)
        return document

    def _tell(self, part: str, key: str, now: Document, change: Change) -> None:
        log.warning("CONTROL_CHANGED: %s.%s by %s: %s", part, key, change.set_by, change.reason)
        self.incidents.record(
            "control_changed",
            f"{part} {key} set by {change.set_by}: {change.reason}",
            {"part": part, "key": key, "set_by": change.set_by, "reason": change.reason, "now": now},
            source=change.source,
        )
