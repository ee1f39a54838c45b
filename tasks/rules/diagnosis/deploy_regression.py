"""Safety rule 7: whether a release or feature change is to blame for raised errors."""

from datetime import datetime

from tasks.model.diagnosis.deploy_regression import (
    OrderCounts,
    RegressionCase,
    RegressionCode,
    RegressionLimits,
    RegressionVerdict,
    RouteCounts,
)
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.rules.diagnosis.fisher import fisher_greater


def judge_change(case: RegressionCase, limits: RegressionLimits, now: datetime) -> RegressionVerdict:
    """Say whether the change is to blame, with the numbers that decided.

    Runbook: §2.3 High error rate after a deploy.
    Errors: none; every way of not knowing is a verdict of its own, and none of them blames the change.
    Steps: 1. is the change recent? 2. did the errors begin after it? 3. leave out gateways that are not healthy.
    4. are there enough orders to tell? 5. is the increase large, certain, and not a shift between routes?
    """
    return _judge_times(case, limits, now) or _judge_routes(case.routes, limits)


def _judge_times(case: RegressionCase, limits: RegressionLimits, now: datetime) -> RegressionVerdict | None:
    if case.changed_at is None:
        return _verdict(RegressionCode.NO_CHANGE, "no release or feature change is known")
    age_s = (now - case.changed_at).total_seconds()
    if not 0 <= age_s <= limits.recent_s:
        return _verdict(
            RegressionCode.CHANGE_NOT_RECENT,
            f"expected a change in the last {limits.recent_s:.0f} s, was changed_age_s={age_s:.0f}",
        )
    if case.began_at is not None and case.began_at < case.changed_at:
        early_s = (case.changed_at - case.began_at).total_seconds()
        return _verdict(RegressionCode.BEGAN_BEFORE, f"the errors began {early_s:.0f} s before the change")
    if case.began_at is None and any(route.after.errors_count for route in case.routes):
        return _verdict(RegressionCode.NOT_ENOUGH_DATA, "nobody can say when the errors began")
    return None


def _judge_routes(routes: tuple[RouteCounts, ...], limits: RegressionLimits) -> RegressionVerdict:
    kept = tuple(route for route in routes if route.counts)
    whole = _judge_counts(kept, limits)
    excluded = tuple(sorted({route.gateway for route in routes if route.gateway and not route.counts}))
    raised = any(route.after.errors_count + route.after.gateway_errors_count for route in routes if not route.counts)
    # The same routes with the sick gateways in: only when these would have decided are they the answer.
    if excluded and raised and whole.code in {RegressionCode.NO_INCREASE, RegressionCode.NOT_ENOUGH_DATA}:
        because = f"errors are at gateways not proven healthy: {', '.join(excluded)}; the rest: {whole.because}"
        whole = whole.model_copy(update={"code": RegressionCode.GATEWAYS_NOT_HEALTHY, "because": because})
    classes = _classes(kept, limits) if whole.blames_change else ()
    return whole.model_copy(update={"excluded_gateways": excluded, "asset_classes": classes})


def _classes(routes: tuple[RouteCounts, ...], limits: RegressionLimits) -> tuple[AssetClass, ...]:
    """Name the asset classes that show the increase each by itself: one alone points to a feature, not the release."""
    names = classes_in(route.asset_class for route in routes)
    by_class = ((each, tuple(route for route in routes if route.asset_class == each)) for each in names)
    return tuple(each for each, its_routes in by_class if _judge_counts(its_routes, limits).blames_change)


def _judge_counts(routes: tuple[RouteCounts, ...], limits: RegressionLimits) -> RegressionVerdict:
    before, after = _sum([route.before for route in routes]), _sum([route.after for route in routes])
    measured = RegressionVerdict(
        code=RegressionCode.NO_INCREASE,
        because="",
        before=before,
        after=after,
        p_value=_p_value(before, after),
        ratio=_ratio(before, after),
        matched_ratio=_matched_ratio(routes, before),
    )
    code, why = _weigh(measured, limits)
    return measured.model_copy(update={"code": code, "because": f"{why}: {_numbers(measured)}"})


def _numbers(measured: RegressionVerdict) -> str:
    before, after = measured.before, measured.after
    return (
        f"errors_before={before.errors_count}/{before.judged_count}, "
        f"errors_after={after.errors_count}/{after.judged_count}, p={_text(measured.p_value)}, "
        f"ratio={_text(measured.ratio)}, matched_ratio={_text(measured.matched_ratio)}"
    )


def _weigh(measured: RegressionVerdict, limits: RegressionLimits) -> tuple[RegressionCode, str]:
    before, after = measured.before, measured.after
    if measured.p_value is None or not _could_tell(before, after, limits):
        return RegressionCode.NOT_ENOUGH_DATA, "too few orders: not even all failed would have been beyond chance"
    if after.errors_count == 0:
        return RegressionCode.NO_INCREASE, "no order has failed since the change"
    if after.errors_count < limits.least_errors_count:
        return RegressionCode.NOT_ENOUGH_DATA, f"fewer than {limits.least_errors_count} errors since the change"
    if any(ratio is not None and ratio < limits.least_ratio for ratio in (measured.ratio, measured.matched_ratio)):
        return RegressionCode.NO_INCREASE, f"the error rate did not rise {limits.least_ratio:g}-fold on the same routes"
    if measured.p_value > limits.alpha:
        return RegressionCode.NOT_SIGNIFICANT, f"chance explains it at alpha={limits.alpha:g}"
    return RegressionCode.REGRESSION, "errors rose after the change beyond chance"


def _could_tell(before: OrderCounts, after: OrderCounts, limits: RegressionLimits) -> bool:
    """Say whether so many orders can show anything: none failed before and all after would be beyond chance."""
    return fisher_greater(after.judged_count, after.judged_count, 0, before.judged_count) <= limits.alpha


def _p_value(before: OrderCounts, after: OrderCounts) -> float | None:
    if not before.judged_count or not after.judged_count:
        return None
    return fisher_greater(after.errors_count, after.judged_count, before.errors_count, before.judged_count)


def _ratio(before: OrderCounts, after: OrderCounts) -> float | None:
    if not before.errors_count or not after.judged_count:
        return None
    return (after.errors_count / after.judged_count) / (before.errors_count / before.judged_count)


def _matched_ratio(routes: tuple[RouteCounts, ...], before: OrderCounts) -> float | None:
    if not before.errors_count:
        return None
    overall = before.errors_count / before.judged_count
    expected = sum(route.after.judged_count * _rate(route.before, overall) for route in routes)
    return sum(route.after.errors_count for route in routes) / expected if expected else None


def _rate(counts: OrderCounts, otherwise: float) -> float:
    return counts.errors_count / counts.judged_count if counts.judged_count else otherwise


def _sum(counts: list[OrderCounts]) -> OrderCounts:
    return OrderCounts(
        orders_count=sum(each.orders_count for each in counts),
        errors_count=sum(each.errors_count for each in counts),
        gateway_errors_count=sum(each.gateway_errors_count for each in counts),
    )


def _text(number: float | None) -> str:
    return "none" if number is None else f"{number:.3g}"


def _verdict(code: RegressionCode, because: str) -> RegressionVerdict:
    return RegressionVerdict(code=code, because=because)
