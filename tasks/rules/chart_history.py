"""Make the chart of the last hour out of the evidence: the runs before, the rounds of this run, and what changed."""

from collections import Counter
from itertools import pairwise

from tasks.model.changes import Change, ChangeKind
from tasks.model.chart import HOUR, Chart, ChartPoint, ReleaseMark
from tasks.model.evidence import Evidence
from tasks.model.looks import Observation, OrderOutcome
from tasks.model.metrics import MetricsSnapshot
from tasks.model.past_looks import PastLook
from tasks.rules.counters import counter_rates
from tasks.rules.past_looks import snapshot_now, snapshot_of

# What the service counts of an order that did not come back whole, whoever sent it.
FAILED = frozenset({"denied", "error", "rejected", "unknown", "not_received"})
MARKED = frozenset({ChangeKind.RELEASE, ChangeKind.FEATURE, ChangeKind.ROUTING})
_OUTCOMES = {one.value: one for one in OrderOutcome}


def chart_of(evidence: Evidence) -> Chart:
    """Draw what the triage knows of the last hour: its own orders by outcome, and every client's orders that failed.

    Runbook: §1.1 When did it start, what changed.
    Errors: none; a history that was not kept leaves the hour empty but for this run.
    """
    until = evidence.latest.looked_at
    # This run may have been remembered already; its rounds are drawn one by one.
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


def past_point(past: PastLook) -> ChartPoint:
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


def _errors(past: list[PastLook], rounds: tuple[Observation, ...]) -> dict[object, int]:
    """Count the failed orders of each point since the point before; where nobody could read the counters, none."""
    snapshots = [(one.at, snapshot_of(one)) for one in past] + [(one.looked_at, snapshot_now(one)) for one in rounds]
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
