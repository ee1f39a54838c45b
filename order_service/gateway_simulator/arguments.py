"""The command line of a gateway."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from order_service.gateway_simulator.order import ASSET_CLASSES, AssetClass

_TRADED: dict[str, frozenset[AssetClass]] = {
    "XNAS": frozenset({"equity"}),
    "XNYS": frozenset({"equity"}),
    "XCME": frozenset({"future", "fx"}),
    "FXALL": frozenset({"fx"}),
    "CRYP": frozenset({"crypto"}),
}


@dataclass(frozen=True, slots=True)
class Arguments:
    """Hold what a gateway is started with."""

    name: str
    host: str
    port: int
    admin_port: int
    journal: Path
    classes: frozenset[AssetClass]
    allowed_hosts: tuple[str, ...] = ()


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"BAD_ARGUMENTS: {message}; --help shows the options\n")
        raise SystemExit(2)


def parse_arguments(arguments: list[str]) -> Arguments:
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
    return Arguments(given.name, given.host, *ports, given.journal, classes, tuple(given.allowed_host))


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(prog="python -m order_service.gateway_simulator", description="Run one gateway for drills.")
    parser.add_argument("--name", required=True, type=_name)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", required=True, type=_port, help="order port; 0 takes a free one")
    parser.add_argument("--admin-port", type=_port, help="fault switch; default order port + 100")
    parser.add_argument("--journal", required=True, type=Path, help="file that keeps the booked orders")
    parser.add_argument("--allowed-host", action="append", default=[], help="another name it is asked under")
    parser.add_argument("--classes", type=_classes, help="asset classes traded, separated by commas")
    return parser


def _name(text: str) -> str:
    if not (text.isascii() and text.replace("_", "").replace("-", "").isalnum() and len(text) <= 32):
        raise argparse.ArgumentTypeError(f"expected letters, digits, - and _, was {text!r}")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"expected 0 to 65535, was {text!r}")
    return int(text)


def _classes(text: str) -> frozenset[AssetClass]:
    named = [name for name in ASSET_CLASSES if name in text.split(",")]
    if not named or len(named) != len(text.split(",")):
        raise argparse.ArgumentTypeError(f"expected any of {','.join(ASSET_CLASSES)}, was {text!r}")
    return frozenset(named)
