"""Judge one answer of `GET /metrics` (§1.2): the numbers that the runbook asks for, or *metrics unreadable*."""

import math
from collections.abc import Iterable
from datetime import datetime

from tasks.model.probes.metrics import (
    COMPARED_NAMES,
    CONTRACT_NAMES,
    MetricsSnapshot,
    MetricsUnreadable,
    OddityCode,
    Sample,
)
from tasks.model.probes.probes import Exchange, Fault, MetricsProbe, Seen
from tasks.model.probes.processes import ProcessNumbers
from tasks.rules.formats.time import parse_time
from tasks.rules.probes.http_status import status_words

TRACKED_LIMIT_COUNT = 400
TRADING_STATES = {0.0: "halted", 1.0: "reducing", 2.0: "active"}


def metrics_fault(exchange: Exchange, now: datetime) -> MetricsProbe | None:
    """Say why there is no exposition to read, or None when there is one.

    Runbook: §1.2 Orders count and other custom metrics.
    """
    if exchange.blind:
        return MetricsProbe(seen=Seen.BLIND, detail=f"could not check: {exchange.detail}", looked_at=now)
    if exchange.fault is not Fault.NONE:
        return MetricsProbe(seen=Seen.FAILED, detail=f"{exchange.fault}: {exchange.detail}", looked_at=now)
    if exchange.http_status != 200:
        return MetricsProbe(seen=Seen.FAILED, detail=status_words(exchange), looked_at=now)
    return None


def judge_metrics(read: MetricsSnapshot | MetricsUnreadable, now: datetime) -> MetricsProbe:
    """Take the orders count and the other metrics of the contract out of an exposition.

    Runbook: §1.2 Orders count and other custom metrics.
    Errors: none; garbage is a failed check of the instrument, not of the service.
    """
    if isinstance(read, MetricsUnreadable):
        return MetricsProbe(seen=Seen.FAILED, detail=f"unreadable: {read.code} {read.detail}", looked_at=now)
    orders = [one for one in read.series("orders_total") if _is_count(one.value)]
    # A sum of which one part is not known is not known.
    is_whole = bool(orders) and len(orders) == len(read.series("orders_total")) and "orders_total" not in read.lost
    count = sum(one.value for one in orders) if is_whole else None
    unknown = None if "orders_unknown" in read.lost else read.value("orders_unknown")
    return MetricsProbe(
        seen=Seen.PASSED,
        detail=_detail(read, count),
        looked_at=now,
        orders_count=count,
        orders_by_outcome=_sums(orders, "outcome"),
        orders_unknown_count=unknown if unknown is not None and _is_count(unknown) else None,
        gateways_up={
            _label(one, "gateway"): one.value == 1 for one in read.series("gateway_up") if one.value in (0, 1)
        },
        trading_states={
            _label(one, "asset_class"): TRADING_STATES.get(one.value, "unknown") for one in read.series("trading_state")
        },
        release=next((_label(one, "release") for one in read.series("build_info")), None),
        samples=tracked_samples(read),
        process=process_numbers(read),
    )


def not_available(why: str, now: datetime) -> MetricsProbe:
    """Say that the service has no metrics, which is no fault."""
    return MetricsProbe(seen=Seen.NOT_CONFIGURED, detail=f"not available: {why}", looked_at=now)


def cut_short(read: MetricsSnapshot) -> MetricsSnapshot:
    """Take a page for what it is where it ended in the middle of a line: the names after that are lost, too."""
    names = {*CONTRACT_NAMES, *(one.name for one in read.samples)}
    return read.model_copy(update={"lost": tuple(sorted(names | set(read.lost)))})


def process_numbers(read: MetricsSnapshot) -> ProcessNumbers | None:
    """Take what the standard process metrics say; None where they say nothing of the process."""

    def number(name: str) -> float | None:
        value = None if name in read.lost else read.value(name)
        return value if value is not None and _is_count(value) else None

    def whole(name: str) -> int | None:
        value = number(name)
        return None if value is None else int(value)

    found = ProcessNumbers(
        memory_bytes=whole("process_resident_memory_bytes"),
        cpu_time_s=number("process_cpu_seconds_total"),
        open_files_count=whole("process_open_fds"),
        open_files_limit=whole("process_max_fds") or None,
        threads_count=whole("process_threads"),
        started_at=parse_time(number("process_start_time_seconds")),
    )
    return None if found == ProcessNumbers() else found


def tracked_samples(read: MetricsSnapshot) -> tuple[Sample, ...]:
    """Take the samples that are compared across runs, the largest first where there are too many.

    Where one of them is lost, none is taken: what comes back in the next run would look like that many new orders.
    """
    if not COMPARED_NAMES.isdisjoint(read.lost):
        return ()
    found = [one for one in read.samples if one.name in COMPARED_NAMES and math.isfinite(one.value)]
    return tuple(sorted(found, key=lambda one: -one.value)[:TRACKED_LIMIT_COUNT])


def _detail(read: MetricsSnapshot, count: float | None) -> str:
    said = f"orders_total={count:.0f}" if count is not None else "no orders_total that is a number"
    bad = next((one for one in read.oddities if one.code is OddityCode.BAD_LINE), None)
    if read.bad_lines_count == 0 or bad is None:
        return said
    lines = "1 line was" if read.bad_lines_count == 1 else f"{read.bad_lines_count} lines were"
    return f"{said}; {lines} not readable and left out, the first is line={bad.line} {bad.name!r}"


def _is_count(value: float) -> bool:
    """Say whether a number can be a count; NaN, which says that nobody knows, cannot."""
    return math.isfinite(value) and value >= 0


def _sums(samples: Iterable[Sample], label: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in samples:
        key = _label(one, label)
        sums[key] = sums.get(key, 0.0) + one.value
    return sums


def _label(sample: Sample, name: str) -> str:
    return dict(sample.labels).get(name, "")
