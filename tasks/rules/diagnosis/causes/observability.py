"""The instruments themselves: a broken gauge is never a reason to act on trading (§1.2)."""

from tasks.model.diagnosis.diagnosis import Audience, Cause, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.probes import Seen
from tasks.rules.diagnosis.causes.evidence_queries import confidence, in_all, orders_fill
from tasks.rules.probes.synthetic_result import orders_left


def observability_fault(evidence: Evidence) -> Finding | None:
    """Find an instrument that lies, cannot be read, or left something: a test order of ours at a venue is on-call's.

    Runbook: §1.2 Quick health checks, §1.3 Verify order delivery.
    """
    parts = [part for part in (_health_lies(evidence), _metrics_unreadable(evidence), _orders_left(evidence)) if part]
    if not parts:
        return None
    kinds = tuple(kind for kind, _ in parts)
    left = Kind.TEST_ORDERS in kinds
    return Finding(
        cause=Cause.OBSERVABILITY_FAULT,
        confidence=confidence(evidence),
        because=tuple(because for _, because in parts),
        section="§1.3" if left else "§1.2",
        tier=Audience.TIER_1 if left else Audience.TIER_2,
        ruled_out=_orders_ruled_out(evidence),
        kinds=kinds,
    )


def _health_lies(evidence: Evidence) -> tuple[Kind, str] | None:
    failed = in_all(evidence, lambda one: one.health.seen is Seen.FAILED and one.health.status != "degraded")
    if failed and orders_fill(evidence):
        return Kind.HEALTH, f"health fails while orders fill: {evidence.latest.health.detail}"
    return None


def _metrics_unreadable(evidence: Evidence) -> tuple[Kind, str] | None:
    failed = in_all(evidence, lambda one: one.metrics.seen is Seen.FAILED)
    answers = evidence.latest.health.seen is Seen.PASSED or orders_fill(evidence)
    return (Kind.METRICS, f"metrics unreadable: {evidence.latest.metrics.detail}") if failed and answers else None


def _orders_left(evidence: Evidence) -> tuple[Kind, str] | None:
    left = orders_left(evidence.observations)
    return (Kind.TEST_ORDERS, "; ".join(left)) if left else None


def _orders_ruled_out(evidence: Evidence) -> tuple[str, ...]:
    return ("service down or hung: every synthetic order was delivered",) if orders_fill(evidence) else ()
