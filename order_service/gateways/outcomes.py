"""What can come of speaking to a gateway: not sent, refused and unknown are three types, never mistaken."""

from dataclasses import dataclass

from order_service.codes import Code
from order_service.execution import VenueExecution


@dataclass(frozen=True, slots=True)
class Executed:
    """The gateway answered with an execution, be it a fill or a reject.

    `is_told_again` says that it first answered with an execution that it had told before.
    """

    execution: VenueExecution
    latency_ms: float
    is_told_again: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the order left this process. `field` names what it was about, where it was about one."""

    code: Code
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class NoUsableAnswer:
    """Bytes may have left and nothing came back that proves an outcome."""

    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class NeverReceived:
    """The gateway itself says that it does not know the order; proof only when asked again."""


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """The gateway does not cancel this order."""

    message: str


SendOutcome = Executed | NotSent | NoUsableAnswer
LookUpOutcome = Executed | NeverReceived | NoUsableAnswer
CancelOutcome = Executed | CancelRefused | NoUsableAnswer
