"""Serve many scripted patients in one small process: `python -m bench.growth_patients 100`.

Each listens on a port of its own and keeps the contract of the stub. The ports are told on stdout, as one JSON list; a
number on stdin makes that many of them ill, and 0 makes all of them well again.
"""

import asyncio
import json
import sys

from order_service.stub.arguments import Arguments, parse_arguments
from order_service.stub.control import Control
from order_service.stub.patient import Patient
from order_service.stub.scenarios import SCENARIOS, Pace
from order_service.stub.server import port_of
from order_service.stub.wire import Reply, Request, Wire

ILL = SCENARIOS["orders_fail"]
GIVEN: Arguments = parse_arguments(["--scenario", "healthy", "--port", "0"])


class Ward:
    """All patients; the first `ill_count` of them are ill."""

    def __init__(self) -> None:
        self.ill_count = 0

    async def admit(self, number: int) -> int:
        """Let one patient listen, and give its port."""
        patient = Patient(Control(None, ILL.obedience))

        def answer(request: Request) -> Reply:
            reply = patient.answer(request)
            return ILL.bend(request, reply, Pace()) if number < self.ill_count else reply

        return port_of(await asyncio.start_server(Wire(answer).serve, GIVEN.host, 0, backlog=256))


async def serve(count: int) -> None:
    """Serve until stdin ends."""
    ward, loop = Ward(), asyncio.get_running_loop()
    ports = [await ward.admit(number) for number in range(count)]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        ward.ill_count = int(line)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
