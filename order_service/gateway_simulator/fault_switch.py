"""The fault switch: puts a fault into force at once, on the port and on every connection that is open."""

import asyncio
import contextlib

from aiohttp import web

from order_service.gateway_simulator.fault import NO_FAULT, OF_THE_PORT, Fault, FaultKind
from order_service.gateway_simulator.order import AssetClass
from order_service.gateway_simulator.port import OrderPort


class FaultSwitch:
    """Hold the fault in force and change it."""

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
        """Give the fault that an order of this class meets."""
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
        """Refuse everything; used at the end of the process."""
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
