"""The looks that confirm: as far apart as the rule asks, whatever the machine's clock does."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tasks.model.diagnosis.diagnosis import Status
from tasks.model.diagnosis.limits import ProbeLimits
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, Seen
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.settings import ServiceSettings
from tasks.work.triage import confirming
from tests.fakes.incident.observations import evidence, health, observation, order

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
