"""Counters as rates between two readings; a restart of the service is not a fall of the counter."""

import math

from tasks.model.probes.metrics import CounterRate, MetricsSnapshot, MetricType, RateCode, Sample

START_TIME = "process_start_time_seconds"
# The start time is computed from the clock's idea of the boot time, which moves when the clock is set.
START_TOLERANCE_S = 1.0
COUNTING = frozenset(
    {MetricType.COUNTER, MetricType.HISTOGRAM, MetricType.SUMMARY, MetricType.UNKNOWN, MetricType.UNTYPED}
)


def counter_rates(earlier: MetricsSnapshot | None, later: MetricsSnapshot, name: str) -> tuple[CounterRate, ...]:
    """Give the rate of every series of a counter that either reading has.

    Runbook: §1.2 GET /metrics.
    Errors: none; where there is no rate, the code of the result says why.
    Steps: 1. no rate without an earlier reading or with a clock that went back. 2. after a restart, count from zero.
    3. otherwise take the difference; a value that fell is a restart as well.
    """
    now = {sample.labels: sample for sample in later.series(name)}
    if earlier is None:
        return tuple(CounterRate(name=name, labels=labels, code=RateCode.NO_EARLIER) for labels in now)
    then = {sample.labels: sample for sample in earlier.series(name)}
    window_s = (later.taken_at - earlier.taken_at).total_seconds()
    every = tuple(dict.fromkeys((*now, *then)))
    if window_s <= 0:
        return tuple(CounterRate(name=name, labels=labels, code=RateCode.CLOCK_BACKWARDS) for labels in every)
    judge = _Judge(earlier, later, name)
    results = ((labels, *judge.increase(then.get(labels), now.get(labels))) for labels in every)
    return tuple(
        CounterRate(name=name, labels=labels, code=code, increase=grown, window_s=None if grown is None else window_s)
        for labels, code, grown in results
    )


def restarted_between(earlier: MetricsSnapshot, later: MetricsSnapshot) -> bool:
    """Say whether the process behind the metrics was restarted between two readings, as far as they tell."""
    then, now = _started_s(earlier), _started_s(later)
    return then is not None and now is not None and abs(now - then) > START_TOLERANCE_S


class _Judge:
    """What both readings as a whole say of each series of one name."""

    def __init__(self, earlier: MetricsSnapshot, later: MetricsSnapshot, name: str) -> None:
        self.restarted = restarted_between(earlier, later)
        self.known_before = earlier.knows(name)
        self.known_now = later.knows(name)
        self.counts = later.type_of(name) in COUNTING

    def increase(self, then: Sample | None, now: Sample | None) -> tuple[RateCode, float | None]:
        """Give the increase of one series, and how it was found."""
        if not self.counts or not _is_count(then) or not _is_count(now):
            return RateCode.NOT_A_COUNT, None
        if now is None:
            # A restarted process names a series again only when it counts something.
            return (RateCode.RESET, 0.0) if self.restarted and self.known_now else (RateCode.MISSING, None)
        if self.restarted:
            return RateCode.RESET, now.value
        if then is None:
            return (RateCode.APPEARED, now.value) if self.known_before else (RateCode.MISSING, None)
        if now.value < then.value:
            return RateCode.RESET, now.value
        return RateCode.RATE, now.value - then.value


def _is_count(sample: Sample | None) -> bool:
    return sample is None or (math.isfinite(sample.value) and sample.value >= 0)


def _started_s(snapshot: MetricsSnapshot) -> float | None:
    started = snapshot.value(START_TIME)
    return started if started is not None and math.isfinite(started) and started > 0 else None
