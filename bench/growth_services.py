"""Serve many scripted services in one small process: `python -m bench.growth_services 100`.

Each listens on a port of its own and keeps the contract of the stub. The first line on stdout names them; a number on
stdin makes that many of them unhealthy, and 0 all of them healthy again.
"""

import asyncio
import sys

from order_service.stub.control_plane import StubControl
from order_service.stub.http import Connections, Reply, Request
from order_service.stub.scenarios import SCENARIOS, Pace
from order_service.stub.scripted_service import StubService
from order_service.stub.server import parse_arguments, port_of

FAILING = SCENARIOS["orders_fail"]
HOST = parse_arguments(["--scenario", "healthy", "--port", "0"]).host


async def main(count: int) -> None:
    """Serve until stdin ends."""
    unhealthy_count = 0

    async def listen(number: int) -> int:
        service = StubService(StubControl(None, FAILING.obedience))

        def answer(request: Request) -> Reply:
            reply = service.answer(request)
            return FAILING.bend(request, reply, Pace()) if number < unhealthy_count else reply

        return port_of(await asyncio.start_server(Connections(answer).serve, HOST, 0, backlog=256))

    print(*[f"http://{HOST}:{await listen(number)}" for number in range(count)], flush=True)
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        unhealthy_count = int(line)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
