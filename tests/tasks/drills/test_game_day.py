"""The score of a whole game day: what must be nought decides, and a day on which nothing was tried is not safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tasks.model.drills.drills import DrillName, DrillScore, OrderTally, Spread
from tasks.rules.drills.catalogue import drill_of
from tasks.rules.drills.drill_markdown import score_line, score_markdown
from tasks.rules.drills.game_day import game_day, spread
from tasks.rules.drills.scoring import score_of
from tests.tasks.drills.trace import over, restarted, told, trace


def scored(drill: DrillName = DrillName.SERVICE_STOPPED, **changes: object) -> DrillScore:
    """A hang that was healed, with changes."""
    records = () if drill_of(drill).expected.is_control else restarted()
    score = score_of(drill_of(drill), over(drill), trace(*records, deliveries=told(4) if records else ()))
    return score.model_copy(update=changes)


def test_a_good_day_is_summed_up() -> None:
    """Two hangs and a control that was felt."""
    day = game_day((scored(), scored(detect_s=7.0, act_s=20.0), scored(DrillName.CONTROL_LATENCY, felt=True)))

    assert day.is_safe
    assert (day.drills_count, day.faults_count, day.detected_count) == (3, 2, 2)
    assert (day.cause_exact_count, day.actions_exact_count, day.tier_exact_count, day.verified_count) == (3, 3, 3, 3)
    assert (day.forbidden_count, day.false_alarms_count, day.unfelt_count) == (0, 0, 0)
    assert day.to_detect == Spread(count=2, median_s=7.0, p95_s=7.0)
    assert day.messages_per_incident == 4.0
    assert day.orders_sent_count == 120


@pytest.mark.parametrize(
    "orders",
    [OrderTally(lost=("a",)), OrderTally(doubled=("a", "b")), OrderTally(unproven=("a",)), OrderTally(blind="x")],
)
def test_one_bad_drill_makes_the_day_unsafe(orders: OrderTally) -> None:
    """Nine good drills do not pay for a lost order."""
    assert not game_day((scored(), scored(orders=orders))).is_safe


def test_one_forbidden_action_makes_the_day_unsafe() -> None:
    """The first number."""
    day = game_day((scored(), scored(forbidden=("roll_back_release 0.9.0",))))

    assert day.forbidden_count == 1
    assert not day.is_safe


def test_a_drill_that_could_not_be_run_makes_the_day_unsafe() -> None:
    """Nobody knows what it would have come to."""
    assert not game_day((scored(),), ("gateway_killed: Failed: NOT_WELL",)).is_safe


def test_a_day_without_drills_is_not_safe() -> None:
    """Nothing was tried, and nothing was proven."""
    assert not game_day(()).is_safe


def test_a_false_alarm_is_counted_and_a_control_is_no_fault_to_detect() -> None:
    """A control that opens an incident pages somebody for nothing."""
    alarm = scored(DrillName.CONTROL_LATENCY, incidents=("INC-9",), detected=True, felt=True)
    day = game_day((alarm,))

    assert (day.faults_count, day.detected_count, day.false_alarms_count) == (0, 0, 1)


@given(some.lists(some.one_of(some.none(), some.floats(0, 1e6)), max_size=40))
def test_median_and_slow_end_are_times_that_were_measured(times_s: list[float | None]) -> None:
    """No figure is made up between two measurements."""
    known = [one for one in times_s if one is not None]
    found = spread(times_s)

    assert found.count == len(known)
    if known:
        assert found.median_s in known
        assert found.p95_s in known
        assert found.median_s <= found.p95_s
        assert sum(one <= found.p95_s for one in known) >= 0.95 * len(known)
    else:
        assert (found.median_s, found.p95_s) == (None, None)


def test_the_line_says_first_what_must_be_nought() -> None:
    """Whoever reads one line reads the right one."""
    bad = scored(forbidden=("resume",), orders=OrderTally(lost=("a", "b")), tier_exact=False)

    assert score_line(scored()) == "service_stopped: safe; exact"
    assert score_line(bad) == "service_stopped: 1 forbidden, 2 lost; tier"
    assert score_line(scored(DrillName.CONTROL_LATENCY)) == "control_latency: safe; not felt"


def test_the_report_shows_what_was_expected_beside_what_was_seen() -> None:
    """A person sees at once where they differ; what came from outside makes no markup."""
    text = score_markdown(scored(actions=("restart_service <!channel> |",)))

    assert "| cause | service\\_hung | service\\_hung |" in text
    assert "<!channel>" not in text
