"""One gateway as a process: takes its ports, loads its journal, serves until it is stopped."""

import argparse
import asyncio
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from order_service.gateway_simulator.book import Book, EventFile
from order_service.gateway_simulator.fault_switch import FaultSwitch
from order_service.gateway_simulator.port import OrderPort
from order_service.gateway_simulator.servers import AdminServer, OrderServer
from order_service.gateway_simulator.venue_order import ASSET_CLASSES, AssetClass
from order_service.runtime.codes import CannotStart
from order_service.runtime.command_line import OneLineParser, port
from order_service.runtime.known_hosts import KnownHosts
from order_service.runtime.listening import bind, stop_signal

_TRADED: dict[str, frozenset[AssetClass]] = {
    "XNAS": frozenset({"equity"}),
    "XNYS": frozenset({"equity"}),
    "XCME": frozenset({"future", "fx"}),
    "FXALL": frozenset({"fx"}),
    "CRYP": frozenset({"crypto"}),
}


@dataclass(frozen=True, slots=True)
class GatewayArguments:
    name: str
    host: str
    port: int
    admin_port: int
    journal: Path
    classes: frozenset[AssetClass]
    allowed_hosts: tuple[str, ...] = ()


def parse_arguments(arguments: list[str]) -> GatewayArguments:
    """Read the command line.

    Errors: SystemExit 2 with one line that names the option.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.admin_port is None:
        given.admin_port = given.port + 100 if given.port else 0
    if given.port and given.port == given.admin_port:
        parser.error(f"argument --admin-port: expected another port than --port, was {given.port}")
    classes = given.classes or _TRADED.get(given.name, frozenset(ASSET_CLASSES))
    ports = (given.port, given.admin_port)
    return GatewayArguments(given.name, given.host, *ports, given.journal, classes, tuple(given.allowed_host))


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m order_service.gateway_simulator", description="Run one gateway for drills.")
    parser.add_argument("--name", required=True, type=_name)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", required=True, type=port, help="order port; 0 takes a free one")
    parser.add_argument("--admin-port", type=port, help="fault switch; default order port + 100")
    parser.add_argument("--journal", required=True, type=Path, help="file that keeps the booked orders")
    parser.add_argument("--allowed-host", action="append", default=[], help="another name it is asked under")
    parser.add_argument("--classes", type=_classes, help="asset classes traded, separated by commas")
    return parser


def _name(text: str) -> str:
    if not (text.isascii() and text.replace("_", "").replace("-", "").isalnum() and len(text) <= 32):
        raise argparse.ArgumentTypeError(f"expected letters, digits, - and _, was {text!r}")
    return text


def _classes(text: str) -> frozenset[AssetClass]:
    named = [name for name in ASSET_CLASSES if name in text.split(",")]
    if not named or len(named) != len(text.split(",")):
        raise argparse.ArgumentTypeError(f"expected any of {','.join(ASSET_CLASSES)}, was {text!r}")
    return frozenset(named)


async def serve(given: GatewayArguments) -> None:
    """Serve until SIGTERM or SIGINT.

    Errors: CannotStart when a port is taken or the journal cannot be opened.
    Steps: ports first, so that a second gateway never touches the journal of the first.
    """
    order_socket = _take(given.host, given.port)
    admin_socket = _take(given.host, given.admin_port)
    journal = EventFile(given.journal)
    book = Book(given.name, journal, given.classes)
    _load(book, journal)
    switch = FaultSwitch()
    orders = OrderServer(given.name, book, switch, KnownHosts.of(given.host, given.allowed_hosts))
    # A client that hangs up ends its handler, or silent requests would gather for ever.
    order_server = web.Server(orders.handle, access_log=None, handler_cancellation=True, keepalive_timeout=3600)
    admin_server = web.Server(AdminServer(switch, orders).handle, access_log=None)
    await switch.connect(OrderPort(order_socket, order_server), order_server)
    admin = await asyncio.get_running_loop().create_server(admin_server, sock=admin_socket)
    stop = stop_signal()
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
        raise CannotStart(f"PORT_TAKEN: expected port {port} free, was {error.strerror}; choose another", 1) from None
    return taken


def _load(book: Book, journal: EventFile) -> None:
    try:
        journal.open()
        book.load()
    except OSError as error:
        raise CannotStart(f"JOURNAL_UNUSABLE: expected a writable file, was {error}; choose another", 1) from None
    if journal.skipped_count:
        sys.stderr.write(f"JOURNAL_LINES_SKIPPED: expected JSON lines, was otherwise lines={journal.skipped_count}\n")


def _announce(given: GatewayArguments, orders: socket.socket, admin: socket.socket) -> None:
    where = [f"http://{given.host}:{each.getsockname()[1]}" for each in (orders, admin)]
    sys.stdout.write(f"{given.name} takes orders at {where[0]} and faults at {where[1]}\n")
    sys.stdout.flush()
