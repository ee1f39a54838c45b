"""What is wrong with each gateway, look by look: the signs, before anybody is blamed."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from tasks.model.diagnosis.changes import GatewayTransition
from tasks.model.diagnosis.diagnosis import Kind
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastObservation
from tasks.model.probes.probes import DependencyStatus, Fault, GatewayProbe, Observation, OrderOutcome, OrderProbe, Seen
from tasks.rules.diagnosis.causes.evidence_queries import DOWN_WORDS, STORAGE_WORDS, is_marked
from tasks.rules.diagnosis.causes.resources import descriptors_spent

# A gateway whose class is not its own says so; that is our route, not its fault.
WRONG_ROUTE_CODES = frozenset(
    {"ASSET_CLASS_NOT_SUPPORTED", "UNSUPPORTED_ASSET_CLASS", "ASSET_CLASS_NOT_TRADED", "WRONG_VENUE", "NOT_TRADED_HERE"}
)
UNSTABLE_PAST_TURNS_COUNT = 5
UNSTABLE_PAST_LOOKS_COUNT = 10
SLOWER_THAN_OURSELVES = 3.0
# The service may have a stricter limit than we; below this part of ours its *degraded* means something else.
SLOW_TO_THE_SERVICE_RATIO = 0.1


def signs_of(evidence: Evidence) -> dict[str, Kind]:
    """Say what is wrong with each gateway in every check, as the last check shows it; a flapping one whatever it shows.

    Runbook: §2.1 If a dependency is unreachable, §2.2 If one gateway is failing.
    """
    each = [_signs(one, evidence) for one in evidence.observations]
    lasting = {name: kind for name, kind in each[-1].items() if all(name in signs for signs in each)}
    unstable = {name: Kind.UNSTABLE for name in names_of(evidence.latest) if unstable_turns(evidence, name)}
    return lasting | unstable


def names_of(observation: Observation) -> tuple[str, ...]:
    """Name every gateway that anybody spoke of, storage left out."""
    told = [one.name for one in observation.health.dependencies if one.name.lower() not in STORAGE_WORDS]
    probed = [one.gateway for one in observation.gateways]
    used = [order.gateway for order in observation.orders if order.gateway]
    return tuple(dict.fromkeys((*probed, *told, *used)))


def orders_at(observation: Observation, gateway: str) -> tuple[OrderProbe, ...]:
    """Find the synthetic orders that went, or were to go, to a gateway."""
    routed = {one.asset_class for one in (observation.routing.routes if observation.routing else ())
              if one.gateway == gateway}  # fmt: skip
    return tuple(
        order
        for order in observation.orders
        if order.gateway == gateway or (order.gateway is None and order.asset_class in routed)
    )


def probe_of(observation: Observation, gateway: str) -> GatewayProbe | None:
    return next((one for one in observation.gateways if one.gateway == gateway), None)


def dependency_of(observation: Observation, gateway: str) -> DependencyStatus | None:
    """Find what the service itself says of a gateway."""
    return next((one for one in observation.health.dependencies if one.name == gateway), None)


def slowest_ms(observation: Observation, gateway: str) -> float | None:
    """Say how slow a gateway is: by a direct probe that was answered, by the service, by its orders' round trips.

    A probe that had no answer in time tells how slow it is only where no order does.
    """
    probe, told = probe_of(observation, gateway), dependency_of(observation, gateway)
    measured = [one.gateway_latency_ms for one in orders_at(observation, gateway)]
    waited = probe is not None and probe.fault is Fault.TIMED_OUT and not any(measured)
    if probe is not None and (probe.answers or probe.fault is Fault.BAD_STATUS or waited):
        measured.append(probe.latency_ms)
    if told is not None:
        measured.append(told.latency_ms)
    return max((one for one in measured if one is not None), default=None)


def unstable_turns(evidence: Evidence, gateway: str) -> str | None:
    """Say in which numbers a gateway flaps; None where it does not, or has settled.

    Steps:
        1. the service saw it go and come back often within a short window, and lately
        2. else our own checks, run by run, saw it go and come back
        3. one that has stayed down since is not unstable but gone
    """
    limits, now = evidence.limits, evidence.latest.looked_at
    turns = [one for one in evidence.context.gateway_turns if one.gateway == gateway and one.at <= now]
    burst = _last_burst(turns, limits)
    if burst is not None and _still_unstable(turns, now, limits):
        ago_s = (now - turns[-1].at).total_seconds()
        return f"gateway {gateway} flaps: {len(burst)} turns in {_span_s(burst):.0f} s, the last {ago_s:.0f} s ago"
    seen = _past_turns(evidence, gateway)
    if seen >= UNSTABLE_PAST_TURNS_COUNT:
        return f"gateway {gateway} flaps: {seen} turns in the last {UNSTABLE_PAST_LOOKS_COUNT} runs"
    return None


def _signs(observation: Observation, evidence: Evidence) -> dict[str, Kind]:
    judged = (name for name in names_of(observation) if not _is_our_own_lack(observation, name, evidence.limits))
    found = {name: _sign(observation, name, evidence) for name in judged}
    return {name: kind for name, kind in found.items() if kind}


def _is_our_own_lack(observation: Observation, gateway: str, limits: DiagnosisLimits) -> bool:
    """Say whether a gateway answers us and the service can open no connection to it: its orders tell of that alone."""
    probe = probe_of(observation, gateway)
    return probe is not None and probe.seen is Seen.PASSED and descriptors_spent(observation, limits)


def _sign(observation: Observation, gateway: str, evidence: Evidence) -> Kind | None:
    orders, probe = orders_at(observation, gateway), probe_of(observation, gateway)
    outcomes = Counter(order.outcome for order in orders)
    if outcomes[OrderOutcome.UNKNOWN]:
        return Kind.UNKNOWN_OUTCOMES
    # Where orders fill, no wording of any health makes a gateway unreachable.
    fails = probe is not None and probe.seen is Seen.FAILED
    if not outcomes[OrderOutcome.EXECUTED] and (fails or _reported_down(observation, gateway, evidence.limits)):
        return Kind.UNREACHABLE
    if any(order.outcome is OrderOutcome.REJECTED and order.code not in WRONG_ROUTE_CODES for order in orders):
        return Kind.REJECTS
    if any(_acknowledged_only(order, gateway, evidence) for order in orders):
        return Kind.NO_EXECUTIONS
    return Kind.LATENCY if _is_slow(observation, gateway, evidence.limits) else None


def _reported_down(observation: Observation, gateway: str, limits: DiagnosisLimits) -> bool:
    told = dependency_of(observation, gateway)
    if told is None or told.status.lower() not in DOWN_WORDS:
        return False
    # A service that is out of descriptors cannot connect to anything: what it says of its gateways is its own state.
    return not descriptors_spent(observation, limits)


def _acknowledged_only(order: OrderProbe, gateway: str, evidence: Evidence) -> bool:
    if order.outcome is not OrderOutcome.EXECUTED or order.ord_status != "new":
        return False
    past = [one for one in evidence.context.history if (found := one.order(order.asset_class)) and found.filled_count]
    return bool(past) or filled_before(evidence.latest, order.asset_class, gateway) > 0


def filled_before(observation: Observation, asset_class: str, gateway: str) -> float:
    """Count what a route has filled since the service started, by the service's own counter."""
    labels = {("asset_class", asset_class), ("gateway", gateway), ("outcome", "filled")}
    samples = (one for one in observation.metrics.samples if one.name == "orders_total")
    return sum(one.value for one in samples if labels <= set(one.labels))


