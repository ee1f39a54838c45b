"""What is left: our own blindness, and symptoms that no rule explains. Neither is ever acted on."""

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.probes import GatewayProbe, Observation, OrderOutcome, OrderProbe, Seen
from tasks.rules.diagnosis.causes.evidence_queries import is_paused, marked_only
from tasks.rules.diagnosis.causes.machine import low_disks
from tasks.rules.diagnosis.causes.releases import weighed
from tasks.rules.diagnosis.causes.resources import descriptors_spent, memory_spent
from tasks.rules.probes.synthetic_result import orders_left

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
    """Find our own blindness: the check that decides could not check (safety rule 2)."""
    health = evidence.latest.health
    if health.seen is not Seen.BLIND:
        return None
    return _finding(Cause.MONITOR_BLIND, (f"health: {health.detail}",), Audience.TIER_3)


def unknown(evidence: Evidence, findings: tuple[Finding, ...] = ()) -> Finding | None:
    """Say plainly that something is wrong and no rule names it; a person looks.

    Errors: none. Where other causes were found, only orders that none of them explains are reported.
    """
    if findings:
        lines = tuple(_order_line(order) for order in _failed(evidence.latest) if not _explained(order, findings))
    else:
        lines = symptoms(evidence.latest, evidence.limits)
    if not lines:
        return None
    found = _finding(Cause.UNKNOWN, (*lines, *weighed(evidence)), Audience.TIER_2)
    return found.model_copy(update=_concerns(evidence, lines)) if evidence.context.planned else found


def _concerns(evidence: Evidence, lines: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Name the gateways and classes where nothing else is wrong, so that it is known whether they are planned work."""
    orders, gateways = _failed(evidence.latest), _wrong_gateways(evidence.latest, evidence.limits)
    of_these = {*map(_order_line, orders), *map(_gateway_line, gateways)}
    if not of_these.issuperset(lines):
        return {}
    at = {order.gateway for order in orders} | {probe.gateway for probe in gateways}
    classes = tuple(dict.fromkeys(order.asset_class for order in orders))
    return {"gateways": () if None in at else tuple(sorted(filter(None, at))), "asset_classes": classes}


def symptoms(observation: Observation, limits: DiagnosisLimits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """List what is visibly wrong in one pass of checks: what is worth a second check.

    What somebody paused or marked by hand is no symptom.
    """
    return (
        *_health_wrong(observation),
        *(_order_line(order) for order in _failed(observation)),
        *orders_left((observation,)),
        *_gateways_wrong(observation, limits),
        *_instances_wrong(observation),
        *_metrics_wrong(observation),
        *_routing_wrong(observation),
        *_machine_wrong(observation, limits),
    )


def _health_wrong(observation: Observation) -> tuple[str, ...]:
    health = observation.health
    wrong = health.seen is Seen.FAILED and not marked_only(health)
    return (f"health: {health.detail}",) if wrong else ()


def _failed(observation: Observation) -> tuple[OrderProbe, ...]:
    return tuple(
        order
        for order in observation.orders
        if not order.outcome.delivered and order.outcome is not OrderOutcome.BLIND and not is_paused(observation, order)
    )


def _order_line(order: OrderProbe) -> str:
    return f"order {order.asset_class}: {order.outcome}, {order.detail}"


def _gateways_wrong(observation: Observation, limits: DiagnosisLimits) -> tuple[str, ...]:
    return tuple(map(_gateway_line, _wrong_gateways(observation, limits)))


def _gateway_line(probe: GatewayProbe) -> str:
    return f"gateway {probe.gateway}: {probe.detail}"


def _wrong_gateways(observation: Observation, limits: DiagnosisLimits) -> tuple[GatewayProbe, ...]:
    return tuple(
        probe
        for probe in observation.gateways
        if probe.seen is Seen.FAILED
        or (probe.latency_ms is not None and probe.latency_ms >= limits.gateway_slow_ms)
        or (probe.clock_skew_s is not None and abs(probe.clock_skew_s) >= limits.clock_skew_s)
    )


def _instances_wrong(observation: Observation) -> tuple[str, ...]:
    failing = (one for one in observation.instances if one.fails)
    return tuple(f"instance {one.instance}: {one.health.detail}; process: {one.process.detail}" for one in failing)


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


def _explained(order: OrderProbe, findings: tuple[Finding, ...]) -> bool:
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
