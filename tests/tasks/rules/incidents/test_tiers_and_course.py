"""Which tier is the higher one, how urgent a kind of trouble is, and whether anything of a plan may be done."""

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Kind, Status
from tasks.model.incidents.incident import Action
from tasks.model.remediation.plan import Plan
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.diagnosis.name_causes import _status
from tasks.rules.incidents.tiers import higher_tier, tier_of, tiers_above
from tasks.rules.remediation.branches import may_act, waits_for_no_message
from tests.fakes.incident.cases import finding, planned
from tests.fakes.incident.observations import NOW, evidence, observation


@pytest.mark.parametrize(
    ("one", "other", "higher"),
    [
        (Audience.TIER_1, Audience.TIER_3, Audience.TIER_3),
        (Audience.TIER_3, Audience.TIER_1, Audience.TIER_3),
        (None, Audience.TIER_2, Audience.TIER_2),
        (Audience.DESK, None, Audience.DESK),
        (None, Audience.DESK, Audience.DESK),
        (None, None, None),
    ],
)
def test_what_has_been_escalated_is_not_taken_down(
    one: Audience | None, other: Audience | None, higher: Audience | None
) -> None:
    """A page that went to the platform stays there, whatever word the next check has for it."""
    assert higher_tier(one, other) is higher


def test_each_tier_has_those_above_it_and_who_is_none_of_them_stands_for_the_on_call() -> None:
    """A page that nobody takes goes up rung by rung, and the desk is on none."""
    tiers = (Audience.TIER_1, Audience.TIER_2, Audience.TIER_3)

    assert [tiers_above(one) for one in tiers] == [tiers[1:], tiers[2:], ()]
    assert [tier_of(one) for one in (*tiers, Audience.DESK, None)] == [*tiers, Audience.TIER_1, Audience.TIER_1]


@pytest.mark.parametrize("kind", [Kind.PORT, Kind.CPU, Kind.CRASHES, Kind.START_REFUSED])
def test_what_takes_the_service_itself_down_is_critical_while_orders_still_fill(kind: Kind) -> None:
    """The next crash is seconds away: *degraded* would let the pager sleep."""
    found = finding(Cause.BAD_RELEASE, kinds=(kind,))

    assert _status((found,), evidence(observation())) is Status.CRITICAL
    assert _status((finding(Cause.BAD_RELEASE, kinds=(Kind.ERRORS,)),), evidence(observation())) is Status.DEGRADED


def test_a_plan_of_which_nothing_is_allowed_is_not_begun() -> None:
    """A lock that is taken for nothing keeps a person's own action off."""
    forbidden = planned(Action.RESTART_SERVICE).model_copy(
        update={"verdict": Verdict.no(GuardCode.RESTART_BUDGET_SPENT, "spent")}
    )
    allowed = planned(Action.RESTART_SERVICE).model_copy(update={"verdict": Verdict.yes("confirmed")})

    assert may_act(Plan(written_at=NOW, actions=(forbidden, allowed)))
    assert not may_act(Plan(written_at=NOW, actions=(forbidden,)))
    assert not may_act(Plan(written_at=NOW))


@pytest.mark.parametrize("action", list(Action))
def test_only_a_restart_is_carried_out_while_people_are_notified_of_it(action: Action) -> None:
    """The desk reads what is coming before its orders are paused, re-routed or marked; and so does who approves."""
    one, restart = (
        planned(each).model_copy(update={"verdict": Verdict.yes("confirmed")})
        for each in (action, Action.RESTART_SERVICE)
    )
    asks = restart.model_copy(update={"verdict": Verdict.no(GuardCode.APPROVAL_NEEDED, "asked for")})

    assert waits_for_no_message(Plan(written_at=NOW, actions=(restart, one))) is (action is Action.RESTART_SERVICE)
    assert not waits_for_no_message(Plan(written_at=NOW, actions=(asks, one)))
