"""One gateway as a process: takes its ports, loads its journal, serves until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
import sys

from aiohttp import web

from order_service.gateway_simulator.admin_server import AdminServer
from order_service.gateway_simulator.arguments import Arguments
from order_service.gateway_simulator.book import Book
from order_service.gateway_simulator.fault_switch import FaultSwitch
from order_service.gateway_simulator.journal import Journal
from order_service.gateway_simulator.order_server import OrderServer
from order_service.gateway_simulator.port import OrderPort, bind
from order_service.senders import KnownHosts


class CannotStart(Exception):
    """Tell in one line why the gateway does not come up."""


async def serve(given: Arguments) -> None:
    """Serve until SIGTERM or SIGINT.

    Errors: CannotStart when a port is taken or the journal cannot be opened.
    Steps: ports first, so that a second gateway never touches the journal of the first.
    """
    order_socket = _take(given.host, given.port)
    admin_socket = _take(given.host, given.admin_port)
    journal = Journal(given.journal)
    book = Book(given.name, journal, given.classes)
    _load(book, journal)
    switch = FaultSwitch()
    orders = OrderServer(given.name, book, switch, KnownHosts.of(given.host, given.allowed_hosts))
    # A client that hangs up ends its handler, or silent requests would gather for ever.
    order_server = web.Server(orders.handle, access_log=None, handler_cancellation=True, keepalive_timeout=3600)
    admin_server = web.Server(AdminServer(switch, orders).handle, access_log=None)
    await switch.connect(OrderPort(order_socket, order_server), order_server)
    admin = await asyncio.get_running_loop().create_server(admin_server, sock=admin_socket)
    stop = _stop_signal()
    _announce(given, order_socket, admin_socket)
    await stop.wait()
    admin.close()
    await switch.close()
    journal.close()


def _take(host: str, port: int) -> socket.socket:
    try:
        taken = bind(host, port)
        taken.listen(1024)  # two gateways may both bind one port, but only one may listen
    except OSError as error:
        raise CannotStart(f"PORT_TAKEN: expected port {port} free, was {error.strerror}; choose another") from None
    return taken


def _load(book: Book, journal: Journal) -> None:
    try:
        journal.open()
        book.load()
    except OSError as error:
        raise CannotStart(f"JOURNAL_UNUSABLE: expected a writable file, was {error}; choose another") from None
    if journal.skipped_count:
        sys.stderr.write(f"JOURNAL_LINES_SKIPPED: expected JSON lines, was otherwise lines={journal.skipped_count}\n")


def _announce(given: Arguments, orders: socket.socket, admin: socket.socket) -> None:
    where = [f"http://{given.host}:{each.getsockname()[1]}" for each in (orders, admin)]
    sys.stdout.write(f"{given.name} takes orders at {where[0]} and faults at {where[1]}\n")
    sys.stdout.flush()


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: SIGINT arrives as KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    return stop
