"""The steady beats: a heartbeat event, the sums of routing failures, and the watch over the journal."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from order_service.events import EventSender
from order_service.health_report import HealthReport
from order_service.incidents import IncidentLog
from order_service.routing_failures import RoutingFailures

log = logging.getLogger(__name__)

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
        """Tell what changes slowly: sums of failures, a journal that is gone or back."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            self.failures.tell_sums()
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
