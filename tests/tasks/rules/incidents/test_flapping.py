"""Grouping: what comes and goes is one thread, and its number of messages is bounded."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.escalation import PageWords
from tasks.model.incidents.incident import Event, IncidentState, LedgerRecord
from tasks.model.incidents.modes import Mode
from tasks.model.probes.history import PastObservation
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.hysteresis import comes_back
from tasks.rules.incidents.transitions import OpenLedger, incident_changes, told_records
from tasks.rules.messages.recovered import recovery_messages
from tasks.rules.messages.templates import message_of
from tests.fakes.incident.observations import NOW, observation
from tests.fakes.incident.past import past, with_past

SERVICE = "order-service"
WORDS = PageWords(mode=Mode.ACT)
BAD = Finding(
    cause=Cause.UNKNOWN, confidence=Confidence.INCONCLUSIVE, because=("x",), section="§3", tier=Audience.TIER_2
)


def run_every_minute(pattern: str, minutes: int) -> list[LedgerRecord]:
    """Run a triage every minute; `x` in the pattern is a minute in which the trouble shows. Who is due is reported."""
    records: list[LedgerRecord] = []
    history: list[PastObservation] = []
    for number in range(minutes):
        now, bad = NOW + timedelta(minutes=number), pattern[number % len(pattern)] == "x"
        diagnosis = Diagnosis(status=Status.DEGRADED if bad else Status.OK, findings=(BAD,) if bad else ())
        seen = observation(number * 60.0)
        incidents = fold_incidents(records, SERVICE)
        held = OpenLedger(
            service=SERVICE,
            now=now,
            incidents=tuple(one for one in incidents if one.is_open),
            closed=tuple(one for one in incidents if not one.is_open),
        )
        evidence = with_past((seen,), history=tuple(history))
        records += incident_changes(diagnosis, evidence, held, lambda _, n=number: f"INC-{n}")  # type: ignore[misc]
        history.append(past(-number, status=diagnosis.status, troubles=("unknown",) if bad else ()))
        for incident in fold_incidents(records, SERVICE):
            opened = message_of(incident, Audience.TIER_2, "opened", "")
            for message in (opened,) if incident.is_open else recovery_messages(incident, WORDS, now):
                if message.key not in incident.told:
                    records += told_records(incident, message, {"key": message.key}, now)
    return records


def test_fifty_failing_runs_are_one_incident_and_one_page() -> None:
    """The on-call is notified once that it fails, not fifty times."""
    records = run_every_minute("x", 50)

    assert [one.event for one in records if one.event in {Event.OPENED, Event.NOTIFIED}] == [
        Event.OPENED,
        Event.NOTIFIED,
    ]


@pytest.mark.parametrize("pattern", ["x.", "xx.", "xxx.x."])
def test_a_symptom_that_is_gone_for_a_minute_is_one_incident_that_never_closed(pattern: str) -> None:
    """A flapping symptom is not an alarm and an all-clear each minute."""
    incidents = fold_incidents(run_every_minute(pattern, 60), SERVICE)

    assert len(incidents) == 1
    assert incidents[0].messages == 1


def test_a_symptom_that_comes_back_every_few_minutes_ends_in_one_thread() -> None:
    """Slower than the rule that closes: its third time is no third incident, and after that it stays open."""
    records = run_every_minute("x...", 120)
    incidents = fold_incidents(records, SERVICE)

    assert len(incidents) == 2
    assert incidents[-1].is_open
    assert incidents[-1].reopened == 1
    assert sum(one.messages for one in incidents) <= 8


def test_every_all_clear_of_a_flapping_symptom_is_told() -> None:
    """Resolve is never suppressed: whoever was notified that it is back is told that it is over, each time."""
    records = run_every_minute("x" + "." * 9, 100)
    incidents = fold_incidents(records, SERVICE)

    closed = [one for one in records if one.event == Event.CLOSED]
    told = [one for one in records if one.event == Event.NOTIFIED and "/tier_2/closed" in str(one.details["key"])]
    assert len(closed) >= 4
    assert len(told) == len(closed)
    assert len(incidents) == 2


def vanished(minutes_ago: float, **changes: object) -> IncidentState:
    """An incident that closed without anybody doing anything."""
    at = NOW - timedelta(minutes=minutes_ago)
    base = {"incident_id": f"I{minutes_ago}", "service": SERVICE, "state": "closed", "opened_at": at, "closed_at": at}
    return IncidentState.model_validate({**base, "causes": (Cause.UNKNOWN,), **changes})


def test_two_that_vanished_by_themselves_make_the_third_one_flapping() -> None:
    """Once more is chance, twice more is a pattern."""
    limits = EscalationLimits()

    assert comes_back((vanished(9),), BAD, limits, NOW) is None
    back = comes_back((vanished(9), vanished(5)), BAD, limits, NOW)
    assert back
    assert back.incident_id == "I5"


@pytest.mark.parametrize(
    "changes",
    [
        {"causes": (Cause.SERVICE_HUNG,)},
        {"gateways": ("XNAS",)},
        {"actions": ({"key": "k", "action": "restart_service", "started_at": NOW, "outcome": "recovered"},)},
        {"closed_at": NOW - timedelta(minutes=31)},
        {"closed_at": NOW + timedelta(days=365)},
    ],
    ids=["another cause", "another gateway", "something was done", "long ago", "a forged time"],
)
def test_what_is_not_the_same_coming_and_going_is_an_incident_of_its_own(changes: dict[str, object]) -> None:
    """A restart that helped ended its incident; the next hang is news."""
    closed = (vanished(9, **changes), vanished(5, **changes))

    assert comes_back(closed, BAD, EscalationLimits(), NOW) is None
