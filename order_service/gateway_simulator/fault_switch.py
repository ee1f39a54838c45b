"""The faults a gateway can show, and the switch that puts one into force at once, on its port and connections."""

import asyncio
import contextlib
from enum import StrEnum
from typing import Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from order_service.gateway_simulator.port import OrderPort
from order_service.gateway_simulator.venue_order import AssetClass
from order_service.runtime.validation import first_problem


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
    """The fault as requested cannot be shown."""


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
        return {**self.model_dump(mode="json"), "asset_classes": sorted(self.asset_classes)}


NO_FAULT = Fault(fault=FaultKind.NONE)


def parse_fault(body: bytes) -> Fault:
    """Read a fault from the body of a request.

    Errors: InvalidFault, naming the first field that is wrong.
    """
    try:
        return Fault.model_validate_json(body)
    except ValidationError as error:
        raise InvalidFault(": ".join(first_problem(error, "body"))) from None


class FaultSwitch:
    def __init__(self) -> None:
        self.fault = NO_FAULT
        self._port: OrderPort | None = None
        self._server: web.Server | None = None
        self._held: set[asyncio.Transport] = set()
        self._flapping: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def connect(self, port: OrderPort, server: web.Server) -> None:
        """Take charge of a port and its connections, and open it."""
        self._port, self._server = port, server
        await port.open()

    def for_order(self, asset_class: AssetClass) -> Fault:
        return self.fault if self.fault.concerns(asset_class) else NO_FAULT

    def for_reading(self) -> Fault:
        """Give the fault that a question meets: only one that takes the whole gateway."""
        whole = self.fault.fault in {FaultKind.SILENCE, FaultKind.LATENCY, FaultKind.UNREACHABLE}
        return self.fault if whole and not self.fault.asset_classes else NO_FAULT

    async def hold(self, transport: asyncio.Transport) -> None:
        """Leave a request without an answer until its connection ends."""
        self._held.add(transport)
        try:
            await asyncio.Event().wait()
        finally:
            self._held.discard(transport)

    async def set(self, fault: Fault) -> None:
        """Put a fault into force.

        Steps:
            1. Stop flapping, if that was the fault.
            2. Put the port into its new state; a closed port drops its connections as a dead process does.
            3. End requests that the old fault left hanging: they get no answer, late or otherwise.
        """
        async with self._lock:
            await self._stop_flapping()
            self.fault = fault
            await self._set_port(fault)
            for transport in list(self._held):
                transport.abort()

    async def close(self) -> None:
        await self._stop_flapping()
        await self._refuse()

    async def _set_port(self, fault: Fault) -> None:
        port = self._connected()
        if fault.fault not in OF_THE_PORT:
            await port.open()
        elif fault.fault is FaultKind.UNREACHABLE:
            await port.unanswer()
        elif fault.fault is FaultKind.REFUSE:
            await self._refuse()
        else:
            await self._refuse()
            self._flapping = asyncio.create_task(self._flap(fault.period_s))

    async def _flap(self, period_s: float) -> None:
        while True:
            await asyncio.sleep(period_s)
            await self._connected().open()
            await asyncio.sleep(period_s)
            await self._refuse()

    async def _refuse(self) -> None:
        await self._connected().close()
        for connection in self._server.connections if self._server else ():
            if connection.transport is not None:
                connection.transport.abort()

    async def _stop_flapping(self) -> None:
        if self._flapping is not None:
            self._flapping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._flapping
            self._flapping = None

    def _connected(self) -> OrderPort:
        if self._port is None:
            raise RuntimeError("NOT_CONNECTED: expected a port, was none; call connect first")
        return self._port
