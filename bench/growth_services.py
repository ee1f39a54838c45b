"""Serve many scripted services in few small processes: `python -m bench.growth_services 100 FOLDER`.

Each listens on a port of its own and keeps the contract of the stub; its process is named in `FOLDER/PORT.pid`. The
first line on stdout names the ports; a number on stdin makes that many unhealthy, and 0 all of them healthy again.
"""

import asyncio
import multiprocessing
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from order_service.stub.control_plane import StubControl
from order_service.stub.http import Connections, Reply, Request
from order_service.stub.scenarios import SCENARIOS, Pace
from order_service.stub.scripted_service import StubService
from order_service.stub.server import parse_arguments, port_of

FAILING = SCENARIOS["orders_fail"]
HOST = parse_arguments(["--scenario", "healthy", "--port", "0"]).host
# A process is looked at with all its sockets: one of a thousand services is like none that there is.
PER_PROCESS_COUNT = 50


def main(count: int, folder: Path) -> None:
    """Serve until stdin ends."""
    context = multiprocessing.get_context("fork")
    parents: list[Connection] = []
    for first in range(0, count, PER_PROCESS_COUNT):
        parent, child = context.Pipe()
        parents.append(parent)
        numbers = range(first, min(first + PER_PROCESS_COUNT, count))
        context.Process(target=served, args=(numbers, folder, child, tuple(parents)), daemon=True).start()
        child.close()
    print(*[f"http://{HOST}:{port}" for parent in parents for port in parent.recv()], flush=True)
    for line in sys.stdin:
        for parent in parents:
            parent.send(int(line))


def served(numbers: range, folder: Path, orders: Connection, others: tuple[Connection, ...]) -> None:
    """Serve some of them in a process and a session of their own, until the first process ends."""
    os.setsid()
    # Who holds the other end of its own connection never learns that it is closed.
    for one in others:
        one.close()
    asyncio.run(_served(numbers, folder, orders))


async def _served(numbers: range, folder: Path, orders: Connection) -> None:
    unhealthy_count = 0

    async def listen(number: int) -> int:
        service = StubService(StubControl(None, FAILING.obedience))

        def answer(request: Request) -> Reply:
            reply = service.answer(request)
            return FAILING.bend(request, reply, Pace()) if number < unhealthy_count else reply

        port = port_of(await asyncio.start_server(Connections(answer).serve, HOST, 0, backlog=256))
        (folder / f"{port}.pid").write_text(str(os.getpid()), "ascii")
        return port

    orders.send([await listen(number) for number in numbers])
    while True:
        try:
            unhealthy_count = await asyncio.get_running_loop().run_in_executor(None, orders.recv)
        except EOFError:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
