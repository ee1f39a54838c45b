"""Counters of the runs before, as flat tables: what each grew by from run to run; a new process counts again."""

from datetime import datetime
from typing import NamedTuple

from tasks.model.evidence.evidence import Evidence
from tasks.rules.probes.history import counters_of

START = "process_start_time_seconds"
START_TOLERANCE_S = 1.0


class Counted(NamedTuple):
    at: datetime
    counters: dict[str, float]


def counted(evidence: Evidence) -> list[Counted]:
    """List the counters of the runs before and of this run's last check, oldest first."""
    past = [Counted(one.at, one.counters) for one in evidence.context.history if one.counters]
    latest = evidence.latest.metrics
    now = counters_of(latest)
    return sorted([*past, *([Counted(latest.looked_at, now)] if now else [])], key=lambda one: one.at)


def grown(one: Counted, two: Counted, prefix: str) -> dict[str, float]:
    """Say by how much each counter with a prefix grew; where its process was restarted, from zero."""
    is_restarted = abs(two.counters.get(START, 0.0) - one.counters.get(START, 0.0)) > START_TOLERANCE_S
    found = {}
    for key, value in two.counters.items():
        if key.startswith(prefix):
            before = 0.0 if is_restarted else one.counters.get(key, 0.0)
            found[key] = value - before if value >= before else value
    return found
