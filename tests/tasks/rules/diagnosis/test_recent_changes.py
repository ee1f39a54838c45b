"""What changed lately and how the service lived, from the ledger's own words."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.diagnosis.changes import ChangeKind, ExitReason
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Action, ActionRecord, Event, IncidentState, LedgerRecord
from tasks.rules.diagnosis.process_runs import process_runs
from tasks.rules.diagnosis.recent_changes import control_changes, gateway_turns, parse_moves, release_changes
from tests.fakes.incident.observations import NOW
from tests.fakes.incident.past import ago, past

LONG_AGO = ago(120)


def record(minutes: float, kind: str, **details: object) -> LedgerRecord:
    """One line that the order service wrote."""
    return LedgerRecord(timestamp=ago(minutes), type=kind, service="s", event="observed", details=details)


def started(minutes: float, release: str = "1.0.0") -> LedgerRecord:
    """The service came up."""
    return record(minutes, "service_started", release=release)


def restart_of(minutes: float, cause: Cause) -> IncidentState:
    """Our own restart, in an incident of a cause."""
    action = ActionRecord(key="k", action=Action.RESTART_SERVICE, started_at=ago(minutes))
    return IncidentState(
        incident_id="I", service="s", state=Event.OPENED, opened_at=LONG_AGO, causes=(cause,), actions=(action,)
    )


def moved(minutes: float, to: str, action: str = "deploy", before: str | None = None) -> str:
    """One line of the releases' history."""
    at = ago(minutes).isoformat()
    return json.dumps({"action": action, "at": at, "by": "ann", "from": before, "reason": "r", "to": to})


def test_a_start_of_the_year_9999_is_read_as_any_other() -> None:
    """Another tool's line, and no reason to end the triage."""
    far = started(0, "1.1.0").model_copy(update={"timestamp": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)})
    moves = parse_moves(moved(5, "1.1.0").encode())

    (change,) = release_changes([started(60), far], moves, (), LONG_AGO)

    assert (change.now, change.by) == ("1.1.0", "ann")


def test_a_release_changes_when_the_service_first_runs_it() -> None:
    """Orders between the deploy and the restart still ran on the old code."""
    moves = parse_moves((moved(10, "1.1.0") + "\nno json\n[]\n").encode())
    found = release_changes([started(60), started(9, "1.1.0")], moves, (), LONG_AGO)

    assert [(one.at, one.before, one.now, one.by, one.is_roll_back) for one in found] == [
        (ago(9), "1.0.0", "1.1.0", "ann", False)
    ]


def test_a_release_that_waits_for_its_start_is_pending() -> None:
    """It has changed nothing as long as the old one runs."""
    found = release_changes([started(60)], parse_moves(moved(10, "1.1.0").encode()), (), LONG_AGO)

    assert [(one.now, one.is_pending) for one in found] == [("1.1.0", True)]


def test_a_roll_back_is_known_as_one() -> None:
    """What a roll-back brought is not rolled back again."""
    moves = parse_moves("\n".join((moved(30, "1.1.0"), moved(5, "1.0.0", "roll-back"))).encode())
    found = release_changes([started(60), started(29, "1.1.0"), started(4)], moves, (), LONG_AGO)

    assert [one.is_roll_back for one in found] == [False, True]


def test_without_a_ledger_that_tells_of_starts_the_looks_tell_the_release() -> None:
    """Any service with a release in its health is judged, if a little later."""
    history = (past(3), past(2, release="1.1.0", started_at=ago(2.5)), past(1, release="1.1.0", started_at=ago(2.5)))

    assert [(one.at, one.now) for one in release_changes([], (), history, LONG_AGO)] == [(ago(2.5), "1.1.0")]


