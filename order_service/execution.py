"""What a gateway answers about an order, as it must look to be believed."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from order_service.decimals import plain
from order_service.order import OrderStatus

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
        """Say what became of the order, in this service's words."""
        return OrderStatus(self.ord_status)


def execution_block(execution: VenueExecution, gateway: str, latency_ms: float) -> dict[str, object]:
    """Write the `execution` block of an order's answer, decimals as strings."""
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
        "transact_time": execution.transact_time,
        "latency_ms": round(latency_ms, 3),
        "reject": None if execution.reject is None else {"code": execution.reject.code, "text": execution.reject.text},
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
