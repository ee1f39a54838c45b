"""Hold a change against safety rule 7: by the orders the service counted, by our own, and by how long they took."""

from statistics import median, quantiles

from tasks.model.changes import Change, ChangeKind
from tasks.model.deploy_regression import OrderCounts, RegressionCase, RegressionCode, RegressionVerdict, RouteCounts
from tasks.model.evidence import Evidence
from tasks.model.orders import AssetClass
from tasks.rules.causes.gateway_signs import signs_of
from tasks.rules.causes.machine import wait_ratio
from tasks.rules.deploy_regression import judge_change
from tasks.rules.order_windows import BEFORE_FOR, counter_windows, probe_windows, regression_case
from tasks.rules.past_looks import past_orders

CROWDED_WAIT_RATIO = 0.3
BEFORE_LEAST_COUNT = 8
NOT_SLOWER = 1.5
DISAGREE = frozenset({RegressionCode.BEGAN_BEFORE, RegressionCode.GATEWAYS_NOT_HEALTHY})


def blamable_changes(evidence: Evidence) -> tuple[Change, ...]:
    """List the changes of release and features that are in force and recent, the newest first."""
    kinds = {ChangeKind.RELEASE, ChangeKind.FEATURE}
    found = [one for one in evidence.context.changes if one.kind in kinds and not one.is_pending]
    recent_s = evidence.limits.regression.recent_s
    now = evidence.latest.looked_at
    return tuple(reversed([one for one in found if 0 <= (now - one.at).total_seconds() <= recent_s]))


def error_verdict(evidence: Evidence, change: Change) -> RegressionVerdict:
    """Say whether a change raised errors: in the service's counters, or among our own test orders.

    Runbook: §2.3 High error rate after a deploy.
    Errors: none; where one of the two says that errors began before, or lie at sick gateways, that one decides.
    """
    verdicts = (counter_verdict(evidence, change), probe_verdict(evidence, change))
    against = next((one for one in verdicts if one.code in DISAGREE), None)
    blaming = next((one for one in verdicts if one.blames_change), None)
    return against or blaming or verdicts[0]


def counter_verdict(evidence: Evidence, change: Change) -> RegressionVerdict:
    """Judge by the orders that the service itself counted."""
    return _judge(evidence, regression_case(evidence, change, counter_windows(evidence, change), _sick(evidence)))


def probe_verdict(evidence: Evidence, change: Change) -> RegressionVerdict:
    """Judge by our own test orders; they tell also where the service counts nothing, because it is down."""
    return _judge(evidence, regression_case(evidence, change, probe_windows(evidence, change), _sick(evidence)))


def latency_verdict(evidence: Evidence, change: Change) -> RegressionVerdict:
    """Say whether orders take much longer in the service itself since a change; their gateways' part is left out.

    Runbook: §2.3 High error rate after a deploy.
    Errors: none; on a crowded machine nobody can say.
    Steps: one run of looks counts once, since its orders share their fate; it is slow above all that was usual before.
    """
    since = change.at - BEFORE_FOR
    past = [
        (one.at, _own_ms([order.own_ms for order in one.orders])) for one in evidence.context.history if one.at > since
    ]
    now = [(one.looked_at, _own_ms([order.own_ms for order in past_orders((one,))])) for one in evidence.observations]
    known = [(at, spent) for at, spent in (*past, *now) if spent is not None]
    before = [spent for at, spent in known if at < change.at]
    after = [spent for at, spent in known if at >= change.at]
    if len(before) < BEFORE_LEAST_COUNT or not after or _is_crowded(evidence):
        return RegressionVerdict(code=RegressionCode.NOT_ENOUGH_DATA, because="too few looks to compare latencies")
    limit_ms = _slow_above_ms(evidence, before)
    slow_at = [at for at, spent in known if at >= change.at and spent > limit_ms]
    route = RouteCounts(
        asset_class=AssetClass.EQUITY,
        gateway=None,
        gateway_healthy=None,
        before=OrderCounts(orders_count=len(before), errors_count=sum(one > limit_ms for one in before)),
        after=OrderCounts(orders_count=len(after), errors_count=len(slow_at)),
    )
    verdict = _judge(
        evidence, RegressionCase(changed_at=change.at, began_at=min(slow_at, default=None), routes=(route,))
    )
    told = f"own_ms before={median(before):.1f} after={median(after):.1f}, slow above {limit_ms:.1f} ms"
    return verdict.model_copy(update={"because": f"{told}; {verdict.because}", "asset_classes": ()})


def failing_classes(evidence: Evidence, change: Change) -> tuple[AssetClass, ...]:
    """Name the asset classes that show raised errors each by itself, by either count."""
    found = {*counter_verdict(evidence, change).asset_classes, *probe_verdict(evidence, change).asset_classes}
    return tuple(name for name in AssetClass if name in found)


def _judge(evidence: Evidence, case: RegressionCase) -> RegressionVerdict:
    return judge_change(case, evidence.limits.regression, evidence.latest.looked_at)


def _sick(evidence: Evidence) -> frozenset[str]:
    return frozenset(signs_of(evidence))


def _own_ms(values: list[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return median(known) if known else None


def _slow_above_ms(evidence: Evidence, before: list[float]) -> float:
    usual, high = median(before), quantiles(before, n=20)[-1]
    limits = evidence.limits
    return max(usual * limits.slow_release_ratio, usual + limits.slow_release_ms, high * NOT_SLOWER)


def _is_crowded(evidence: Evidence) -> bool:
    """Say whether the service waits for a core: then its orders take long whatever its release."""
    waits = wait_ratio(evidence)
    return waits is not None and waits >= CROWDED_WAIT_RATIO
