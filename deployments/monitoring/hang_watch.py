"""Ask every watched service twice a second whether it still answers, so that a hang is triaged within three seconds.

A missed heartbeat reports the same by itself, in ten; a service that is stopped in order refuses its connections,
and is not silent. A question without an answer stays open, and is kept with its times: the triage that is asked for
counts it among its confirming checks, and makes one of its own.
"""

import json
import logging
import os
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from deployments.prefect_api.client import authorization
from tasks.clients.evidence.watched_silence import keep_silence
from tasks.clients.service.liveness import TIMEOUT_S, Question
from tasks.model.errors import RunbookError
from tasks.model.probes.liveness import SEEN_WITHIN, Answered, Liveness, OpenQuestion, SeenAlive, Silence
from tasks.settings import RunbookSettings

EVERY_S = 0.5
# A hundred services are asked less often each, so that the watch itself stays small.
EVERY_A_SERVICE_S = 0.05
# While it is silent, a further question is asked each second, and the open ones are looked at in between.
ASK_AGAIN_S, SOON_S = 1.0, 0.25
# One answer that is late is a busy machine; two without one, the first for this long, are a hang.
SILENT_COUNT, SILENT_S = 2, 1.5
MOST_OPEN_COUNT = 6
# Whoever did not look for so long has stood still itself, and does not know how long a question was open.
STOOD_STILL_S = 2.0
POST_TIMEOUT_S = 5.0
EVENT, PAYLOAD_TYPE = "order-service.incident", "service_silent"
# A proxy of the user's has nothing to do with a server beside us.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
LOGGER = logging.getLogger("runbook.monitoring")


class Asked(Protocol):
    """A question on its way, see `Question`."""

    asked_at: datetime
    steady_s: float

    def answer(self, within_s: float) -> Answered | None:
        """Give the answer; None while there is none."""

    def close(self) -> None:
        """Wait for it no longer."""


Ask = Callable[[], Asked]
Report = Callable[[str, datetime], bool]
Keep = Callable[[tuple[OpenQuestion, ...]], None]


def forget(_: tuple[OpenQuestion, ...]) -> None:
    """Keep nothing."""


class HangWatch:
    """Watch one service: report each hang once, and again only after it has answered.

    Units: `steady` gives seconds of a clock that nobody sets.
    """

    def __init__(
        self,
        service: str,
        ask: Ask,
        report: Report,
        keep: Keep = forget,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service, self._ask, self._report, self._keep, self._steady = service, ask, report, keep, steady
        self._open: list[Asked] = []
        self._count, self._silent_s, self._asked_s, self._checked_s = 0, 0.0, 0.0, steady()
        self._reported = False
        self.seen: SeenAlive | None = None

    @property
    def in_doubt(self) -> bool:
        """Say whether the last question had no answer."""
        return self._count > 0

    def check(self, now: datetime) -> None:
        """Ask, or look whether an open question is answered; what could not be reported is reported the next time."""
        if self._steady() - self._checked_s > STOOD_STILL_S:
            self._forget()
        answered = self._answered()
        is_new = self.seen is None or self.seen.answered != answered or now - self.seen.asked_at > SEEN_WITHIN
        since = now if is_new or self.seen is None else self.seen.since
        self.seen = SeenAlive(answered=answered, since=since, asked_at=now)
        if answered.liveness is not Liveness.SILENT:
            self._forget()
            self._reported = False
        elif self._count >= SILENT_COUNT and self._steady() - self._silent_s >= SILENT_S:
            self._keep(self._questions())
            self._reported = self._reported or self._report(self._service, now)
        self._checked_s = self._steady()

    def _answered(self) -> Answered:
        if late := next((one for question in self._open if (one := question.answer(0.0))), None):
            return late
        if self._count and self._steady() - self._asked_s < ASK_AGAIN_S:
            return Answered(liveness=Liveness.SILENT)
        # The first one is waited for, and the second one asked as soon as that has no answer.
        answered = self._asked(0.0 if self._count else TIMEOUT_S)
        return self._asked(0.0) if answered.liveness is Liveness.SILENT and self._count == 1 else answered

    def _asked(self, within_s: float) -> Answered:
        question = self._ask()
        self._asked_s = question.steady_s
        answered = question.answer(within_s)
        if answered is None:
            self._open.append(question)
        if answered is None or answered.liveness is Liveness.SILENT:
            self._silent_s = self._silent_s if self._count else question.steady_s
            self._count += 1
        if len(self._open) > MOST_OPEN_COUNT:
            self._open.pop(0).close()
        return answered or Answered(liveness=Liveness.SILENT)

    def _questions(self) -> tuple[OpenQuestion, ...]:
        now_s = self._steady()
        return tuple(
            OpenQuestion(asked_at=one.asked_at, steady_s=one.steady_s, waited_s=now_s - one.steady_s)
            for one in self._open
        )

    def _forget(self) -> None:
        if self._count:
            self._keep(())
        for one in self._open:
            one.close()
        self._open, self._count = [], 0


def watch_for_hangs(settings: RunbookSettings, stop: threading.Event) -> dict[str, HangWatch]:
    """Watch each service in a thread of its own, so that the hang of one delays the question to no other."""
    watches: dict[str, HangWatch] = {}
    every_s = max(EVERY_S, EVERY_A_SERVICE_S * len(settings.services))
    for name, service in settings.services.items():
        url = service.endpoint(service.health.path)
        keep = partial(_keep, settings, name, url)
        watch = HangWatch(name, partial(Question, url, service.http), ask_for_triage, keep)
        watches[name] = watch
        threading.Thread(target=_go_on, args=(watch, every_s, stop), name=f"hang watch {name}", daemon=True).start()
    return watches


def _keep(settings: RunbookSettings, service: str, url: str, questions: tuple[OpenQuestion, ...]) -> None:
    try:
        keep_silence(settings.state_dir, service, Silence(url=url, questions=questions) if questions else None)
    except (RunbookError, OSError) as error:
        # The triage then makes all of its checks itself; said as the silence begins, and not four times a second.
        if len(questions) <= SILENT_COUNT:
            LOGGER.warning("service=%s is silent, and its open questions are not kept: %s", service, error)


def _go_on(watch: HangWatch, every_s: float, stop: threading.Event) -> None:
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
