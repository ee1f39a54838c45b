"""What is left: our own blindness, and symptoms that no rule explains. Neither is ever acted on."""

from tasks.model.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.evidence import Evidence
from tasks.model.limits import DiagnosisLimits
from tasks.model.looks import Observation, OrderLook, OrderOutcome, Seen
from tasks.rules.causes.facts import is_paused, marked_only
from tasks.rules.causes.machine import low_disks
from tasks.rules.causes.releases import weighed
from tasks.rules.causes.resources import descriptors_spent, memory_spent

DEFAULT_LIMITS = DiagnosisLimits()
# These explain whatever fails around them; the others explain their own classes and gateways.
OF_THE_WHOLE_SERVICE = frozenset(
    {
        Cause.SERVICE_DOWN,
        Cause.SERVICE_HUNG,
        Cause.CRASH_LOOP,
        Cause.RESOURCE_EXHAUSTED,
        Cause.INFRASTRUCTURE,
        Cause.BAD_RELEASE,
        Cause.MONITOR_BLIND,
        Cause.UNKNOWN,
    }
)


def monitor_blind(evidence: Evidence) -> Finding | None:
    """Find our own blindness: the look that decides could not look (safety rule 2)."""
    health = evidence.latest.health
    if health.seen is not Seen.BLIND:
        return None
    return _finding(Cause.MONITOR_BLIND, (f"health: {health.detail}",), Audience.TIER_3)


def unknown(evidence: Evidence, findings: tuple[Finding, ...] = ()) -> Finding | None:
    """Say plainly that something is wrong and no rule names it; a person looks.

    Errors: none. Where other causes were found, only orders that none of them explains are told.
    """
    if findings:
        lines = tuple(_order_line(order) for order in _failed(evidence.latest) if not _explained(order, findings))
    else:
        lines = symptoms(evidence.latest, evidence.limits)
    return _finding(Cause.UNKNOWN, (*lines, *weighed(evidence)), Audience.TIER_2) if lines else None


def symptoms(observation: Observation, limits: DiagnosisLimits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """List what is visibly wrong in one round of looks: what is worth a second look.

    What somebody paused or marked by hand is no symptom.
    """
    return (
        *_health_wrong(observation),
        *(_order_line(order) for order in _failed(observation)),
        *_gateways_wrong(observation, limits),
        *_metrics_wrong(observation),
        *_routing_wrong(observation),
        *_machine_wrong(observation, limits),
    )


def _health_wrong(observation: Observation) -> tuple[str, ...]:
    health = observation.health
    wrong = health.seen is Seen.FAILED and not marked_only(health)
    return (f"health: {health.detail}",) if wrong else ()


def _failed(observation: Observation) -> tuple[OrderLook, ...]:
    return tuple(
        order
        for order in observation.orders
        if not order.outcome.delivered and order.outcome is not OrderOutcome.BLIND and not is_paused(observation, order)
    )


def _order_line(order: OrderLook) -> str:
    return f"order {order.asset_class}: {order.outcome}, {order.detail}"


def _gateways_wrong(observation: Observation, limits: DiagnosisLimits) -> tuple[str, ...]:
    return tuple(
        f"gateway {probe.gateway}: {probe.detail}"
        for probe in observation.gateways
        if probe.seen is Seen.FAILED
        or (probe.latency_ms or 0.0) >= limits.gateway_slow_ms
        or abs(probe.clock_skew_s or 0.0) >= limits.clock_skew_s
    )


def _metrics_wrong(observation: Observation) -> tuple[str, ...]:
    return (f"metrics: {observation.metrics.detail}",) if observation.metrics.seen is Seen.FAILED else ()


def _routing_wrong(observation: Observation) -> tuple[str, ...]:
    routing = observation.routing
    return (f"routing: {routing.file_error}",) if routing and routing.file_error else ()


def _machine_wrong(observation: Observation, limits: DiagnosisLimits) -> tuple[str, ...]:
    process = observation.process
    spent = (f"descriptors: {process.open_files_count} of {process.open_files_limit}",)
    memory = (f"memory: {process.memory_bytes} bytes",)
    return (
        *(spent if descriptors_spent(observation, limits) else ()),
        *(memory if memory_spent(observation, limits) else ()),
        *low_disks(observation, limits),
    )


def _explained(order: OrderLook, findings: tuple[Finding, ...]) -> bool:
    return any(
        finding.cause in OF_THE_WHOLE_SERVICE
        or order.asset_class in finding.asset_classes
        or order.gateway in finding.gateways
        for finding in findings
    )


def _finding(cause: Cause, because: tuple[str, ...], tier: Audience) -> Finding:
    return Finding(
        cause=cause, confidence=Confidence.INCONCLUSIVE, because=because, section="§3", tier=tier, ruled_out=()
    )
