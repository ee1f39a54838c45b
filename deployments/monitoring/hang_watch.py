"""Ask every watched service each second whether it still answers, so that a hang is triaged within five seconds.

A missed heartbeat reports the same by itself, in ten; a service that is stopped in order refuses its connections,
and is not silent. This only asks for a triage, as the service's own incident does; that checks three times for itself.
"""

import json
import logging
import os
import threading
import urllib.request
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from deployments.prefect_api.client import authorization
from tasks.clients.service.liveness import ask_once
from tasks.model.probes.liveness import SEEN_WITHIN, Answered, Liveness, SeenAlive
from tasks.settings import RunbookSettings

EVERY_S = 1.0
# A hundred services are asked less often each, so that the watch itself stays small.
EVERY_A_SERVICE_S = 0.05
SOON_S = 0.1
# One answer that is late is a busy machine; two in a row are two seconds without a word.
SILENT_COUNT = 2
POST_TIMEOUT_S = 5.0
EVENT, PAYLOAD_TYPE = "order-service.incident", "service_silent"
# A proxy of the user's has nothing to do with a server beside us.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
LOGGER = logging.getLogger("runbook.monitoring")
Ask = Callable[[], Answered]
Report = Callable[[str, datetime], bool]


class HangWatch:
    """Watch one service: report each hang once, and again only after it has answered."""

    def __init__(self, service: str, ask: Ask, report: Report) -> None:
        self._service, self._ask, self._report = service, ask, report
        self._count = 0
        self._reported = False
        self.seen: SeenAlive | None = None

    @property
    def in_doubt(self) -> bool:
        """Say whether the last question had no answer, and the hang is not reported yet."""
        return self._count > 0 and not self._reported

    def check(self, now: datetime) -> None:
        """Ask once; what could not be reported is reported the next time."""
        answered = self._ask()
        is_new = self.seen is None or self.seen.answered != answered or now - self.seen.asked_at > SEEN_WITHIN
        since = now if is_new or self.seen is None else self.seen.since
        self.seen = SeenAlive(answered=answered, since=since, asked_at=now)
        if answered.liveness is not Liveness.SILENT:
            self._count, self._reported = 0, False
            return
        self._count += 1
        if self._count >= SILENT_COUNT and not self._reported:
            self._reported = self._report(self._service, now)


def watch_for_hangs(settings: RunbookSettings, stop: threading.Event) -> dict[str, HangWatch]:
    """Watch each service in a thread of its own, so that the hang of one delays the question to no other."""
    watches: dict[str, HangWatch] = {}
    every_s = max(EVERY_S, EVERY_A_SERVICE_S * len(settings.services))
    for name, service in settings.services.items():
        watch = HangWatch(name, partial(ask_once, service.endpoint(service.health.path), service.http), ask_for_triage)
        watches[name] = watch
        threading.Thread(target=_keep, args=(watch, every_s, stop), name=f"hang watch {name}", daemon=True).start()
    return watches


def _keep(watch: HangWatch, every_s: float, stop: threading.Event) -> None:
    # A question without an answer has waited already; the next one follows at once.
    while not stop.wait(SOON_S if watch.in_doubt else every_s):
        try:
            watch.check(datetime.now(UTC))
        except Exception:
            LOGGER.exception("could not ask whether the service still answers")


def ask_for_triage(service: str, now: datetime) -> bool:
    """Post the event that starts a triage, and say whether Prefect took it."""
    api = os.environ.get("PREFECT_API_URL", "").rstrip("/")
    event = {
        "id": str(uuid.uuid4()),
        "occurred": now.isoformat(),
        "event": EVENT,
        "resource": {"prefect.resource.id": f"order-service.watch.{service}", "prefect.resource.name": service},
        "payload": {"type": PAYLOAD_TYPE},
    }
    return bool(api) and _taken(f"{api}/events", json.dumps([event]).encode())


def _taken(url: str, body: bytes) -> bool:
    headers = {"Content-Type": "application/json", **authorization(os.environ)}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - the address of our own server
    try:
        with OPENER.open(request, timeout=POST_TIMEOUT_S):
            return True
    except (OSError, ValueError):
        return False
