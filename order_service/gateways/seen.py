"""Which executions a gateway has told already, so that a fill told twice is not taken for another order's."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from order_service.execution import VenueExecution

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Told:
    """Hold which order an execution was told for, and when the venue says that it happened."""

    client_order_id: str
    transact_time: datetime


class SeenExecutions:
    """Remember the last executions by day and id, with the order each belongs to.

    An `exec_id` is unique within a trading day of its gateway (FIX tag 17), and may come again on any other. The day is
    that of `transact_time` in UTC.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[date, str | None], Told] = {}

    def of_another(self, execution: VenueExecution, client_order_id: str) -> Told | None:
        """Give the other order that this execution was told for before, if any."""
        told = self._told.get(_key(execution))
        return told if told is not None and told.client_order_id != client_order_id else None

    def remember(self, execution: VenueExecution, client_order_id: str) -> None:
        """Take an execution that was told for this order; whom it was told for first keeps it."""
        if execution.exec_id is None:
            return
        self._told.setdefault(_key(execution), Told(client_order_id, execution.transact_time))
        if len(self._told) > KEPT:
            del self._told[next(iter(self._told))]


def _key(execution: VenueExecution) -> tuple[date, str | None]:
    return execution.transact_time.astimezone(UTC).date(), execution.exec_id
