"""The looks that confirm: as far apart as the rule asks, whatever the machine's clock does."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Status
from tasks.model.diagnosis.limits import ProbeLimits
from tasks.model.probes.liveness import OpenQuestion, Silence
from tasks.model.probes.probes import Fault, HealthProbe, Observation, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.settings import ServiceSettings
from tasks.work.triage import confirming
from tests.fakes.incident.observations import evidence, health, observation, order, process

INTERVAL_S = 0.2


async def test_a_clock_that_jumps_ahead_brings_the_looks_no_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 1: three checks within one blink are one check."""
    at: list[float] = []

    async def look(_: ServiceSettings) -> Observation:
        at.append(time.monotonic())
        ahead = datetime.now(UTC) - timedelta(hours=len(at))
        seen = observation(health=health(Fault.REFUSED))
        return seen.model_copy(update={"looked_at": ahead, "steady_s": at[-1]})

    monkeypatch.setattr(confirming, "observe", look)
    watched = ServiceSettings.model_validate({"base_url": "http://127.0.0.1:1"})
    # The settings allow no less than a second; what is asked here is who measures it.
    limits = ProbeLimits().model_copy(update={"confirm_interval_s": INTERVAL_S})
    service = watched.model_copy(update={"look": limits})

    rounds = await confirming.confirming_checks(service, await look(service))

    assert len(rounds) == limits.confirm_looks_count
    assert all(after - before >= INTERVAL_S * 0.9 for before, after in pairwise(at))


async def test_a_restart_that_is_seen_once_is_watched_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graceful restart of two seconds: drained, refused, still connecting, well. Nobody is paged for it."""
    story = [health(status="error"), health(Fault.REFUSED), health(status="error"), health()]
    orders = (order(outcome=OrderOutcome.NOT_REACHED),)

    async def look(_: ServiceSettings) -> Observation:
        seen = story.pop(0)
        return observation(health=seen) if seen.seen is Seen.PASSED else observation(health=seen, orders=orders)

    monkeypatch.setattr(confirming, "observe", look)
    watched = ServiceSettings.model_validate({"base_url": "http://127.0.0.1:1"})
    limits = ProbeLimits().model_copy(update={"confirm_interval_s": 0.01})
    service = watched.model_copy(update={"look": limits})

    rounds = await confirming.confirming_checks(service, await look(service))

    assert story == []
    assert name_cause(evidence(*rounds)).status is Status.OK


async def test_what_the_hang_watch_saw_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of its questions and one pass are three checks, and one that has waited long enough is the long probe."""
    asked: list[str] = []

    async def never(_: ServiceSettings) -> object:
        asked.append("the long probe")
        return await asyncio.Event().wait()

    async def look(_: ServiceSettings) -> Observation:
        asked.append("one more pass")
        return observation(health=health())

    monkeypatch.setattr(confirming, "observe", look)
    monkeypatch.setattr(confirming, "patient_look", never)
    service = ServiceSettings.model_validate({"base_url": "http://127.0.0.1:1"})
    now, now_s = datetime.now(UTC), time.monotonic()
    first = observation(
        health=health(Fault.TIMED_OUT),
        process=process(ProcessState.STOPPED),
        orders=(order(outcome=OrderOutcome.TIMED_OUT),),
    ).model_copy(update={"steady_s": now_s})

    def watched() -> Silence:
        waited_s = time.monotonic() - now_s
        questions = tuple(
            OpenQuestion(asked_at=now - timedelta(seconds=ago), steady_s=now_s - ago, waited_s=waited_s + ago)
            for ago in (3.9, 2.5)
        )
        return Silence(url=service.endpoint("/health"), questions=questions)

    async with asyncio.timeout(20):
        rounds = await confirming.confirming_checks(service, first, evidence(first).context, watched=watched)

    assert asked == ["the long probe"]
    assert len(rounds[0].checked_before) == 2
    assert rounds[0].patience
    assert rounds[0].patience.silent
    assert name_cause(evidence(*rounds)).findings[0].confidence is Confidence.CONFIRMED


async def test_what_is_watched_elsewhere_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that moved to another address is not the one that was watched."""
    passes: list[Observation] = []

    async def look(_: ServiceSettings) -> Observation:
        passes.append(observation(health=health()))
        return passes[-1]

    monkeypatch.setattr(confirming, "observe", look)
    service = ServiceSettings.model_validate({"base_url": "http://127.0.0.1:1"})
    now_s = time.monotonic()
    elsewhere = Silence(
        url="http://127.0.0.1:2/health",
        questions=(OpenQuestion(asked_at=datetime.now(UTC), steady_s=now_s - 9, waited_s=9),),
    )
    first = observation(health=health(status="error")).model_copy(update={"steady_s": now_s})

    rounds = await confirming.confirming_checks(service, first, watched=lambda: elsewhere)

    assert passes
    assert rounds[0].checked_before == ()


async def test_a_service_that_answers_late_is_not_hung_whatever_the_watch_saw_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was stopped for seconds and goes on: the watch lets its questions go, and the long probe is answered."""
    now, now_s = datetime.now(UTC), time.monotonic()
    late = health().model_copy(update={"steady_s": now_s + 3})

    async def answered(_: ServiceSettings) -> HealthProbe:
        return late

    monkeypatch.setattr(confirming, "patient_look", answered)
    service = ServiceSettings.model_validate({"base_url": "http://127.0.0.1:1"})
    asked = tuple(
        OpenQuestion(asked_at=now - timedelta(seconds=ago), steady_s=now_s - ago, waited_s=ago) for ago in (3.0, 1.9)
    )
    seen: list[Silence | None] = [Silence(url=service.endpoint("/health"), questions=asked)]
    first = observation(
        health=health(Fault.TIMED_OUT),
        process=process(ProcessState.STOPPED),
        orders=(order(outcome=OrderOutcome.TIMED_OUT),),
    ).model_copy(update={"steady_s": now_s})

    def watched() -> Silence | None:
        return seen.pop() if seen else None

    rounds = await confirming.confirming_checks(service, first, evidence(first).context, watched=watched)

    found = name_cause(evidence(*rounds)).findings
    assert len(rounds[0].checked_before) == 2
    assert rounds[-1].patience == late
    assert [one.cause for one in found if one.cause is Cause.SERVICE_HUNG] == []
