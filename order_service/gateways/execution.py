"""What a gateway answers: an execution as it must look to be believed, and what came of each request.

Not sent, refused and unknown are three types, never mistaken.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from order_service.api.contract import ExecutionBody, OrderStatus
from order_service.orders.order import plain
from order_service.runtime.codes import Code

Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=512)]


# With an exponent, a few characters would be written out as gigabytes of digits.
PLAIN = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,18})?")


def _decimal_string(raw: Any) -> Any:
    if raw is None or (isinstance(raw, str) and PLAIN.fullmatch(raw)):
        return raw
    raise PydanticCustomError("venue_decimal", "expected a decimal string or null")


VenueDecimal = Annotated[Decimal | None, BeforeValidator(_decimal_string)]


def _cut_to(limit: int, absent: str) -> BeforeValidator:
    """Take free text as it comes: a word too many, or none, leaves no doubt about what became of the order."""

    def cut(raw: Any) -> str:
        text = str(raw) if isinstance(raw, str | int | float) and raw != "" else absent
        return text if len(text) <= limit else f"{text[: limit - 1]}…"

    return BeforeValidator(cut)


class Reject(BaseModel):
    """Why the venue said no, in the venue's words, cut where they are too long."""

    model_config = ConfigDict(frozen=True)

    code: Annotated[str, _cut_to(512, "UNSPECIFIED")] = "UNSPECIFIED"
    text: Annotated[str, _cut_to(2048, "")] = ""


def _reject_of(raw: Any) -> Any:
    if raw is None or isinstance(raw, dict | Reject):
        return raw
    return {"text": raw}


class VenueExecution(BaseModel):
    """One execution as the gateway booked it.

    Errors: pydantic's ValidationError; an answer of another shape proves nothing about the order.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    client_order_id: Text | None = None
    gateway_order_id: Text | None
    exec_id: Text | None
    exec_type: Annotated[Text, BeforeValidator(lambda raw: raw[:512] if isinstance(raw, str) else raw)]
    ord_status: Literal["new", "partially_filled", "filled", "rejected", "canceled"]
    last_qty: VenueDecimal = None
    last_px: VenueDecimal = None
    cum_qty: VenueDecimal = None
    leaves_qty: VenueDecimal = None
    avg_px: VenueDecimal = None
    transact_time: AwareDatetime
    reject: Annotated[Reject | None, BeforeValidator(_reject_of)] = None

    @property
    def status(self) -> OrderStatus:
        return OrderStatus(self.ord_status)


def execution_body(execution: VenueExecution, gateway: str, latency_ms: float) -> ExecutionBody:
    reject = execution.reject
    return {
        "gateway": gateway,
        "gateway_order_id": execution.gateway_order_id,
        "exec_id": execution.exec_id,
        "exec_type": execution.exec_type,
        "ord_status": execution.ord_status,
        "last_qty": _text(execution.last_qty),
        "last_px": _text(execution.last_px),
        "cum_qty": _text(execution.cum_qty),
        "leaves_qty": _text(execution.leaves_qty),
        "avg_px": _text(execution.avg_px),
        "transact_time": execution.transact_time.isoformat(),
        "latency_ms": round(latency_ms, 3),
        "reject": None if reject is None else {"code": reject.code, "text": reject.text},
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


@dataclass(frozen=True, slots=True)
class Executed:
    """The gateway answered with an execution, be it a fill or a reject.

    `is_repeated` says that it first answered with an execution that it had reported before.
    """

    execution: VenueExecution
    latency_ms: float
    is_repeated: bool = False


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


KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Reported:
    """Hold which order an execution was reported for, and when the venue says that it happened."""

    client_order_id: str
    transact_time: datetime


class SeenExecutions:
    """Remember the last executions by day and id, with the order each belongs to.

    An `exec_id` is unique within a trading day of its gateway (FIX tag 17), and may come again on any other. The day is
    that of `transact_time` in UTC.
    """

    def __init__(self) -> None:
        self._reported: dict[tuple[date, str | None], Reported] = {}

    def of_another(self, execution: VenueExecution, client_order_id: str) -> Reported | None:
        """Give the other order that this execution was reported for before, if any."""
        reported = self._reported.get(_key(execution))
        return reported if reported is not None and reported.client_order_id != client_order_id else None

    def remember(self, execution: VenueExecution, client_order_id: str) -> None:
        """Take an execution that was reported for this order; the first one it was reported for keeps it."""
        if execution.exec_id is None:
            return
        self._reported.setdefault(_key(execution), Reported(client_order_id, execution.transact_time))
        if len(self._reported) > KEPT:
            del self._reported[next(iter(self._reported))]


def _key(execution: VenueExecution) -> tuple[date, str | None]:
    return execution.transact_time.astimezone(UTC).date(), execution.exec_id
