"""The faults a gateway can be told to show, and the reading of such an order."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from order_service.gateway_simulator.order import AssetClass


class FaultKind(StrEnum):
    """Say what the gateway does wrong.

    Steps:
        1. The order port: refuse (closed), unreachable (connects get no answer), flapping (refuse and none in turn).
        2. Every answer: silence (booked, never answered), latency (answered late).
        3. Answers to orders and cancels: truncated, reset, duplicate_fill (one execution answered twice in one write).
        4. The order itself: reject, ack_without_fill, partial_fill.
    """

    NONE = "none"
    REFUSE = "refuse"
    SILENCE = "silence"
    UNREACHABLE = "unreachable"
    LATENCY = "latency"
    REJECT = "reject"
    ACK_WITHOUT_FILL = "ack_without_fill"
    PARTIAL_FILL = "partial_fill"
    TRUNCATED = "truncated"
    RESET = "reset"
    DUPLICATE_FILL = "duplicate_fill"
    FLAPPING = "flapping"


OF_THE_PORT = frozenset({FaultKind.REFUSE, FaultKind.UNREACHABLE, FaultKind.FLAPPING})


class InvalidFault(ValueError):
    """Tell that a fault as ordered cannot be shown."""


class Fault(BaseModel):
    """Hold one fault with its numbers.

    Units: latency in milliseconds, period in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    fault: FaultKind
    latency_ms: float = Field(default=3000, ge=0, le=600_000, allow_inf_nan=False)
    code: str = Field(default="VENUE_REJECT", min_length=1, max_length=64)
    text: str = Field(default="rejected by the venue", max_length=500)
    period_s: float = Field(default=10, ge=0.05, le=3600, allow_inf_nan=False)
    asset_classes: frozenset[AssetClass] = frozenset()

    @model_validator(mode="after")
    def _a_port_knows_no_asset_class(self) -> Self:
        if self.asset_classes and self.fault in OF_THE_PORT:
            raise ValueError("asset_classes cannot narrow a fault of the whole port")
        return self

    def concerns(self, asset_class: AssetClass) -> bool:
        """Say whether an order of this asset class meets the fault; no classes named means all."""
        return not self.asset_classes or asset_class in self.asset_classes

    def document(self) -> dict[str, object]:
        """Show the fault as JSON."""
        return {**self.model_dump(mode="json"), "asset_classes": sorted(self.asset_classes)}


NO_FAULT = Fault(fault=FaultKind.NONE)


def parse_fault(body: bytes) -> Fault:
    """Read a fault from the body of a request.

    Errors: InvalidFault, naming the first field that is wrong.
    """
    try:
        return Fault.model_validate_json(body)
    except ValidationError as error:
        raise InvalidFault(_first(error.errors()[0])) from None


def _first(detail: Mapping[str, object]) -> str:
    where = detail["loc"]
    names = ".".join(str(part) for part in where) if isinstance(where, tuple) else ""
    return f"{names or 'body'}: {detail['msg']}"
