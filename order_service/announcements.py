"""What the service tells of itself: that it came, that it goes, that a gateway is gone or back."""

import logging
import os
from dataclasses import dataclass

from order_service.gatekeeper import Gatekeeper
from order_service.gateways.health import GatewayVitals
from order_service.incidents import IncidentLog
from order_service.routing_store import RoutingStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcements:
    """Tell the log and the incident ledger."""

    name: str
    release: str
    incidents: IncidentLog
    routing: RoutingStore
    gatekeeper: Gatekeeper

    def started(self, interrupted: int, unknown: int, control_broken: str | None) -> None:
        """Tell that the service runs, and with what it began."""
        log.info("STARTED: release=%s, interrupted_orders=%d", self.release, interrupted)
        details = {**self._identity(), "interrupted_orders": interrupted, "unknown_orders": unknown}
        self.incidents.record("service_started", f"{self.name} {self.release} started", details)
        if control_broken is not None:
            log.error("CONTROL_STATE_BROKEN: %s; every asset class is halted", control_broken)
            summary = f"control state broken, every asset class halted: {control_broken}"
            self.incidents.record("control_state_broken", summary, {"error": control_broken})

    def stopped(self) -> None:
        """Tell that the service ends in good order."""
        self.incidents.record("service_stopped", f"{self.name} {self.release} stopped", self._identity())

    def gateway_changed(self, name: str, vitals: GatewayVitals) -> None:
        """Tell that a gateway is gone or back, with the asset classes that go through it now."""
        classes = [
            asset_class.value
            for asset_class, route in self.routing.table.routes.items()
            if self.gatekeeper.gateway_for(asset_class, route) == name
        ]
        details = {"gateway": name, "asset_classes": classes, "error": vitals.error, "latency_ms": vitals.latency_ms}
        if vitals.up:
            log.warning("GATEWAY_RECOVERED: gateway=%s", name)
            self.incidents.record("gateway_recovered", f"gateway {name} answers again", details, event="recovered")
        else:
            log.error("GATEWAY_UNREACHABLE: gateway=%s; %s", name, vitals.error)
            self.incidents.record("gateway_unreachable", f"gateway {name} is unreachable: {vitals.error}", details)

    def _identity(self) -> dict[str, object]:
        return {"pid": os.getpid(), "release": self.release, "routing_hash": self.routing.loaded.hash}
