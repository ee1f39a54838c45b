"""Draw the last hour from the runs before and this one."""

from tasks.model.changes import Change, ChangeKind
from tasks.model.chart import HOUR, Chart, ChartPoint, ReleaseMark
from tasks.model.diagnosis import Diagnosis
from tasks.model.evidence import Evidence
from tasks.model.looks import OrderOutcome
from tasks.model.past_looks import PastLook
from tasks.rules.past_looks import past_look

MARKED = {ChangeKind.RELEASE: "release", ChangeKind.FEATURE: "feature", ChangeKind.ROUTING: "routing"}
FINE = frozenset({OrderOutcome.EXECUTED, OrderOutcome.REJECTED_AS_EXPECTED, OrderOutcome.BLIND})


def chart_of(evidence: Evidence, diagnosis: Diagnosis) -> Chart:
    """Lay the last hour out: one point a run, this one last, and a mark for each release, feature and table.

    Runbook: §1.4, the report.
    """
    until = evidence.latest.looked_at
    looks = (*evidence.context.history, past_look(evidence, diagnosis))
    recent = [one for one in evidence.context.changes if until - one.at <= HOUR and one.kind in MARKED]
    return Chart.last_hour(
        evidence.context.request.service,
        until,
        tuple(_point(one) for one in looks if until - one.at <= HOUR),
        tuple(ReleaseMark(at=one.at, label=_label(one)) for one in recent if not one.is_pending),
    )


def _point(look: PastLook) -> ChartPoint:
    orders: dict[OrderOutcome, int] = {}
    for order in look.orders:
        for word, count in order.outcomes.items():
            outcome = OrderOutcome(word.partition(":")[0])
            orders[outcome] = orders.get(outcome, 0) + count
    errors = sum(count for outcome, count in orders.items() if outcome not in FINE)
    return ChartPoint(at=look.at, health=look.health, orders=orders, errors_count=errors)


def _label(change: Change) -> str:
    what = change.now if change.kind is ChangeKind.RELEASE else change.key
    return f"{MARKED[change.kind]} {what or 'unknown'}"