def test_a_release_whose_ledger_begins_with_its_own_start_is_a_change_by_what_the_looks_saw_before() -> None:
    """A ledger that was archived in between must not make the deploy of ten minutes ago unknown."""
    history = (past(20), past(15), past(8, release="1.1.0", started_at=ago(9)))
    found = release_changes([started(9, "1.1.0")], (), history, LONG_AGO)

    assert [(one.at, one.before, one.now) for one in found] == [(ago(9), "1.0.0", "1.1.0")]


@pytest.mark.parametrize(
    ("move", "told"),
    [
        (moved(10, "1.1.0", before="1.0.0"), [("1.0.0", "1.1.0")]),
        (moved(10, "1.1.0"), []),
        (moved(10, "1.2.0", before="1.0.0"), []),
        (moved(200, "1.1.0", before="1.0.0"), []),
    ],
)
def test_where_nobody_looked_before_the_move_that_brought_the_release_tells(
    move: str, told: list[tuple[str, str]]
) -> None:
    """And a restart of a release that came long ago is no new release."""
    found = release_changes([started(9, "1.1.0")], parse_moves(move.encode()), (), ago(120))

    assert [(one.before, one.now) for one in found] == told


def test_looks_and_starts_of_one_release_are_no_change() -> None:
    """A start that the ledger tells and the checks that saw it are the same run."""
    history = (past(20, started_at=ago(60)), past(8, started_at=ago(60)))

    assert release_changes([started(59.9)], (), history, LONG_AGO) == ()


def test_changes_by_hand_carry_their_kind_and_who_and_why() -> None:
    """The first question in an incident is what somebody just did."""
    now = {"enabled": True, "reason": "try", "set_by": "ann"}
    changes = control_changes(
        [record(3, "control_changed", part="features", key="f", set_by="ann", reason="try", now=now)], LONG_AGO
    )

    assert [(one.kind, one.key, one.now, one.by, one.reason) for one in changes] == [
        (ChangeKind.FEATURE, "f", "true", "ann", "try")
    ]


def test_only_what_the_service_saw_is_a_turn_of_a_gateway() -> None:
    """Our own incident of the same type is an echo, not a second outage."""
    down = record(3, "gateway_unreachable", gateway="XNAS")
    echo = down.model_copy(update={"incident_id": "I", "timestamp": ago(2.9)})
    back = record(2, "gateway_recovered", gateway="XNAS")

    assert [(one.gateway, one.up) for one in gateway_turns([down, echo, back], LONG_AGO)] == [
        ("XNAS", False),
        ("XNAS", True),
    ]


def lives(
    records: list[LedgerRecord], incidents: tuple[IncidentState, ...] = (), now: datetime = NOW
) -> list[ExitReason]:
    """How each life ended."""
    return [one.end for one in process_runs(records, incidents, LONG_AGO, now)]


def test_a_start_without_a_stop_before_it_follows_a_crash() -> None:
    """A killed process leaves no farewell."""
    records = [started(9), record(7, "service_stopped"), started(6), started(3)]

    assert lives(records) == [ExitReason.STOPPED, ExitReason.CRASHED, ExitReason.RUNNING]


def test_our_restart_of_a_hung_service_is_no_crash_and_of_a_dead_one_follows_one() -> None:
    """Only a service that dies by itself is in a crash loop."""
    records = [started(9), started(3)]

    assert lives(records, (restart_of(3.1, Cause.SERVICE_HUNG),)) == [ExitReason.RESTARTED, ExitReason.RUNNING]
    assert lives(records, (restart_of(3.1, Cause.SERVICE_DOWN),)) == [ExitReason.CRASHED, ExitReason.RUNNING]


def test_a_restart_that_never_came_up_is_a_crash_once_its_time_is_over() -> None:
    """A release that cannot even start must not be restarted for ever."""
    restart = (restart_of(5, Cause.SERVICE_DOWN),)

    assert lives([started(9)], restart) == [ExitReason.CRASHED, ExitReason.CRASHED]
    assert lives([started(9)], restart, now=ago(5) + timedelta(seconds=10)) == [ExitReason.RUNNING]