def _is_slow(observation: Observation, gateway: str, limits: DiagnosisLimits) -> bool:
    told = dependency_of(observation, gateway)
    if told is not None and is_marked(told.set_to, told.status):
        return False
    slow_ms, health = slowest_ms(observation, gateway), observation.health.exchange
    if slow_ms is None or (slow_ms < limits.gateway_slow_ms and not _told_slow(told, limits)):
        return False
    # Where the service's own health took as long, it is our machine that is slow and not the gateway.
    ours_ms = health.seconds_s * 1000 if health and health.fault is Fault.NONE else 0.0
    return slow_ms >= ours_ms * SLOWER_THAN_OURSELVES


def _told_slow(told: DependencyStatus | None, limits: DiagnosisLimits) -> bool:
    """Say whether the service calls a gateway slow by a limit of its own, and measured what may be slow to anybody."""
    if told is None or told.latency_ms is None or told.status.lower() not in {"degraded", "slow"}:
        return False
    return told.latency_ms >= limits.gateway_slow_ms * SLOW_TO_THE_SERVICE_RATIO


def _last_burst(turns: list[GatewayTransition], limits: DiagnosisLimits) -> list[GatewayTransition] | None:
    window, count = timedelta(seconds=limits.unstable_window_s), limits.unstable_turns_count
    ends = [place for place in range(count, len(turns) + 1) if turns[place - 1].at - turns[place - count].at <= window]
    if not ends:
        return None
    last = ends[-1]
    first = next(place for place in range(last) if turns[last - 1].at - turns[place].at <= window)
    return turns[first:last]


def _still_unstable(turns: list[GatewayTransition], now: datetime, limits: DiagnosisLimits) -> bool:
    quiet_s = (now - turns[-1].at).total_seconds()
    return quiet_s <= (limits.unstable_quiet_s if turns[-1].up else limits.unstable_settled_s)


def _past_turns(evidence: Evidence, gateway: str) -> int:
    past: tuple[PastObservation, ...] = evidence.context.history[-UNSTABLE_PAST_LOOKS_COUNT:]
    found = [probe.failed_count == probe.looks_count for one in past if (probe := one.gateway(gateway))]
    latest = probe_of(evidence.latest, gateway)
    found += [latest.seen is Seen.FAILED] if latest else []
    return sum(one is not two for one, two in pairwise(found))


def _span_s(turns: list[GatewayTransition]) -> float:
    return (turns[-1].at - turns[0].at).total_seconds()
