"""The last hour as a chart: probes, order outcomes, errors, and what changed, from the evidence of one run."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC
from itertools import pairwise

from tasks.model.diagnosis.changes import Change, ChangeKind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastObservation
from tasks.model.probes.metrics import MetricsSnapshot
from tasks.model.probes.probes import Observation, OrderOutcome, Seen
from tasks.model.reports.chart import HOUR, Chart, ChartPoint, ReleaseMark
from tasks.rules.probes.counters import counter_rates
from tasks.rules.probes.history import snapshot_now, snapshot_of
from tasks.rules.reports.drawing import (
    RIGHT,
    Lane,
    Slot,
    as_data_uri,
    clock,
    draw_axis,
    draw_errors,
    draw_lanes,
    draw_legend,
    draw_marks,
    draw_orders,
    draw_probes,
    drawing,
    image_markdown,
    short_count,
    slots_of,
    sums_of,
    svg_text,
)

HEIGHT, AXIS_Y, LEGEND_Y, LABEL_Y = 232, 200, 212, 39
LANES = {"probes": Lane(46, 66), "orders": Lane(80, 136), "errors": Lane(150, 186)}
LEGEND = {"good": "passed, delivered", "refused": "refused", "unsure": "blind, unknown", "bad": "failed"}
SERVICE_LIMIT_COUNT, HEAD_LIMIT_COUNT, MARKS_LIMIT_COUNT = 25, 75, 12
# What the service counts of an order that did not come back whole, whoever sent it.
FAILED = frozenset({"denied", "error", "rejected", "unknown", "not_received"})
MARKED = frozenset({ChangeKind.RELEASE, ChangeKind.FEATURE, ChangeKind.ROUTING})
_OUTCOMES = {one.value: one for one in OrderOutcome}


def chart_markdown(chart: Chart) -> str:
    """Write the chart as one line of markdown; its alternative text says the same in words.

    Runbook: §1.1 When did it start.
    """
    return image_markdown(chart_words(chart), as_data_uri(chart_svg(chart)))


def chart_words(chart: Chart) -> str:
    """Say in one sentence what the chart shows."""
    slots = slots_of(chart)
    seen = [slot.health for slot in slots if slot.health]
    errors = sum(slot.errors_count for slot in slots)
    probes = f"{seen.count(Seen.PASSED)} of {len(seen)} probed minutes passed"
    return f"{chart.service}, {_span(chart)}: {probes}; {_orders_words(slots)}; error lines: {errors}."


def chart_svg(chart: Chart) -> str:
    slots = slots_of(chart)
    service = chart.service[:SERVICE_LIMIT_COUNT]
    totals = svg_text(_orders_words(slots), HEAD_LIMIT_COUNT - len(service))
    most = {
        "orders": max(slot.orders_count for slot in slots),
        "errors": max(slot.errors_count for slot in slots),
    }
    parts = (
        f'<text x="{RIGHT}" y="19" class="soft" text-anchor="end">{totals}</text>',
        *draw_lanes(LANES, most),
        *draw_probes(slots, LANES["probes"]),
        *draw_orders(slots, LANES["orders"]),
        *draw_errors(slots, LANES["errors"]),
        *draw_axis(chart, AXIS_Y),
        *draw_marks(chart, _newest_marks(chart), (LABEL_Y,), LANES["errors"].base),
        *draw_legend(LEGEND, LEGEND_Y),
    )
    return drawing(chart_words(chart), f"{service}, {_span(chart)}", HEIGHT, parts)


def _newest_marks(chart: Chart) -> Iterable[ReleaseMark]:
    """List the newest marks first: of labels that would cover each other the newest is kept."""
    inside = sorted((mark for mark in chart.releases if chart.part(mark.at) is not None), key=lambda mark: mark.at)
    return reversed(inside[-MARKS_LIMIT_COUNT:])


def _orders_words(slots: tuple[Slot, ...]) -> str:
    sums = ", ".join(f"{short_count(count)} {fate}" for fate, count in sums_of(slots).items() if count)
    return f"orders: {sums or 'none'}"


def _span(chart: Chart) -> str:
    length = chart.until - chart.since
    day = chart.until.astimezone(UTC).date().isoformat()
    return f"{day} {clock(chart.since, length)} to {clock(chart.until, length)} UTC"


def chart_of(evidence: Evidence) -> Chart:
    """Draw what the triage knows of the last hour: its own orders by outcome, and every client's orders that failed.

    Runbook: §1.1 When did it start, what changed.
    Errors: none; a history that was not kept leaves the hour empty but for this run.
    """
    until = evidence.latest.looked_at
    # This run may have been remembered already; its passes are drawn one by one.
    began_at = evidence.observations[0].looked_at
    past = [one for one in evidence.context.history if until - HOUR <= one.at < began_at]
    errors = _errors(past, evidence.observations)
    points = (*map(past_point, past), *map(_point, evidence.observations))
    return Chart.last_hour(
        evidence.context.request.service,
        until,
        tuple(point.model_copy(update={"errors_count": errors.get(point.at, 0)}) for point in points),
        tuple(_mark(change) for change in evidence.context.changes if change.kind in MARKED and not change.is_pending),
    )


def past_point(past: PastObservation) -> ChartPoint:
    """Make a point of a run that was remembered."""
    orders: Counter[OrderOutcome] = Counter()
    for order in past.orders:
        for word, count in order.outcomes.items():
            # A refused one is kept as `outcome:CODE`.
            outcome = _OUTCOMES.get(word.partition(":")[0])
            if outcome is not None:
                orders[outcome] += count
    return ChartPoint(at=past.at, health=past.health, orders=dict(orders))


def _point(seen: Observation) -> ChartPoint:
    orders = Counter(order.outcome for order in seen.orders)
    return ChartPoint(at=seen.looked_at, health=seen.health.seen, orders=dict(orders))


def _errors(past: list[PastObservation], passes: tuple[Observation, ...]) -> dict[object, int]:
    """Count the failed orders of each point since the point before; where nobody could read the counters, none."""
    snapshots = [(one.at, snapshot_of(one)) for one in past] + [(one.looked_at, snapshot_now(one)) for one in passes]
    known = [(at, snapshot) for at, snapshot in snapshots if snapshot is not None]
    return {at: _failed_between(earlier, later) for (_, earlier), (at, later) in pairwise(known)}


def _failed_between(earlier: MetricsSnapshot, later: MetricsSnapshot) -> int:
    rates = counter_rates(earlier, later, "orders_total")
    failed = (rate.increase for rate in rates if dict(rate.labels).get("outcome") in FAILED)
    return round(sum(increase for increase in failed if increase))


def _mark(change: Change) -> ReleaseMark:
    now = change.now or "unknown"
    match change.kind:
        case ChangeKind.RELEASE:
            label = f"back to {now}" if change.is_roll_back else now
        case ChangeKind.FEATURE:
            label = f"{change.key} {'on' if now == 'true' else 'off' if now == 'false' else now}"
        case _:
            label = f"routes {change.key}".rstrip()
    return ReleaseMark(at=change.at, label=label)
