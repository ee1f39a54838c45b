"""The command line of the stub."""

import argparse
import sys
from dataclasses import dataclass
from typing import NoReturn

from order_service.stub.control import Obedience
from order_service.stub.scenarios import SCENARIOS


@dataclass(frozen=True, slots=True)
class Arguments:
    """Hold what the stub is started with.

    Units: seconds.
    """

    scenario: str
    host: str
    port: int
    control_token: str | None
    control: Obedience | None
    unresolved: int | None
    slow_s: float
    period_s: float
    drip_interval_s: float


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"BAD_ARGUMENTS: {' '.join(message.split())}; --help shows the options\n")
        raise SystemExit(2)


class _List(argparse.Action):
    def __call__(self, *_: object) -> None:
        sys.stdout.writelines(f"{name:<34}{scenario.summary}\n" for name, scenario in SCENARIOS.items())
        raise SystemExit(0)


def parse_arguments(arguments: list[str]) -> Arguments:
    """Read the command line.

    Errors: SystemExit 2 with one line that names the option; 0 after --list.
    """
    parser = _OneLineParser(prog="python -m order_service.stub", description="Serve scripted answers of the contract.")
    parser.add_argument("--list", nargs=0, action=_List, help="show the scenarios and end")
    parser.add_argument("--scenario", required=True, choices=SCENARIOS, metavar="S")
    parser.add_argument("--port", required=True, type=_port, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--control-token", help="expected by /control; none means that anyone may")
    parser.add_argument(
        "--control", type=Obedience, choices=list(Obedience), help="how changes are taken; default the scenario's own"
    )
    parser.add_argument(
        "--unresolved", type=_count, metavar="N", help="real orders that stay unknown; default the scenario's own"
    )
    parser.add_argument("--slow-s", type=_seconds, default=3.0, help="delay of the scenario slow")
    parser.add_argument("--period-s", type=_seconds, default=10.0, help="half a period of the scenario flapping")
    parser.add_argument("--drip-interval-s", type=_seconds, default=1.0, help="time between two bytes of drip")
    given = vars(parser.parse_args(arguments))
    given.pop("list")
    return Arguments(**given)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"expected 0 to 65535, was {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 10_000):
        raise argparse.ArgumentTypeError(f"expected 0 to 10000, was {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"expected seconds up to 3600, was {text!r}")
    return seconds
