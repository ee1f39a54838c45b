"""Earned trust as a plan shows it, and what holds of it for any past."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Cause, Diagnosis, Status
from tasks.model.diagnosis.limits import RemediationLimits, RestartLimits
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import Action, ActionRecord, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import PlannedAction, Target
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.remediation.guards.back_off import never_helped, not_too_soon, trust_in, trust_line
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.planning.plan import make_plan
from tasks.rules.remediation.planning.plan_markdown import plan_markdown, trust_lines
from tasks.rules.remediation.planning.proposal import proposal
from tests.fakes.incident.cases import INCIDENT, finding, planned
from tests.fakes.incident.earned import LIMITS, ROOM, before, room
from tests.fakes.incident.observations import NOW, process

ROUTE = Target(asset_class=AssetClass.EQUITY, gateway="XNYS")


def test_the_plan_says_what_each_action_has_earned_and_what_follows() -> None:
    """Before anybody has to ask why nothing is done."""

    def lines(*done: ActionRecord) -> tuple[str, ...]:
        return trust_lines(make_plan(room(*done), {Cause.SERVICE_HUNG: INCIDENT}))

    assert lines() == ()
    assert [
        one.removeprefix("Earned trust: restart service for service hung: done ")
        for one in (
            *lines(before(30), before(10)),
            *lines(before(60, outcome=Outcome.NOT_RECOVERED)),
            *lines(before(400), before(30, outcome=Outcome.NOT_RECOVERED)),
        )
    ] == [
        "2 times, helped 2 times (18 min, 9 min); next not before 15:05:00Z.",
        "once, never helped; a person must approve the next one.",
        "2 times, helped once (6.1 h); it may be done again.",
    ]


def test_the_plan_of_a_run_and_the_form_that_asks_show_it() -> None:
    """Whoever reads the artifact, or is asked, reads what the action did the last time."""
    made = make_plan(room(before(60, outcome=Outcome.NOT_RECOVERED)), {Cause.SERVICE_HUNG: INCIDENT})
    case = RemediationCase(
        request=TriageRequest(service="order-service"),
        diagnosis=Diagnosis(status=Status.CRITICAL, findings=(finding(),)),
        plan=made,
        process=process(),
    )
    earned = "Earned trust: restart service for service hung: done once, never helped; a person must approve the next"

    assert made.asks
    assert earned in plan_markdown(case)
    assert earned in proposal(case, NOW)


def test_a_line_names_the_target() -> None:
    """Two routes are two stories."""
    done = before(60, action=Action.REROUTE_ORDERS, target=ROUTE.words)
    trust = trust_in(planned(Action.REROUTE_ORDERS, target=ROUTE), room(done))

    assert trust
    assert trust_line(trust, NOW).startswith("reroute orders equity XNYS for service hung: done once, helped once (")


def test_a_line_counts_what_helped_for_a_moment_and_ends_its_wait_at_the_moment_that_it_names() -> None:
    """What was proven has helped, however soon the cause was back."""
    trust = trust_in(planned(), room(before(30), before(1)))

    assert trust
    assert trust.not_before
    assert trust_line(trust, trust.not_before - timedelta(seconds=1)).endswith(
        "done 2 times, helped 2 times (27 min, 1 s); next not before 15:14:00Z"
    )
    assert trust_line(trust, trust.not_before).endswith("; it may be done again")


def test_a_first_wait_beyond_the_longest_is_the_longest() -> None:
    """Bounded from the second time on."""
    limits = RemediationLimits(back_off_s=7200, back_off_longest_s=1800)
    trust = trust_in(planned(), room(before(20), before(10), limits=limits))

    assert trust
    assert trust.not_before == NOW + timedelta(minutes=20)


ENDS = st.sampled_from([Outcome.RECOVERED, Outcome.NOT_RECOVERED])
PAST = st.lists(st.tuples(st.integers(1, 600), ENDS), max_size=6, unique_by=lambda one: one[0])


def earliest(times: list[tuple[int, Outcome]], change: PlannedAction) -> tuple[bool, bool, float]:
    """Say how boldly it would act: by itself or not, now or not, and the minute from which on it may."""
    done = [before(minutes, outcome=outcome) for minutes, outcome in sorted(times, key=lambda one: -one[0])]
    given_inputs = room(*done)
    trust = trust_in(change, given_inputs)
    at = trust.not_before if trust and trust.not_before else NOW - timedelta(days=9)
    return bool(never_helped(change, given_inputs)), not not_too_soon(change, given_inputs).allowed, at.timestamp()


@given(PAST, st.integers(1, 600))
def test_one_more_failure_never_makes_it_act_sooner(times: list[tuple[int, Outcome]], minutes_ago: int) -> None:
    """Whenever it was: the wait is not shorter, and who had to be asked has to be asked."""
    if minutes_ago in {minutes for minutes, _ in times}:
        return
    asks, holds, at = earliest(times, planned())
    asks_after, holds_after, at_after = earliest([*times, (minutes_ago, Outcome.NOT_RECOVERED)], planned())

    assert asks_after >= asks
    assert holds_after >= holds
    assert at_after >= at


@given(PAST)
def test_no_wait_is_longer_than_the_longest(times: list[tuple[int, Outcome]]) -> None:
    """Bounded: an hour after the last time it may act, however often it was done."""
    trust = trust_in(planned(), room(*(before(minutes, outcome=end) for minutes, end in sorted(times, reverse=True))))
    last = min((minutes for minutes, _ in times), default=0)

    if trust and trust.not_before:
        assert trust.not_before <= NOW - timedelta(minutes=last) + timedelta(seconds=LIMITS.back_off_longest_s)
        assert trust.short_count >= 2


@given(PAST)
def test_it_never_loosens(times: list[tuple[int, Outcome]]) -> None:
    """What was forbidden without it is forbidden with it."""
    done = [before(minutes, outcome=end) for minutes, end in sorted(times, reverse=True)]
    without = [one.model_copy(update={"cause": ""}) for one in done]
    budget = ROOM.model_copy(update={"restart": RestartLimits()})
    found = finding()

    if evaluate(planned(found=found), room(*done, capabilities=budget)).allowed:
        assert evaluate(planned(found=found), room(*without, capabilities=budget)).allowed
