"""Which orders are not proven, and whether that stands in the way of an action (safety rule 5)."""

from enum import StrEnum

from pydantic import AwareDatetime

from tasks.model.values import Value


class OrderSafety(StrEnum):
    """The answer of the order-state gate."""

    SAFE = "safe"
    WAIT = "wait"
    UNSAFE = "unsafe"
    BLIND = "blind"


class BlindReason(StrEnum):
    """Why the gate could not see: the service has no such list, did not answer, or answered something else."""

    NOT_AVAILABLE = "NOT_AVAILABLE"
    NOT_REACHED = "NOT_REACHED"
    NOT_ANSWERED = "NOT_ANSWERED"
    UNREADABLE_ANSWER = "UNREADABLE_ANSWER"
    TOO_MANY = "TOO_MANY"


class UnprovenOrder(Value):
    """One order that was, or may have been, sent and whose outcome nobody has proven.

    Units: `age_s` since the service took it; None where its time is not told, or lies ahead of ours.
    """

    client_order_id: str
    status: str
    detail: str
    asset_class: str | None = None
    gateway: str | None = None
    age_s: float | None = None


class OrderStates(Value):
    """The verdict of the order-state gate, with the orders that decided, those without an answer first.

    SAFE: every order is proven. WAIT: some are in flight for a moment and will prove themselves, and that is all.
    UNSAFE: one was sent without a usable answer, or is in flight for too long. BLIND: nobody can say; `blind` says why.
    Units: `waited_s` of asking again; `unproven_count` also counts what `unproven` is too short for.
    """

    verdict: OrderSafety
    detail: str
    looked_at: AwareDatetime
    unproven: tuple[UnprovenOrder, ...] = ()
    unproven_count: int = 0
    blind: BlindReason | None = None
    waited_s: float = 0.0

    @property
    def ids(self) -> tuple[str, ...]:
        """The client order ids, for a person who has to ask the venue."""
        return tuple(one.client_order_id for one in self.unproven)
