"""What is odd and harmless by itself: a line in the report, and never an incident."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastObservation
from tasks.model.probes.probes import Fault, HealthProbe, Observation
from tasks.model.reports.report import TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.diagnosis.notes import NOTED_FOR, notes
from tasks.rules.reports.lines import report_lines
from tests.fakes.incident.observations import NOW, evidence, health, metrics, observation, process


def past(minutes_ago: float, **changes: object) -> PastObservation:
    """A run before this one, at a healthy service."""
    base: dict[str, object] = {"at": NOW - timedelta(minutes=minutes_ago), "status": "ok", "pid": 4321}
    return PastObservation.model_validate({**base, **changes})


def after(*history: PastObservation, seen: Observation | None = None) -> Evidence:
    """One healthy run, after others."""
    found = evidence(seen or observation())
    return found.model_copy(update={"context": found.context.model_copy(update={"history": history})})


def of_release(name: str, **changes: object) -> HealthProbe:
    """A health answer of a release."""
    return health().model_copy(update={"release": name, **changes})


def dated(text: str) -> HealthProbe:
    """A health answer with a `Date`."""
    look = health()
    assert look.exchange
    return look.model_copy(update={"exchange": look.exchange.model_copy(update={"headers": (("date", text),)})})


def test_nothing_odd_is_no_note() -> None:
    """A report that always says something is read by nobody."""
    assert notes(after(past(1), past(2))) == ()


def test_a_freeze_of_some_seconds_is_a_note_and_no_incident() -> None:
    """Five freezes of three seconds left no trace at all: the next one may last."""
    seen = evidence(observation(health=health(Fault.TIMED_OUT)), observation(2))

    assert name_cause(seen).status is Status.OK
    (told,) = notes(seen)
    assert told.startswith("health failed in 1 of 2 checks and then passed")
    assert "15:00:00Z" in told


def test_a_failure_that_lasts_is_no_note() -> None:
    """It is an incident, and stands there."""
    assert notes(evidence(*(observation(at_s, health=health(Fault.TIMED_OUT)) for at_s in (0.0, 2.0)))) == ()


def test_short_failures_of_the_runs_before_are_counted() -> None:
    """One is nothing; five in half an hour are a question to the developers."""
    history = (past(9), past(8, rounds_count=2), past(7), past(6, rounds_count=3), past(5, rounds_count=3, status="x"))

    (told,) = notes(after(*history))

    assert told == (
        "2 of 5 triages since 14:51:00Z saw a failure that was over by the next check, the last at 14:54:00Z"
    )


def test_what_is_long_over_is_not_told_again() -> None:
    """A note of the morning is no note of the evening."""
    old = NOTED_FOR.total_seconds() / 60
    flips = tuple(past(old + count, release=f"1.{count % 2}") for count in range(5, 0, -1))

    assert notes(after(past(old, rounds_count=2), *flips)) == ()
    assert len(notes(after(past(old - 0.1, rounds_count=2)))) == 1


@pytest.mark.parametrize("fault", ["names pid 77", "is missing", "holds no pid"])
def test_a_wrong_pid_file_is_a_note(fault: str) -> None:
    """Found by its port today; the day that the port is taken, nobody finds it."""
    (told,) = notes(after(seen=observation(process=process(pid_file_fault=fault))))

    assert told.startswith(f"the pid file {fault}; the service is pid 4321")
    assert name_cause(after(seen=observation(process=process(pid_file_fault=fault)))).status is Status.OK


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (dated("Mon, 23 Nov 2026 15:01:00 GMT"), "60 s ahead of ours"),
        (dated("Mon, 23 Nov 2026 14:59:00 GMT"), "59 s behind ours"),
        (of_release("1.0", started_at=NOW + timedelta(seconds=5)), "ahead of ours"),
        (of_release("1.0", started_at=NOW - timedelta(seconds=65)), "behind ours"),
        (dated("Mon, 23 Nov 2026 15:00:03 GMT"), None),
        (of_release("1.0", started_at=NOW + timedelta(seconds=4.9)), None),
        (of_release("1.0", started_at=NOW - timedelta(seconds=64)), None),
    ],
)
def test_a_service_clock_that_is_off_is_a_note(look: HealthProbe, said: str | None) -> None:
    """Its stamps lie in every later search; its orders fill all the same."""
    started = process(started_at=NOW - timedelta(seconds=60))
    seen = after(seen=observation(health=look, process=started))

    told = notes(seen)

    assert bool(told) is (said is not None)
    assert said is None or said in told[0]
    assert name_cause(seen).status is Status.OK


def test_a_release_that_goes_back_and_forth_is_a_note() -> None:
    """Two instances behind one port: half of the orders go to a release that nobody thinks of."""
    history = tuple(past(minutes, release=name) for minutes, name in ((4, "1.0"), (3, "1.1"), (2, "1.0")))
    seen = after(*history, seen=observation(health=of_release("1.1")))

    (told,) = notes(seen)

    assert "changed 3 times since 14:56:00Z without a new process: 1.0 and 1.1" in told


def test_a_deploy_and_its_roll_back_are_no_note() -> None:
    """There and back is what a person did; and each new process may be another release."""
    history = tuple(past(minutes, release=name) for minutes, name in ((4, "1.0"), (3, "1.1"), (2, "1.1")))
    others = tuple(past(minutes, release=f"1.{minutes % 2}", pid=minutes) for minutes in range(9, 1, -1))

    assert notes(after(*history, seen=observation(health=of_release("1.0")))) == ()
    assert notes(after(*others, seen=observation(health=of_release("1.0")))) == ()


def test_health_and_metrics_that_name_two_releases_are_a_note() -> None:
    """One instance answered health, another one was scraped."""
    counted = metrics().model_copy(update={"release": "1.1"})
    (told,) = notes(after(seen=observation(health=of_release("1.0"), metrics=counted)))

    assert told.startswith("health names release 1.0, and metrics name 1.1")
    assert notes(after(seen=observation(health=of_release("1.1"), metrics=counted))) == ()


def test_each_note_is_a_line_of_the_report() -> None:
    """Who reads the report of the minute sees it; nobody is paged."""
    seen = after(past(5, rounds_count=2), seen=observation(process=process(pid_file_fault="is missing")))
    story = TriageStory(evidence=seen, diagnosis=name_cause(seen))

    told = [line.evidence for line in report_lines(story) if line.step == "Worth knowing"]

    assert told == list(notes(seen))
    assert len(told) == 2
