"""Gather the points of a chart into slots of equal length: the worst probe, the sums of orders and errors."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tasks.model.chart import Chart
from tasks.model.looks import OrderOutcome, Seen

SLOTS_COUNT = 60
# What a desk asks of an order: did it come back as it should, was it refused, do we not know, or did something break.
DELIVERED, REFUSED, UNKNOWN, BROKEN = "delivered", "refused", "unknown", "broken"
FATES = (DELIVERED, REFUSED, UNKNOWN, BROKEN)
FATE_OF = {
    OrderOutcome.EXECUTED: DELIVERED,
    OrderOutcome.REJECTED_AS_EXPECTED: DELIVERED,
    OrderOutcome.REJECTED: REFUSED,
    OrderOutcome.DENIED: REFUSED,
    OrderOutcome.UNKNOWN: UNKNOWN,
    OrderOutcome.TIMED_OUT: UNKNOWN,
    OrderOutcome.NO_EXECUTION: BROKEN,
    OrderOutcome.ERROR: BROKEN,
    OrderOutcome.MALFORMED: BROKEN,
    OrderOutcome.NOT_REACHED: BROKEN,
}
# Not configured is no look at all; a failed probe outweighs one that could not look.
_WORSE = (Seen.NOT_CONFIGURED, Seen.PASSED, Seen.BLIND, Seen.FAILED)


@dataclass(slots=True)
class Slot:
    """One stretch of the chart; `health` is None where nobody looked."""

    health: Seen | None = None
    fates: dict[str, int] = field(default_factory=dict)
    errors_count: int = 0

    @property
    def orders_count(self) -> int:
        """All orders of the slot."""
        return sum(self.fates.values())


def slots_of(chart: Chart) -> tuple[Slot, ...]:
    """Put every point into its slot; what lies outside the chart is left out."""
    slots = tuple(Slot() for _ in range(SLOTS_COUNT))
    for point in chart.points:
        part = chart.part(point.at)
        if part is None:
            continue
        slot = slots[min(int(part * SLOTS_COUNT), SLOTS_COUNT - 1)]
        slot.health = _worse(slot.health, point.health)
        slot.errors_count += point.errors_count
        for outcome, count in point.orders.items():
            # A blind look sent nothing: no order, no fate.
            fate = FATE_OF.get(outcome)
            if fate and count > 0:
                slot.fates[fate] = slot.fates.get(fate, 0) + count
    return slots


def sums_of(slots: Iterable[Slot]) -> dict[str, int]:
    """Sum the fates of all orders."""
    found = list(slots)
    return {fate: sum(slot.fates.get(fate, 0) for slot in found) for fate in FATES}


def _worse(one: Seen | None, other: Seen) -> Seen:
    return other if one is None or _WORSE.index(other) > _WORSE.index(one) else one
