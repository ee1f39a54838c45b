"""What the service reports of itself: start, stop, gateways, journal, routing failures, a heartbeat."""

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from order_service.gateways.health import GatewayVitals
from order_service.orders.pre_trade_checks import PreTradeChecks
from order_service.routing.table_store import RoutingStore
from order_service.telemetry.events import EventSender
from order_service.telemetry.health_report import HealthReport
from order_service.telemetry.incidents import IncidentLog
from order_service.telemetry.routing_failures import RoutingFailures

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcements:
    name: str
    release: str
    incidents: IncidentLog
    routing: RoutingStore
    checks: PreTradeChecks

    def started(self, interrupted: int, unknown: int, control_broken: str | None) -> None:
        log.info("STARTED: release=%s, interrupted_orders=%d", self.release, interrupted)
        details = {**self._identity(), "interrupted_orders": interrupted, "unknown_orders": unknown}
        self.incidents.record("service_started", f"{self.name} {self.release} started", details)
        if control_broken is not None:
            log.error("CONTROL_STATE_BROKEN: %s; every asset class is halted", control_broken)
            summary = f"control state broken, every asset class halted: {control_broken}"
            self.incidents.record("control_state_broken", summary, {"error": control_broken})

    def stopped(self) -> None:
        self.incidents.record("service_stopped", f"{self.name} {self.release} stopped", self._identity())

    def gateway_changed(self, name: str, vitals: GatewayVitals) -> None:
        """Report that a gateway is gone or back, with the asset classes that go through it now."""
        classes = [
            asset_class.value
            for asset_class, route in self.routing.table.routes.items()
            if self.checks.gateway_for(asset_class, route) == name
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


WATCH_EVERY_S = 0.5


@dataclass(slots=True)
class Heartbeat:
    """Beat until canceled."""

    health: HealthReport
    incidents: IncidentLog
    failures: RoutingFailures
    journal_error: Callable[[], str | None]
    events: EventSender | None
    every_s: float
    _journal_was_down: bool = False

    async def run_events(self) -> None:
        """Send a heartbeat every few seconds."""
        while self.events is not None:
            document = self.health.document()
            self.events.heartbeat({key: document[key] for key in ("status", "release", "started_at", "reason")})
            await asyncio.sleep(self.every_s)

    async def run_watch(self) -> None:
        """Report what changes slowly: sums of failures, a journal that is gone or back."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            self.failures.report_sums()
            self._watch_journal()

    def _watch_journal(self) -> None:
        error = self.journal_error()
        if (error is not None) is self._journal_was_down:
            return
        self._journal_was_down = error is not None
        if error is not None:
            log.error("JOURNAL_UNAVAILABLE: %s", error)
            self.incidents.record(
                "journal_unavailable", f"the order journal cannot be written: {error}", {"error": error}
            )
        else:
            self.incidents.record("journal_recovered", "the order journal can be written again", {}, event="recovered")
