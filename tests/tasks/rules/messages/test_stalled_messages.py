"""What is reported when triage has stalled: what the monitoring part saw, until when, and to whom."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.escalation import PageWords
from tasks.model.incidents.modes import Mode
from tasks.model.probes.liveness import Answered, Liveness, SeenAlive
from tasks.rules.fleet.watchdog import stall_incident, stall_of
from tasks.rules.messages.recovered import recovery_messages
from tasks.rules.messages.triage_stalled import CANNOT_TRADE, WATCH_STOPPED, StalledWords, stalled_messages

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
NAME = "order-service"
STALLED = stall_of(NOW - timedelta(seconds=200), NOW, acting=False, approval_timeout_s=300)
INCIDENT = stall_incident(NAME, STALLED)


def seen(liveness: Liveness, since_s: float = 60, asked_s: float = 1, detail: str = "") -> SeenAlive:
    """What the requests showed for some seconds, until a second ago."""
    answered = Answered(liveness=liveness, detail=detail)
    return SeenAlive(
        answered=answered, since=NOW - timedelta(seconds=since_s), asked_at=NOW - timedelta(seconds=asked_s)
    )


def told(*services: str, **alive: SeenAlive) -> dict[Audience, str]:
    """Write the messages, and give the text for each audience."""
    shown = {name.replace("_", "-"): one for name, one in alive.items()}
    words = StalledWords(mode=Mode.ACT, now=NOW, seen=shown)
    found = stalled_messages(INCIDENT, STALLED, words, services or (NAME,))
    assert len({one.key for one in found}) == len(found)
    return {one.audience: one.text for one in found}


def test_the_page_of_a_stall_says_that_the_service_hangs_and_the_desk_is_notified() -> None:
    """Nobody else would tell: the automation that finds a hang is the one that stands still."""
    texts = told(order_service=seen(Liveness.SILENT))

    assert set(texts) == {Audience.TIER_3, Audience.TIER_1, Audience.DESK}
    for tier in (Audience.TIER_3, Audience.TIER_1):
        assert "Triage has stalled" in texts[tier]
        assert texts[tier].startswith("order-service HANGS: no answer since 14:59:00Z, probed each second (last at ")
        assert "Restart order-service by hand" in texts[tier]
    assert texts[Audience.DESK].startswith("No orders can be placed: no answer from order-service since 14:59:00Z.")


@pytest.mark.parametrize(
    ("alive", "words"),
    [
        (seen(Liveness.ANSWERS, detail="HTTP 200"), "answered at 14:59:59Z (HTTP 200); its orders are not checked"),
        (seen(Liveness.FAILS, detail="HTTP 500"), "answered with errors since 14:59:00Z (HTTP 500"),
        (seen(Liveness.UNREACHABLE, detail="gaierror"), "cannot be reached from this host (gaierror)"),
        (None, "The state of order-service is unknown"),
    ],
)
def test_a_stall_says_of_the_service_what_was_seen_and_nothing_more(alive: SeenAlive | None, words: str) -> None:
    """An answer is no filled order, and what cannot be reached from here may be well: the desk is left in peace."""
    texts = told(**({"order_service": alive} if alive else {}))

    assert set(texts) == {Audience.TIER_3, Audience.TIER_1}
    assert words in texts[Audience.TIER_1]
    assert "runbook check" in texts[Audience.TIER_1]
    assert "health checks failing" not in texts[Audience.TIER_1]


@pytest.mark.parametrize(
    ("alive", "known"),
    [
        (seen(Liveness.SILENT, since_s=11, asked_s=1), True),
        (seen(Liveness.SILENT, since_s=10.9, asked_s=1), False),
        (seen(Liveness.SILENT, since_s=60, asked_s=10), True),
        (seen(Liveness.SILENT, since_s=60, asked_s=10.1), False),
        (seen(Liveness.REFUSED), True),
        (seen(Liveness.FAILS, detail="HTTP 503"), True),
        (seen(Liveness.FAILS, detail="HTTP 502"), False),
        (seen(Liveness.ANSWERS, detail="HTTP 200"), False),
        (seen(Liveness.UNREACHABLE), False),
    ],
)
def test_that_a_service_cannot_trade_is_known_after_ten_seconds_and_for_as_long_as_it_is_asked(
    alive: SeenAlive, known: bool
) -> None:
    """One late answer is no outage, and what was seen before the machine slept says nothing of now."""
    assert alive.cannot_trade(NOW) is known


def test_a_service_that_stops_answering_after_the_first_page_is_told_in_a_second_one() -> None:
    """Its key is another: who was notified that nobody checks must also hear that it hangs."""
    well = StalledWords(mode=Mode.ACT, now=NOW, seen={NAME: seen(Liveness.ANSWERS, detail="HTTP 200")})
    hangs = StalledWords(mode=Mode.ACT, now=NOW, seen={NAME: seen(Liveness.SILENT)})
    first, second = (stalled_messages(INCIDENT, STALLED, words, (NAME,)) for words in (well, hangs))

    assert [one.key.rpartition("/")[2] for one in first] == [WATCH_STOPPED] * 2
    assert [one.key.rpartition("/")[2] for one in second] == [CANNOT_TRADE] * 3


def test_of_several_services_each_is_named_with_what_was_seen_of_it() -> None:
    """One page for a host, and the desk reads which of its services do not answer."""
    texts = told(
        "a", "b", "c", a=seen(Liveness.ANSWERS, detail="HTTP 200"), b=seen(Liveness.SILENT), c=seen(Liveness.REFUSED)
    )

    assert "a answered at" in texts[Audience.TIER_3]
    assert "b HANGS" in texts[Audience.TIER_3]
    assert "c IS DOWN" in texts[Audience.TIER_3]
    assert texts[Audience.DESK].startswith(
        "No orders can be placed: no answer from b since 14:59:00Z, c since 14:59:00Z."
    )


def test_the_end_of_a_stall_tells_the_desk_that_it_is_checked_again_and_not_that_it_trades() -> None:
    """The service may hang still: that is in an incident of its own."""
    key = f"{INCIDENT.incident_id}/desk/{CANNOT_TRADE}"
    over = INCIDENT.model_copy(update={"closed_at": NOW, "told": (key,)})
    texts = {one.audience: one.text for one in recovery_messages(over, PageWords(mode=Mode.ACT), NOW)}

    assert texts[Audience.DESK].startswith("order-service is checked each minute again.")
    assert "no longer" not in texts[Audience.DESK]
