"""A dead man's switch for triage, in its own process: a worker that died cannot report that it died.

Prefect's automation reports triages that do not complete while a worker lives; this reports all the rest, except
of a machine that is gone: who pings an outside watcher (`RUNBOOK_PING_URL`) hears of that.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from deployments.monitoring.prefect_door import workers_page
from tasks.clients.messages.delivery_thread import deliver
from tasks.model.messages.messages import Message
from tasks.rules.messages.attachments import linked
from tasks.settings import RunbookSettings
from tasks.work.fleet.watchdog import Seen, record_stalls

EVERY_S = 15.0
# A check that comes later than this means that the machine slept, and the triages with it.
SLEPT = timedelta(seconds=4 * EVERY_S)
LOGGER = logging.getLogger("runbook.monitoring")
Notify = Callable[[RunbookSettings, str, Message], bool]


class StallWatch:
    """Check every watched service again and again, and notify of each stall once."""

    def __init__(self, settings: RunbookSettings, now: datetime, seen: Seen = lambda _: None) -> None:
        self._settings = settings
        self._seen = seen
        self._since = self._checked_at = now
        self._notified: set[str] = set()
        self._stop = threading.Event()

    def run(self) -> None:
        """Check until stopped; a check that fails is one line, and the next one comes."""
        while not self._stop.wait(EVERY_S):
            try:
                self.check(datetime.now(UTC), deliver)
            except Exception:
                LOGGER.exception("could not check whether the triages run")

    def stop(self) -> None:
        self._stop.set()

    def check(self, now: datetime, send: Notify) -> None:
        """Check once. Triages get their time after our own start, and after the machine slept."""
        if not timedelta() <= now - self._checked_at <= SLEPT:
            self._since = now
        self._checked_at = now
        services = tuple(self._settings.services)
        for stopped in record_stalls(self._settings, services, now, self._since, self._seen):
            # No run says it, so the message leads to the page of the workers: the dead one is what is to be fixed.
            for message in linked(stopped.messages, workers_page()):
                if message.key not in self._notified and send(self._settings, stopped.service, message):
                    self._notified.add(message.key)
