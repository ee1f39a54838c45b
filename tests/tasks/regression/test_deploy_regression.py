"""Safety rule 7: what blames a change, and everything that must not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis.deploy_regression import (
    OrderCounts,
    RegressionCase,
    RegressionCode,
    RegressionLimits,
    RegressionVerdict,
    RouteCounts,
)
from tasks.model.probes.orders import AssetClass
from tasks.rules.diagnosis.deploy_regression import _weigh, judge_change

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
LIMITS = RegressionLimits()
Code = RegressionCode
Pair = tuple[int, int]


def ago(minutes: float) -> datetime:
    """Name a time some minutes back."""
    return NOW - timedelta(minutes=minutes)


def route(
    before: Pair,
    after: Pair,
    gateway: str | None = "XNAS",
    asset_class: AssetClass = AssetClass.EQUITY,
    *,
    healthy: bool | None = True,
    gateway_errors_count: int = 0,
) -> RouteCounts:
    """Count errors of orders on both sides of the change."""
    return RouteCounts(
        asset_class=asset_class,
        gateway=gateway,
        gateway_healthy=healthy,
        before=OrderCounts(errors_count=before[0], orders_count=before[1]),
        after=OrderCounts(errors_count=after[0], orders_count=after[1], gateway_errors_count=gateway_errors_count),
    )


def judged(*routes: RouteCounts, changed: float | None = 10, began: float | None = 9) -> RegressionVerdict:
    """Judge a change of some minutes ago."""
    case = RegressionCase(
        changed_at=None if changed is None else ago(changed),
        began_at=None if began is None else ago(began),
        routes=routes,
    )
    return judge_change(case, LIMITS, NOW)


COUNTS = [
    # A bad release: 30 % of the orders fail.
    ((1, 400), (30, 100), Code.REGRESSION),
    ((0, 400), (30, 100), Code.REGRESSION),
    ((10_000, 1_000_000), (20_000, 1_000_000), Code.REGRESSION),
    # Three orders that all fail can be beyond chance after seventeen that did not, and cannot after sixteen.
    ((0, 17), (3, 3), Code.REGRESSION),
    ((0, 16), (3, 3), Code.NOT_ENOUGH_DATA),
    # Fewer than three errors, or orders too few for anything to be certain.
    ((0, 100_000), (2, 10), Code.NOT_ENOUGH_DATA),
    ((0, 5), (5, 5), Code.NOT_ENOUGH_DATA),
    ((0, 0), (50, 50), Code.NOT_ENOUGH_DATA),
    ((0, 50), (0, 0), Code.NOT_ENOUGH_DATA),
    ((0, 1), (0, 1), Code.NOT_ENOUGH_DATA),
    # Certain, but not twice as many; unchanged; better; none.
    ((10_000, 1_000_000), (19_000, 1_000_000), Code.NO_INCREASE),
    ((20, 1000), (20, 1000), Code.NO_INCREASE),
    ((50, 50), (10, 50), Code.NO_INCREASE),
    ((5, 1000), (0, 1000), Code.NO_INCREASE),
    # Three times as many, yet chance explains it.
    ((1, 1000), (3, 1000), Code.NOT_SIGNIFICANT),
    ((0, 30), (3, 30), Code.NOT_SIGNIFICANT),
]


@pytest.mark.parametrize(("before", "after", "code"), COUNTS)
def test_the_counts_decide(before: Pair, after: Pair, code: RegressionCode) -> None:
    """Only an increase that is large and beyond chance may roll a release back."""
    verdict = judged(route(before, after))

    assert verdict.code is code, verdict.because
    assert verdict.blames_change is (code is Code.REGRESSION)


def test_the_verdict_carries_its_numbers() -> None:
    """The developer who is notified must be able to check the decision."""
    verdict = judged(route((2, 400), (30, 100)))

    assert (verdict.before.errors_count, verdict.after.judged_count) == (2, 100)
    assert verdict.ratio == pytest.approx(60)
    assert verdict.p_value is not None
    assert verdict.p_value < 1e-15
    assert verdict.because


BAD = route((0, 400), (30, 100))
TIMES = [
    (None, 9.0, Code.NO_CHANGE),
    (61.0, 9.0, Code.CHANGE_NOT_RECENT),
    (-1.0, 0.0, Code.CHANGE_NOT_RECENT),
    (-0.5 / 60, 0.0, Code.CHANGE_NOT_RECENT),
    (0.0, 0.0, Code.REGRESSION),
    (10.0, 10.01, Code.BEGAN_BEFORE),
    (10.0, 10.0, Code.REGRESSION),
    (60.0, 9.0, Code.REGRESSION),
    (10.0, None, Code.NOT_ENOUGH_DATA),
]


@pytest.mark.parametrize(("changed", "began", "code"), TIMES)
def test_a_change_is_blamed_only_for_what_came_after_it(
    changed: float | None, began: float | None, code: RegressionCode
) -> None:
    """Errors that were there before are not healed by a rollback; an unknown beginning proves nothing."""
    assert judged(BAD, changed=changed, began=began).code is code


def test_errors_at_one_route_that_nobody_can_date_blame_no_change() -> None:
    """That the other route is clean does not say when they began."""
    assert judged(BAD, route((0, 400), (0, 100), "XNYS"), began=None).code is Code.NOT_ENOUGH_DATA


@pytest.mark.parametrize("healthy", [False, None])
def test_a_sick_gateway_never_rolls_the_service_back(healthy: bool | None) -> None:
    """Its orders do not count, and a probe that could not check is no proof of health."""
    verdict = judged(route((0, 400), (60, 100), "XNYS", healthy=healthy), route((0, 400), (0, 100)))

    assert verdict.code is Code.GATEWAYS_NOT_HEALTHY
    assert verdict.excluded_gateways == ("XNYS",)


SICK = route((0, 400), (60, 100), "XNYS", healthy=False)


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ((0, 400), (0, 100), Code.GATEWAYS_NOT_HEALTHY),
        ((0, 400), (0, 0), Code.GATEWAYS_NOT_HEALTHY),
        ((0, 400), (2, 10), Code.GATEWAYS_NOT_HEALTHY),
        ((1, 1000), (3, 100), Code.NOT_SIGNIFICANT),
    ],
    ids=["none fails", "no order", "too few errors", "enough to judge"],
)
def test_a_sick_gateway_is_the_answer_only_where_the_healthy_ones_show_nothing(
    before: Pair, after: Pair, code: Code
) -> None:
    """Who reads "gateways not healthy" calls the venue; errors elsewhere are judged for themselves."""
    assert judged(SICK, route(before, after)).code is code


def test_one_of_two_sick_gateways_is_enough_and_so_are_its_own_rejects() -> None:
    """Which of them orders failed at is named in the counts; both are named as sick."""
    quiet = route((0, 400), (0, 100), "ARCX", healthy=False)
    rejecting = route((0, 400), (0, 100), "XNYS", healthy=False, gateway_errors_count=60)
    verdict = judged(quiet, rejecting, route((0, 400), (0, 100)))

    assert verdict.code is Code.GATEWAYS_NOT_HEALTHY
    assert verdict.excluded_gateways == ("ARCX", "XNYS")


def test_a_sick_gateway_at_which_no_order_failed_is_not_the_answer() -> None:
    """It is left out of the count, and explains nothing."""
    unused = SICK.model_copy(update={"after": OrderCounts(orders_count=0, errors_count=0)})

    assert judged(unused, route((0, 5), (5, 5))).code is Code.NOT_ENOUGH_DATA


def test_errors_at_a_healthy_gateway_do_not_count_against_the_release() -> None:
    """Rejects of the venue say nothing of the code that sent the orders."""
    verdict = judged(route((0, 400), (0, 100), gateway_errors_count=60))

    assert verdict.code is Code.NO_INCREASE
    assert verdict.after.judged_count == 40


def test_a_bad_release_is_found_beside_a_sick_gateway() -> None:
    """The sick gateway is named, so that whoever acts can wait for it."""
    verdict = judged(BAD, route((0, 400), (60, 100), "XNYS", healthy=False))

    assert verdict.code is Code.REGRESSION
    assert verdict.excluded_gateways == ("XNYS",)


def test_errors_before_routing_count_without_a_gateway() -> None:
    """A release that fails every order before it reaches a gateway has no gateway to excuse it."""
    assert judged(route((0, 400), (30, 100), None, healthy=None)).code is Code.REGRESSION


def test_orders_moving_to_a_worse_route_are_no_regression() -> None:
    """Each route keeps its own rate; only the mix changed, as it does when a market opens."""
    verdict = judged(route((1, 10_000), (0, 1_000)), route((10, 100), (300, 3_000), "CRYP", AssetClass.CRYPTO))

    assert verdict.code is Code.NO_INCREASE
    assert verdict.p_value is not None
    assert verdict.p_value < 0.001
    assert verdict.matched_ratio == pytest.approx(1.0, rel=0.01)


def test_one_asset_class_alone_points_to_a_feature() -> None:
    """Disabling the feature is the smaller step than a rollback."""
    verdict = judged(BAD, route((0, 400), (0, 400), "CRYP", AssetClass.CRYPTO))

    assert verdict.asset_classes == (AssetClass.EQUITY,)


def test_more_errors_than_orders_cannot_be_told() -> None:
    """Counts that cannot be are refused where they are made."""
    with pytest.raises(ValueError, match="errors_count"):
        OrderCounts(orders_count=1, errors_count=1, gateway_errors_count=1)


@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4), st.sampled_from([True, False, None]))
def test_any_counts_end_in_a_verdict(numbers: list[int], healthy: bool | None) -> None:
    """No counts raise, and no blame goes without its three conditions."""
    before, after = sorted(numbers[:2]), sorted(numbers[2:])
    verdict = judged(route((before[0], before[1]), (after[0], after[1]), healthy=healthy))

    if verdict.blames_change:
        assert verdict.p_value is not None
        assert verdict.p_value <= LIMITS.alpha
        assert verdict.after.errors_count >= LIMITS.least_errors_count
        assert verdict.ratio is None or verdict.ratio >= LIMITS.least_ratio


def test_chance_of_exactly_alpha_is_still_beyond_chance() -> None:
    """The limit of the page is *at most one in a thousand*, and a limit holds on both sides."""
    measured = judged(BAD)
    assert measured.p_value is not None
    at, below = (LIMITS.model_copy(update={"alpha": alpha}) for alpha in (measured.p_value, measured.p_value * 0.99))

    assert _weigh(measured, at)[0] is RegressionCode.REGRESSION
    assert _weigh(measured, below)[0] is RegressionCode.NOT_SIGNIFICANT
