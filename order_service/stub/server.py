"""The stub as a listening server: one scenario, one address."""

import asyncio
import time

from order_service.senders import KnownHosts
from order_service.stub.arguments import Arguments
from order_service.stub.control import Control
from order_service.stub.patient import Patient
from order_service.stub.scenarios import SCENARIOS, Pace
from order_service.stub.wire import Reply, Request, Wire


async def listen(given: Arguments) -> asyncio.Server:
    """Listen with one scenario.

    Errors: OSError when the port is taken.
    """
    scenario = SCENARIOS[given.scenario]
    control = Control(given.control_token, given.control or scenario.obedience)
    patient = Patient(control, scenario.trade, scenario.down, KnownHosts.of(given.host))
    patient.lose(scenario.unresolved_count if given.unresolved is None else given.unresolved)
    started = time.monotonic()

    def answer(request: Request) -> Reply:
        pace = Pace(time.monotonic() - started, given.slow_s, given.period_s)
        return scenario.bend(request, patient.answer(request), pace)

    return await asyncio.start_server(Wire(answer, given.drip_interval_s).serve, given.host, given.port)


def port_of(server: asyncio.Server) -> int:
    """Give the port a server listens on."""
    return int(server.sockets[0].getsockname()[1])
