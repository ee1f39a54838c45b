"""What the service itself uses up: memory, and file descriptors (§2.1)."""

from itertools import combinations, pairwise
from statistics import median

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding, Kind
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.probes import Observation, OrderOutcome
from tasks.model.probes.processes import ProcessCheck
from tasks.model.values import Value
from tasks.rules.diagnosis.causes.evidence_queries import (
    checks_seen,
    confidence,
    gateways_ruled_out,
    in_all,
    orders_fill,
)

POINTS_LEAST_COUNT = 4
POINTS_LIMIT_COUNT = 60
TREND_LEAST_S = 30.0
RISING_RATIO = 0.8
MIB = 1 << 20


class MemoryTrend(Value):
    """How memory grows in one life of the process. Units: bytes, seconds; `per_s` in bytes."""

    points_count: int
    first_bytes: int
    last_bytes: int
    span_s: float
    per_s: float
    rising_ratio: float


def resource_exhausted(evidence: Evidence) -> Finding | None:
    """Find a service that has used up its memory or descriptors, or will within the hour at the rate it grows.

    Runbook: §2.1 Restart before the kernel kills it; what leaks is for tier 2.
    Errors: none; growth far from the limit is only likely, and so never acted on.
    """
    parts = [part for part in (_descriptors(evidence), _memory(evidence)) if part]
    if not parts:
        return None
    sure = Confidence.CONFIRMED if all(part[1] is Confidence.CONFIRMED for part in parts) else Confidence.LIKELY
    return Finding(
        cause=Cause.RESOURCE_EXHAUSTED,
        confidence=sure,
        because=tuple(part[2] for part in parts),
        section="§2.1",
        tier=Audience.TIER_1,
        ruled_out=gateways_ruled_out(evidence.latest),
        kinds=tuple(part[0] for part in parts),
    )


def descriptors_spent(observation: Observation, limits: DiagnosisLimits) -> bool:
    """Say whether the process has as good as no descriptors left: it can neither accept nor connect."""
    process = observation.process
    if process.open_files_count is None or process.open_files_limit is None or process.open_files_limit <= 0:
        return False
    return process.open_files_count >= process.open_files_limit * limits.descriptors_ratio


def memory_spent(observation: Observation, limits: DiagnosisLimits) -> bool:
    """Say whether the process is as good as at the memory that it may have."""
    process, limit = observation.process, memory_limit(observation.process, limits)
    return (
        limit is not None and process.memory_bytes is not None and process.memory_bytes >= limit * limits.memory_ratio
    )


def memory_limit(process: ProcessCheck, limits: DiagnosisLimits) -> int | None:
    """Say at how much memory the process is ended: the setting, or what the machine allows, the lesser."""
    known = [limit for limit in (limits.memory_limit_bytes, process.memory_limit_bytes) if limit]
    return min(known, default=None)


def memory_trend(evidence: Evidence) -> MemoryTrend | None:
    """Measure how memory grew since the process started, over the runs before and this one.

    Source: Theil 1950, Sen 1968: the median of the slopes between all pairs of points.
    """
    points = _points(evidence)
    if len(points) < POINTS_LEAST_COUNT or points[-1][0] - points[0][0] < TREND_LEAST_S:
        return None
    slopes = [(two[1] - one[1]) / (two[0] - one[0]) for one, two in combinations(points, 2) if two[0] > one[0]]
    rising = [two[1] > one[1] for one, two in pairwise(points)]
    return MemoryTrend(
        points_count=len(points),
        first_bytes=points[0][1],
        last_bytes=points[-1][1],
        span_s=points[-1][0] - points[0][0],
        per_s=median(slopes),
        rising_ratio=sum(rising) / len(rising),
    )


def _points(evidence: Evidence) -> list[tuple[float, int]]:
    latest = evidence.latest.process
    began = evidence.observations[0].looked_at
    same = [
        (past.at, past.memory_bytes)
        for past in evidence.context.history
        if past.pid == latest.pid and past.started_at == latest.started_at and past.at < began
    ]
    # The rounds of one run lie close together; the last one stands for them.
    found = [*same, (evidence.latest.looked_at, latest.memory_bytes)] if latest.pid is not None else []
    return [(at.timestamp(), memory) for at, memory in found[-POINTS_LIMIT_COUNT:] if memory is not None]


