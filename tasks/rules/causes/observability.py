"""The instruments themselves: a broken gauge is never a reason to act on trading (§1.2)."""

from tasks.model.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.evidence import Evidence
from tasks.model.looks import Seen


def observability_fault(evidence: Evidence) -> Finding | None:
    """Find an instrument that lies: health fails while every order fills, or metrics that cannot be read.

    Runbook: §1.2 Quick health checks.
    """
    because = (*_health_lies(evidence), *_metrics_unreadable(evidence))
    if not because:
        return None
    return Finding(
        cause=Cause.OBSERVABILITY_FAULT,
        confidence=Confidence.CONFIRMED if len(evidence.observations) >= 3 else Confidence.LIKELY,
        because=because,
        section="§1.2",
        tier=Audience.TIER_2,
        ruled_out=_orders_ruled_out(evidence),
    )


def _health_lies(evidence: Evidence) -> tuple[str, ...]:
    failed = all(one.health.seen is Seen.FAILED and one.health.status != "degraded" for one in evidence.observations)
    if failed and _orders_fill(evidence):
        return (f"health fails while orders fill: {evidence.latest.health.detail}",)
    return ()


def _metrics_unreadable(evidence: Evidence) -> tuple[str, ...]:
    failed = all(one.metrics.seen is Seen.FAILED for one in evidence.observations)
    answers = evidence.latest.health.seen is Seen.PASSED or _orders_fill(evidence)
    return (f"metrics unreadable: {evidence.latest.metrics.detail}",) if failed and answers else ()


def _orders_fill(evidence: Evidence) -> bool:
    orders = evidence.latest.orders
    return bool(orders) and all(order.outcome.delivered for one in evidence.observations for order in one.orders)


def _orders_ruled_out(evidence: Evidence) -> tuple[str, ...]:
    return ("service down or hung: every synthetic order was delivered",) if _orders_fill(evidence) else ()
