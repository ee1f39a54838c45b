"""Hold a change against safety rule 7: by the orders the service counted, by our own, and by how long they took."""

from datetime import timedelta
from statistics import median

from tasks.model.diagnosis.changes import Change, ChangeKind
from tasks.model.diagnosis.deploy_regression import (
    OrderCounts,
    RegressionCase,
    RegressionCode,
    RegressionVerdict,
    RouteCounts,
)
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.rules.diagnosis.causes.gateway_signs import signs_of
from tasks.rules.diagnosis.causes.machine import wait_ratio
from tasks.rules.diagnosis.deploy_regression import judge_change
from tasks.rules.diagnosis.order_windows import compared_since, counter_windows, probe_windows, regression_case
from tasks.rules.diagnosis.service_latency import service_latencies

CROWDED_WAIT_RATIO = 0.3
BEFORE_LEAST_COUNT = 8
# The service tells the ledger that it started a little after its process did.
STARTED_BEFORE = timedelta(seconds=60)
DISAGREE = frozenset({RegressionCode.BEGAN_BEFORE, RegressionCode.GATEWAYS_NOT_HEALTHY})


def blamable_changes(evidence: Evidence) -> tuple[Change, ...]:
    """List the recent changes that are in force, the newest first: the last release, and the last of each feature."""
    kinds = {ChangeKind.RELEASE, ChangeKind.FEATURE}
    now, recent_s = evidence.latest.looked_at, evidence.limits.regression.recent_s
    # A later change of the same thing takes the place of an earlier one, which is then no longer there to blame.
    last = {(one.kind, one.key): one for one in evidence.context.changes if one.kind in kinds and not one.is_pending}
    recent = [one for one in last.values() if 0 <= (now - one.at).total_seconds() <= recent_s]
    return tuple(sorted(recent, key=lambda one: one.at, reverse=True))


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
    Steps: a window between two checks counts once, since its orders share their fate; it is slow above what was usual.
    """
    earliest = compared_since(evidence, change)
    known = [one for one in service_latencies(evidence) if one.until > earliest]
    before = [one.own_ms for one in known if one.until < change.at]
    ended_after = [one for one in known if one.until >= change.at]
    later = [one for one in ended_after if (one.since or one.until) >= change.at - STARTED_BEFORE]
    if len(before) < BEFORE_LEAST_COUNT or not later or _is_crowded(evidence):
        return RegressionVerdict(code=RegressionCode.NOT_ENOUGH_DATA, because="too few checks to compare latencies")
    limit_ms = slow_above_ms(evidence, before)
    route = RouteCounts(
        asset_class=AssetClass.EQUITY,
        gateway=None,
        gateway_healthy=None,
        before=OrderCounts(orders_count=len(before), errors_count=sum(one > limit_ms for one in before)),
        after=OrderCounts(orders_count=len(later), errors_count=sum(one.own_ms > limit_ms for one in later)),
    )
    # No window of those after the change can have begun to be slow before it.
    verdict = _judge(evidence, RegressionCase(changed_at=change.at, began_at=change.at, routes=(route,)))
    now_ms = median(one.own_ms for one in later)
    told = f"own_ms before={median(before):.1f} after={now_ms:.1f}, slow above {limit_ms:.1f} ms"
    because = f"{told}; {verdict.because.replace('errors', 'slow windows')}"
    return verdict.model_copy(update={"because": because, "asset_classes": ()})


def failing_classes(evidence: Evidence, change: Change) -> tuple[AssetClass, ...]:
    """Name the asset classes that show raised errors each by itself, by either count."""
    return classes_in(counter_verdict(evidence, change).asset_classes, probe_verdict(evidence, change).asset_classes)


def _judge(evidence: Evidence, case: RegressionCase) -> RegressionVerdict:
    return judge_change(case, evidence.limits.regression, evidence.latest.looked_at)


def _sick(evidence: Evidence) -> frozenset[str]:
    return frozenset(signs_of(evidence))


def slow_above_ms(evidence: Evidence, before: list[float]) -> float:
    """Say above which time in the service itself an order is slow, by what was usual before."""
    usual, limits = median(before), evidence.limits
    return max(usual * limits.slow_release_ratio, usual + limits.slow_release_ms)


def _is_crowded(evidence: Evidence) -> bool:
    """Say whether the service waits for a core: then its orders take long whatever its release."""
    waits = wait_ratio(evidence)
    return waits is not None and waits >= CROWDED_WAIT_RATIO