def _descriptors(evidence: Evidence) -> tuple[Kind, Confidence, str] | None:
    limits, process = evidence.limits, evidence.latest.process
    if not in_all(evidence, lambda one: descriptors_spent(one, limits)):
        return None
    because = (
        f"descriptors are spent in {checks_seen(evidence)}: {process.open_files_count} of {process.open_files_limit}"
    )
    return Kind.DESCRIPTORS, confidence(evidence), because


def _memory(evidence: Evidence) -> tuple[Kind, Confidence, str] | None:
    limits, process = evidence.limits, evidence.latest.process
    limit = memory_limit(process, limits)
    if in_all(evidence, lambda one: memory_spent(one, limits)):
        numbers = f"{(process.memory_bytes or 0) / MIB:.0f} of {(limit or 0) / MIB:.0f} MiB"
        because = f"memory is at its limit in {checks_seen(evidence)}: {numbers}"
        return Kind.MEMORY, confidence(evidence), because
    trend = memory_trend(evidence)
    if trend is None or limit is None or not in_all(evidence, lambda one: _leaks(evidence, one, limit)):
        return None
    left_s = (limit - trend.last_bytes) / trend.per_s
    because = (
        f"memory grew from {trend.first_bytes / MIB:.0f} to {trend.last_bytes / MIB:.0f} MiB in {trend.span_s:.0f} s "
        f"over {trend.points_count} runs, and reaches its limit of {limit / MIB:.0f} MiB in {left_s:.0f} s"
    )
    waits = _waits(evidence, trend, limit)
    sure = Confidence.LIKELY if waits else confidence(evidence)
    return Kind.MEMORY, sure, f"{because}; {waits}" if waits else because


def memory_presses(evidence: Evidence) -> bool:
    """Say whether memory still asks for a restart in the last observation: a collector may have freed it.

    Runbook: §2.1, right before the restart.
    """
    limit, trend = memory_limit(evidence.latest.process, evidence.limits), memory_trend(evidence)
    if memory_spent(evidence.latest, evidence.limits):
        return True
    if limit is None or trend is None or not _reaches(trend, limit, evidence.limits):
        return False
    return not _waits(evidence, trend, limit)


def _waits(evidence: Evidence, trend: MemoryTrend, limit: int) -> str:
    """Say why memory that grows is no reason to act yet: a straight line is no forecast, and a restart costs orders.

    Steps: 1. far from the limit it is reported, and never acted on 2. while orders fill at an open market it is waited
    until the limit is near
    """
    limits, used_ratio = evidence.limits, trend.last_bytes / limit
    if used_ratio < limits.memory_close_ratio:
        return f"it uses {used_ratio:.0%} of it: told, and not acted on below {limits.memory_close_ratio:.0%}"
    left_s = (limit - trend.last_bytes) / trend.per_s
    if left_s > limits.memory_act_within_s and orders_fill(evidence) and _may_trade(evidence):
        return f"orders fill, and it is more than {limits.memory_act_within_s:.0f} s away"
    return ""


def _may_trade(evidence: Evidence) -> bool:
    """Say whether a market is open; where nobody looked at the hours, a test order that was executed says so."""
    if evidence.markets:
        return any(one.open for one in evidence.markets)
    return any(order.outcome is OrderOutcome.EXECUTED for order in evidence.latest.orders)


def _leaks(evidence: Evidence, observation: Observation, limit: int) -> bool:
    """Say whether memory grows steadily towards its limit, with one observation of this run as the last point."""
    trend = memory_trend(evidence.model_copy(update={"observations": (observation,)}))
    return trend is not None and _reaches(trend, limit, evidence.limits)


def _reaches(trend: MemoryTrend, limit: int, limits: DiagnosisLimits) -> bool:
    grown = trend.last_bytes - trend.first_bytes
    much = grown >= limits.memory_growth_bytes and trend.last_bytes >= trend.first_bytes * limits.memory_growth_ratio
    steady = trend.rising_ratio >= RISING_RATIO and trend.per_s > 0
    return much and steady and (limit - trend.last_bytes) / trend.per_s <= limits.memory_exhausted_in_s
