"""A service that does not start because it refuses its table: named as that, and not restarted into it again."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Kind, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Action, Event, LedgerRecord, Source
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, OrderOutcome
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.plan import Request
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.diagnosis.process_runs import start_failure
from tasks.rules.incidents.action_history import REARMED_TYPE
from tasks.rules.remediation.guards.restart import can_restart
from tasks.rules.remediation.planning.plan import make_plan
from tests.fakes.incident.cases import inputs, planned
from tests.fakes.incident.observations import health, order, process
from tests.fakes.incident.past import ago, rounds, with_past

REFUSED = (
    "START_FAILED: expected a running service was exit_code=2; last lines: ROUTING_TABLE_REFUSED: /s/routing.toml: "
    "not TOML; restore a good table and start again"
)
OTHER = "START_FAILED: expected a running service was exit_code=1; last lines: JOURNAL_UNAVAILABLE: disk I/O error"
DOWN = {
    "health": health(Fault.REFUSED),
    "process": process(ProcessState.DEAD),
    "orders": tuple(order(name, OrderOutcome.NOT_REACHED) for name in (AssetClass.EQUITY, AssetClass.FX)),
}


def down(failure: str = REFUSED, **changes: object) -> Evidence:
    """Three observations of a service that is down, after a start that failed so."""
    return with_past(rounds(**{**DOWN, **changes}), start_failure=failure)


def test_a_service_that_refuses_its_table_at_the_start_is_misconfigured_and_says_what_to_do() -> None:
    """Who is paged must read *restore the table*, not *re-arm*: the next start fails as this one did."""
    diagnosis = name_cause(down())
    (finding,) = diagnosis.findings

    assert (finding.cause, finding.confidence) == (Cause.ROUTING_MISCONFIGURED, Confidence.CONFIRMED)
    assert (finding.kinds, finding.tier, diagnosis.status) == (
        (Kind.START_REFUSED,),
        Audience.TIER_2,
        Status.CRITICAL,
    )
    assert finding.because[0] == "the service does not start: restore the routing table, then start it"
    assert finding.because[1] == REFUSED


def test_nothing_is_restarted_or_restored_over_a_service_that_would_be_refused_again() -> None:
    """It takes no order to restore anything, and one more start would spend the budget."""
    evidence = down()
    known = inputs().model_copy(update={"evidence": evidence, "diagnosis": name_cause(evidence)})

    assert make_plan(known, {Cause.ROUTING_MISCONFIGURED: "INC-1"}).actions == ()


def test_any_other_failed_start_is_told_with_the_service_that_is_down() -> None:
    """Its own last words are the first thing that the person paged needs."""
    (finding,) = name_cause(down(OTHER)).findings

    assert finding.cause is Cause.SERVICE_DOWN
    assert any("JOURNAL_UNAVAILABLE" in one for one in finding.because)


def test_a_service_that_is_up_is_not_held_to_a_start_that_failed_before() -> None:
    """Somebody started it by other means."""
    assert name_cause(with_past(rounds(), start_failure=REFUSED)).findings == ()


def record(minutes: float, type_: str = "x", event: Event | None = None, detail: str = "") -> LedgerRecord:
    """One line of the ledger."""
    details = {"detail": detail} if detail else {}
    return LedgerRecord(timestamp=ago(minutes), type=type_, event=event, details=details)


FAILED = record(5, event=Event.ACTION_FINISHED, detail=f"pid=7 ended; {REFUSED}")


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ((), ""),
        ((FAILED,), REFUSED),
        ((FAILED, record(4, "service_started")), ""),
        ((record(6, "service_started"), FAILED), REFUSED),
        ((FAILED, record(3, event=Event.ACTION_FINISHED, detail="done")), REFUSED),
        ((FAILED, record(3, event=Event.ACTION_FINISHED, detail=OTHER)), OTHER),
        ((record(5, event=Event.ACTION_STARTED, detail=REFUSED),), ""),
    ],
)
def test_the_last_failed_start_counts_until_the_service_has_started(
    records: tuple[LedgerRecord, ...], told: str
) -> None:
    """What was put right is not told again."""
    assert start_failure(records, None) == told


def test_a_table_that_was_written_anew_since_is_another_one() -> None:
    """It may be good by now, and a start may help; other failures have nothing to do with it."""
    before, after = FAILED.timestamp - timedelta(seconds=1), FAILED.timestamp + timedelta(seconds=1)
    other = record(5, event=Event.ACTION_FINISHED, detail=OTHER)

    assert start_failure((FAILED,), before) == REFUSED
    assert start_failure((FAILED,), after) == ""
    assert start_failure((other,), after) == OTHER


def test_a_failed_start_is_forgotten_once_the_service_was_seen_up_or_a_person_re_armed() -> None:
    """A service that writes no ledger must not stay unrestarted for a failure of last week."""
    rearm = LedgerRecord(
        timestamp=ago(4), type=REARMED_TYPE, event=Event.ACKNOWLEDGED, source=Source.OPERATOR, details={}
    )

    assert start_failure((FAILED, rearm), None) == ""
    assert start_failure((FAILED,), None, ago(4)) == ""
    assert start_failure((FAILED,), None, ago(6)) == REFUSED


@pytest.mark.parametrize(
    ("action", "asked", "is_allowed"),
    [
        (Action.RESTART_SERVICE, None, False),
        (Action.RESTART_SERVICE, Request(by="kim", reason="the licence is back"), True),
        (Action.ROLL_BACK_RELEASE, None, True),
    ],
)
def test_the_same_release_is_not_started_into_the_same_failure_again(
    action: Action, asked: Request | None, *, is_allowed: bool
) -> None:
    """Rule 4; a person may, and another release may start where this one does not."""
    known = inputs(asked=asked, start_failure=OTHER)

    assert can_restart(planned(action), known).allowed is is_allowed
