"""The stub as a listening server: one scenario, one address."""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from order_service.runtime.codes import Code
from order_service.runtime.command_line import OneLineParser, port, up_to
from order_service.runtime.known_hosts import KnownHosts
from order_service.stub.control_plane import Obedience, StubControl
from order_service.stub.description import Description, read_description
from order_service.stub.foreign_speech import ForeignSpeech, check
from order_service.stub.http import Connections, Reply, Request, problem
from order_service.stub.scenarios import SCENARIOS, Pace
from order_service.stub.scripted_service import StubService


@dataclass(frozen=True, slots=True)
class StubArguments:
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
    description: Description | None


class _List(argparse.Action):
    def __call__(self, *_: object) -> None:
        sys.stdout.writelines(f"{name:<34}{scenario.summary}\n" for name, scenario in SCENARIOS.items())
        raise SystemExit(0)


def parse_arguments(arguments: list[str]) -> StubArguments:
    """Read the command line.

    Errors: SystemExit 2 with one line that names the option; 0 after --list.
    """
    parser = OneLineParser(prog="python -m order_service.stub", description="Serve scripted answers of the contract.")
    parser.add_argument("--list", nargs=0, action=_List, help="show the scenarios and end")
    parser.add_argument("--scenario", required=True, choices=SCENARIOS, metavar="S")
    parser.add_argument("--port", required=True, type=port, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--control-token", help="expected by /control; none means that anyone may")
    parser.add_argument(
        "--control", type=Obedience, choices=list(Obedience), help="how changes are taken; default the scenario's own"
    )
    parser.add_argument(
        "--unresolved", type=up_to(10_000), metavar="N", help="real orders that stay unknown; default the scenario's"
    )
    parser.add_argument("--slow-s", type=_seconds, default=3.0, help="delay of the scenario slow")
    parser.add_argument("--period-s", type=_seconds, default=10.0, help="half a period of the scenario flapping")
    parser.add_argument("--drip-interval-s", type=_seconds, default=1.0, help="time between two bytes of drip")
    parser.add_argument("--description", type=Path, metavar="FILE", help="speak as a service of this runbook.toml does")
    parser.add_argument("--service", metavar="NAME", help="which of its services; optional where there is one")
    given = vars(parser.parse_args(arguments))
    given.pop("list")
    try:
        given["description"] = _described(given["description"], given.pop("service"))
    except (ValueError, OSError) as error:
        parser.error(f"argument --description: {error}")
    return StubArguments(**given)


def _described(file: Path | None, service: str | None) -> Description | None:
    if file is None:
        return None
    found = read_description(file, service)
    check(found)
    return found


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"expected seconds up to 3600, was {text!r}")
    return seconds


async def listen(given: StubArguments) -> asyncio.Server:
    """Listen with one scenario.

    Errors: OSError when the port is taken.
    """
    scenario = SCENARIOS[given.scenario]
    control = StubControl(given.control_token, given.control or scenario.obedience)
    service = StubService(control, scenario.trade, scenario.down, KnownHosts.of(given.host))
    service.place_unresolved(scenario.unresolved_count if given.unresolved is None else given.unresolved)
    speech = ForeignSpeech(given.description) if given.description else None
    started = time.monotonic()

    def answer(request: Request) -> Reply:
        pace = Pace(time.monotonic() - started, given.slow_s, given.period_s)
        return scenario.bend(request, service.answer(request), pace)

    def answer_described(request: Request) -> Reply:
        heard = speech.heard(request) if speech else request
        if heard is None:
            return problem(Code.NOT_FOUND, f"nothing is at {request.path[:100]}")
        reply = answer(heard)
        return speech.said(heard, reply) if speech else reply

    return await asyncio.start_server(
        Connections(answer_described, given.drip_interval_s).serve, given.host, given.port
    )


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])
