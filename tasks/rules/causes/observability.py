"""The instruments themselves: a broken gauge is never a reason to act on trading (§1.2)."""

from tasks.model.diagnosis import Audience, Cause, Finding, Kind
from tasks.model.evidence import Evidence
from tasks.model.looks import Seen
from tasks.rules.causes.facts import confidence, in_all, orders_fill


def observability_fault(evidence: Evidence) -> Finding | None:
    """Find an instrument that lies: health fails while every order fills, or metrics that cannot be read.

    Runbook: §1.2 Quick health checks.
    """
    parts = [part for part in (_health_lies(evidence), _metrics_unreadable(evidence)) if part]
    if not parts:
        return None
    return Finding(
        cause=Cause.OBSERVABILITY_FAULT,
        confidence=confidence(evidence),
        because=tuple(because for _, because in parts),
        section="§1.2",
        tier=Audience.TIER_2,
        ruled_out=_orders_ruled_out(evidence),
        kinds=tuple(kind for kind, _ in parts),
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


def _orders_ruled_out(evidence: Evidence) -> tuple[str, ...]:
    return ("service down or hung: every synthetic order was delivered",) if orders_fill(evidence) else ()
