"""Earned trust: what helped only for a while waits longer each time, and what never helped is asked for."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.diagnosis.limits import RestartLimits
from tasks.model.incidents.incident import TIGHTENERS, Action, ActionRecord, Event, IncidentState, LedgerRecord, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Approval, ApprovalAnswer, Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.incidents.action_history import REARMED_TYPE, action_history
from tasks.rules.remediation.guards.back_off import never_helped, not_too_soon, trust_in
from tasks.rules.remediation.guards.evaluate import GUARDS, evaluate
from tests.fakes.incident.cases import INCIDENT, planned
from tests.fakes.incident.earned import LIMITS, ROOM, before, room
from tests.fakes.incident.observations import NOW

ROUTE = Target(asset_class=AssetClass.EQUITY, gateway="XNYS")


def test_what_helped_twice_for_a_while_waits_and_says_until_when() -> None:
    """The third restart of an evening is not due at once: somebody must find the cause."""
    verdict = evaluate(planned(), room(before(30), before(10)))

    assert verdict.code is GuardCode.BACK_OFF
    assert verdict.detail == (
        "restarted 2 times since 14:30:00Z, each helped for at most 18 min; next restart not before 15:05:00Z"
    )


def test_once_is_no_pattern() -> None:
    """A service that hangs again after a restart is restarted again at once: the budget bounds it."""
    assert evaluate(planned(), room(before(3))).allowed


def test_each_wait_is_twice_as_long_as_the_one_before_up_to_the_longest() -> None:
    """Doubling, bounded: 15 min, 30 min, and an hour however often."""
    waits = []
    for count in (2, 3, 4, 5, 9):
        trust = trust_in(planned(), room(*(before(10 * n) for n in range(count, 0, -1))))
        assert trust
        assert trust.not_before
        waits.append(trust.not_before - (NOW - timedelta(minutes=10)))

    assert waits == [timedelta(minutes=one) for one in (15, 30, 60, 60, 60)]


def test_it_may_act_at_the_very_moment_that_it_names() -> None:
    """Not before 15:05:00Z is at 15:05:00Z."""
    assert not not_too_soon(planned(), room(before(30), before(14.99))).allowed
    assert not_too_soon(planned(), room(before(30), before(15))).allowed


def test_what_helped_for_as_long_as_the_longest_wait_starts_again() -> None:
    """A restart that helped for an hour has helped."""
    # It ended at 62 minutes ago, and the trouble of the next one began 2 minutes ago.
    helped = room(before(80), before(63), before(1))
    trust = trust_in(planned(), helped)

    assert trust
    assert trust.short_count == 1
    assert trust.helped_for_s == (900.0, 3600.0, 1.0)
    assert not_too_soon(planned(), helped).allowed
    almost = trust_in(planned(), room(before(80), before(62.9), before(1)))
    assert almost
    assert almost.short_count == 3


def test_the_trouble_of_now_ends_the_help_of_the_last_time() -> None:
    """As long as the open incident says, and not until this moment."""
    open_now = IncidentState(
        incident_id=INCIDENT,
        service="order-service",
        state=Event.OPENED,
        opened_at=NOW - timedelta(hours=9),
        reopened_at=NOW - timedelta(minutes=4),
    )
    over = open_now.model_copy(update={"recovered_at": NOW - timedelta(minutes=3)})
    known = trust_in(planned(), room(before(30), before(10), open_incidents=(open_now,)))
    new = trust_in(planned(), room(before(30), before(10), open_incidents=(over,)))

    assert known
    assert known.helped_for_s == (18 * 60.0, 5 * 60.0)
    assert new
    assert new.helped_for_s == (18 * 60.0, 9 * 60.0)


def test_the_restart_budget_is_named_first_and_never_loosened() -> None:
    """Hands off until a re-arm is more than a wait."""
    spent = ROOM.model_copy(update={"restart": RestartLimits()})

    assert evaluate(planned(), room(before(5), before(3), capabilities=spent)).code is GuardCode.RESTART_BUDGET_SPENT


def test_what_never_helped_for_a_cause_is_asked_for_and_not_done() -> None:
    """It is proposed with the reason; a person who approves lets it be done."""
    failed = room(before(60, outcome=Outcome.NOT_RECOVERED))
    verdict = evaluate(planned(), failed)
    approved = failed.model_copy(update={"approval": Approval(answer=ApprovalAnswer.APPROVED, by="ada")})
    expired = failed.model_copy(update={"approval": Approval(answer=ApprovalAnswer.EXPIRED)})

    assert verdict.code is GuardCode.APPROVAL_NEEDED
    assert verdict.detail == (
        "mode=act; restarted once for service hung, and it never helped; a person must approve: "
        "`runbook approve INC-1`, or the form in the Prefect UI"
    )
    assert evaluate(planned(), approved).allowed
    assert evaluate(planned(), expired).code is GuardCode.APPROVAL_EXPIRED


@pytest.mark.parametrize(
    ("count", "limit", "asks"), [(1, 1, True), (1, 2, False), (2, 2, True), (2, 0, False), (1, 0, False)]
)
def test_after_how_often_a_person_is_asked_is_a_setting(count: int, limit: int, asks: bool) -> None:
    """0 never asks."""
    limits = LIMITS.model_copy(update={"ask_after_ineffective_count": limit})
    failed = (before(60 + n, outcome=Outcome.NOT_RECOVERED) for n in range(count, 0, -1))

    assert bool(never_helped(planned(), room(*failed, limits=limits))) is asks


def test_one_help_for_the_cause_is_enough_to_need_nobody() -> None:
    """It is trusted for what it has done once."""
    mixed = room(before(300), before(200, outcome=Outcome.NOT_RECOVERED))

    assert never_helped(planned(), mixed) == ""
    assert evaluate(planned(), mixed).allowed


@pytest.mark.parametrize(
    "other",
    [
        before(5, outcome=Outcome.NOT_RECOVERED, cause=Cause.SERVICE_DOWN),
        before(5, outcome=Outcome.NOT_RECOVERED, target="b"),
        before(5, outcome=Outcome.NOT_RECOVERED, action=Action.ROLL_BACK_RELEASE),
        before(5, outcome=Outcome.REFUSED),
        before(5, outcome=Outcome.DONE),
        before(5, outcome=None),
    ],
    ids=["cause", "target", "action", "refused", "done", "no end"],
)
def test_only_the_same_action_on_the_same_target_for_the_same_cause_counts(other: ActionRecord) -> None:
    """What helped nothing there says nothing here, nor does an end that says neither."""
    assert trust_in(planned(), room(other, other)) is None


def test_none_that_helped_reads_so() -> None:
    """Where a person is never asked the wait holds it all the same."""
    limits = LIMITS.model_copy(update={"ask_after_ineffective_count": 0})
    failed = (before(minutes, outcome=Outcome.NOT_RECOVERED) for minutes in (20, 10))
    verdict = not_too_soon(planned(), room(*failed, limits=limits))

    assert verdict.detail == "restarted 2 times since 14:40:00Z, none helped; next restart not before 15:05:00Z"


def test_a_wait_of_nothing_never_holds_back() -> None:
    """`back_off_s = 0` is as it was."""
    off = LIMITS.model_copy(update={"back_off_s": 0.0})

    assert not_too_soon(planned(), room(before(3), before(2), before(1), limits=off)).allowed


def test_a_person_s_own_order_is_neither_held_back_nor_asked_for() -> None:
    """Who stands before the service knows more than its ledger."""
    asked = Request(by="ada", reason="the venue says so")
    held = room(before(30), before(10), asked=asked)

    assert not_too_soon(planned(), held).allowed
    assert evaluate(planned(), held).allowed
    assert trust_in(planned().model_copy(update={"finding": None}), held) is None


@pytest.mark.parametrize("action", sorted(TIGHTENERS))
def test_what_tightens_is_never_held_back(action: Action) -> None:
    """Rule 8: however often it was done and helped nothing."""
    failed = [before(n, outcome=Outcome.NOT_RECOVERED, action=action, target="equity XNYS") for n in (3, 2, 1)]
    tightens = planned(action, target=ROUTE)

    assert not_too_soon not in GUARDS[action] or action is Action.DISABLE_FEATURE
    assert trust_in(tightens, room(*failed)) is None
    assert never_helped(tightens, room(*failed)) == ""


@pytest.mark.parametrize(
    ("action", "target", "words"),
    [
        (
            Action.REROUTE_ORDERS,
            ROUTE,
            "re-routed 2 times since 14:30:00Z, each helped for at most 18 min; next re-route",
        ),
        (
            Action.RESTORE_ROUTING,
            Target(),
            "routing restored 2 times since 14:30:00Z, each helped for at most 18 min; next",
        ),
        (
            Action.ROLL_BACK_RELEASE,
            Target(release="1.0.0"),
            "rolled back 2 times since 14:30:00Z, each helped for at most",
        ),
    ],
)
def test_every_other_action_that_is_proven_waits_as_a_restart_does(action: Action, target: Target, words: str) -> None:
    """The guard stands among those of each."""
    done = (before(minutes, action=action, target=target.words) for minutes in (30, 10))
    verdict = not_too_soon(planned(action, target=target), room(*done))

    assert verdict.code is GuardCode.BACK_OFF
    assert verdict.detail.startswith(words)
    assert not_too_soon in GUARDS[action]


def test_a_person_s_re_arm_starts_it_again() -> None:
    """As it does for the budgets, counted from the ledger and from nothing else."""
    records = [one for minutes in (30, 10) for one in recorded(minutes)]
    rearmed = LedgerRecord(
        timestamp=NOW - timedelta(minutes=1),
        type=REARMED_TYPE,
        service="order-service",
        event=Event.ACKNOWLEDGED,
        source="operator",
    )
    held = room(*action_history(records, "order-service", NOW).actions)
    free = room(*action_history([*records, rearmed], "order-service", NOW).actions)

    assert not_too_soon(planned(), held).code is GuardCode.BACK_OFF
    assert not_too_soon(planned(), free).allowed


def recorded(minutes_ago: float) -> tuple[LedgerRecord, ...]:
    """A restart as the ledger has it."""
    at, key = NOW - timedelta(minutes=minutes_ago), f"{INCIDENT}/restart_service/{minutes_ago}"
    started = {
        "action": "restart_service",
        "key": key,
        "target": "",
        "cause": "service_hung",
        "trouble_since": at.isoformat(),
    }
    return tuple(
        LedgerRecord(
            timestamp=at, type="x", service="order-service", incident_id=INCIDENT, event=event, details=details
        )
        for event, details in (
            (Event.ACTION_STARTED, started),
            (Event.ACTION_FINISHED, {"action": "restart_service", "key": key, "outcome": "recovered"}),
        )
    )
