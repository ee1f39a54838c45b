"""What is left: our own blindness, and symptoms that no rule explains. Neither is ever acted on."""

from tasks.model.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.evidence import Evidence
from tasks.model.looks import Observation, OrderOutcome, Seen


def monitor_blind(evidence: Evidence) -> Finding | None:
    """Find our own blindness: the look that decides could not look (safety rule 2)."""
    health = evidence.latest.health
    if health.seen is not Seen.BLIND:
        return None
    return _finding(Cause.MONITOR_BLIND, (f"health: {health.detail}",), Audience.TIER_3)


def unknown(evidence: Evidence) -> Finding | None:
    """Say plainly that something is wrong and no rule names it; a person looks."""
    lines = symptoms(evidence.latest)
    return _finding(Cause.UNKNOWN, lines, Audience.TIER_2) if lines else None


def symptoms(observation: Observation) -> tuple[str, ...]:
    """List what is visibly wrong in one round of looks."""
    health = (f"health: {observation.health.detail}",) if observation.health.seen is Seen.FAILED else ()
    metrics = (f"metrics: {observation.metrics.detail}",) if observation.metrics.seen is Seen.FAILED else ()
    orders = tuple(
        f"order {order.asset_class}: {order.outcome}, {order.detail}"
        for order in observation.orders
        if not order.outcome.delivered and order.outcome is not OrderOutcome.BLIND
    )
    gateways = tuple(
        f"gateway {probe.gateway}: {probe.detail}" for probe in observation.gateways if probe.seen is Seen.FAILED
    )
    return (*health, *orders, *gateways, *metrics)


def _finding(cause: Cause, because: tuple[str, ...], tier: Audience) -> Finding:
    return Finding(
        cause=cause, confidence=Confidence.INCONCLUSIVE, because=because, section="§3", tier=tier, ruled_out=()
    )
