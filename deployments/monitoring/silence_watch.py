"""Look at the watch itself, from a process of its own: a worker that died cannot tell that it died.

The automation of Prefect tells of triages that do not complete while a worker lives; this tells of all the rest, except
of a machine that is gone: who pings an outside watcher (`RUNBOOK_PING_URL`) hears of that.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from deployments.monitoring.prefect_door import workers_page
from tasks.clients.silence import Seen, silences_recorded
from tasks.model.messages import Message
from tasks.rules.message_evidence import linked
from tasks.settings import RunbookSettings

EVERY_S = 15.0
# A check that comes later than this means that the machine slept, and the triages with it.
SLEPT = timedelta(seconds=4 * EVERY_S)
LOGGER = logging.getLogger("runbook.monitoring")
Tell = Callable[[RunbookSettings, str, Message], bool]


def tell(settings: RunbookSettings, service: str, message: Message) -> bool:
    """Tell as a triage does, in this process."""
    from tasks.notify import told  # noqa: PLC0415 - imports Prefect: seconds that are spent only once the watch stopped

    return told(settings, service, message)


class SilenceWatch:
    """Check every watched service again and again, and tell of each silence once."""

    def __init__(self, settings: RunbookSettings, now: datetime, seen: Seen = lambda _: None) -> None:
        self._settings = settings
        self._seen = seen
        self._since = self._checked_at = now
        self._told: set[str] = set()
        self._stop = threading.Event()

    def run(self) -> None:
        """Check until stopped; a check that fails is one line, and the next one comes."""
        while not self._stop.wait(EVERY_S):
            try:
                self.check(datetime.now(UTC), tell)
            except Exception:
                LOGGER.exception("could not check whether the triages run")

    def stop(self) -> None:
        """End the checks."""
        self._stop.set()

    def check(self, now: datetime, say: Tell) -> None:
        """Check once. Triages get their time after our own start, and after the machine slept."""
        if not timedelta() <= now - self._checked_at <= SLEPT:
            self._since = now
        self._checked_at = now
        services = tuple(self._settings.services)
        for stopped in silences_recorded(self._settings, services, now, self._since, self._seen):
            # No run says it, so the message leads to the page of the workers: the dead one is what is to be mended.
            for message in linked(stopped.messages, workers_page()):
                if message.key not in self._told and say(self._settings, stopped.service, message):
                    self._told.add(message.key)
