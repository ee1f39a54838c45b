"""The release commands: what they take, and what each does."""

import argparse
import getpass
import json
import sys
from pathlib import Path

from order_service.releases.build import AT_START_ONLY, FAULTS, Drill, build
from order_service.releases.deploy import MoveRequest, deploy, roll_back
from order_service.releases.records import Move
from order_service.releases.run import check, run
from order_service.releases.standing import lines, listing
from order_service.releases.store import ReleaseCode, ReleaseError, ReleaseStore, is_version
from order_service.runtime.command_line import OneLineParser

_RUNNING_PACKAGE = Path(__file__).resolve().parents[1]


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line.

    Errors: SystemExit 2 with one line that names the option.
    """
    parser = OneLineParser(prog="python -m order_service.releases", description="Build, deploy and roll back releases.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_build(_add(commands, "build", "copy the package into an immutable release"))
    deploying = _add(commands, "deploy", "make a release current")
    _add_version(deploying)
    _add_move(deploying)
    _add(commands, "list", "show every release").add_argument("--json", action="store_true")
    rolling_back = _add(commands, "roll-back", "make the previous good release current; the live routing table stays")
    rolling_back.add_argument("--to", type=_version, help="a named release instead of the previous one")
    _add_move(rolling_back)
    rolling_back.add_argument(
        "--with-shipped-table",
        action="store_true",
        help="replace the live routing table by the release's own: limits, price bands, features, timeouts",
    )
    _add(commands, "run", "become the current release's service")
    checking = commands.add_parser("check", help="what deploy asks of a release, in the release's own code")
    checking.add_argument("--release", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.command in {"build", "deploy"}:
        given.version = _one_version(parser, given)
    if given.command == "build":
        given.drill = _drill(parser, given)
    return given


def _drill(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Drill | None:
    if given.on_signal and (given.fault is None or given.fault in AT_START_ONLY):
        parser.error(f"argument --on-signal: expected a --fault that can wait for one, was {given.fault}")
    return None if given.fault is None else Drill(given.fault, given.on_signal)


def _one_version(parser: argparse.ArgumentParser, given: argparse.Namespace) -> str:
    named = {each for each in (given.version, given.named_version) if each is not None}
    if len(named) != 1:
        parser.error(f"expected one version, was {len(named)}")
    return str(named.pop())


def _add(commands: "argparse._SubParsersAction[OneLineParser]", name: str, what: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what)
    command.add_argument("--root", type=Path, required=True, help="directory of all releases")
    return command


def _add_build(command: argparse.ArgumentParser) -> None:
    _add_version(command)
    command.add_argument(
        "--source", type=Path, default=_RUNNING_PACKAGE, help="package to copy; default the one that runs"
    )
    command.add_argument("--config", type=Path, help="configuration to ship; default the package's own")
    command.add_argument(
        "--fault", choices=FAULTS, metavar="NAME", help=f"a drill release, broken on purpose: {', '.join(FAULTS)}"
    )
    command.add_argument(
        "--on-signal", action="store_true", help="the fault comes and goes at SIGUSR2, not by itself after the start"
    )


def _add_move(command: argparse.ArgumentParser) -> None:
    command.add_argument("--routing-file", type=Path, help="the live routing table; default that of the last move")
    command.add_argument("--by", default=getpass.getuser(), help="who asks; default the user")
    command.add_argument("--reason", default="", help="why")


def _add_version(command: argparse.ArgumentParser) -> None:
    command.add_argument("version", nargs="?", type=_version, help="release, as 1.4.2")
    command.add_argument("--version", dest="named_version", type=_version, help="the same, as an option")


def _version(text: str) -> str:
    if not is_version(text):
        raise argparse.ArgumentTypeError(f"expected letters, digits and . _ + -, was {text!r}")
    return text


def main() -> int:
    """Run one command; 1 and one line when it cannot be done."""
    given = parse_arguments(sys.argv[1:])
    if given.command == "check":
        check(given.release)
        return 0
    try:
        return _do(given, ReleaseStore(given.root))
    except OSError as error:
        failure = ReleaseError(ReleaseCode.FILES_UNUSABLE, f"expected usable files under {given.root}, was {error}")
    except ReleaseError as error:
        failure = error
    sys.stderr.write(f"{failure}\n")
    return 1


def _do(given: argparse.Namespace, store: ReleaseStore) -> int:
    match given.command:
        case "build":
            manifest = build(store, given.version, given.source, given.config, given.drill)
            drill = "" if given.drill is None else f" DRILL fault={given.drill.fault}"
            _say(f"built {manifest.version} files={len(manifest.files)} digest={manifest.digest[:12]}{drill}")
        case "deploy":
            _say_move(deploy(store, given.version, MoveRequest(given.by, given.reason, given.routing_file)))
        case "roll-back":
            request = MoveRequest(given.by, given.reason, given.routing_file, given.with_shipped_table)
            _say_move(roll_back(store, given.to, request))
        case "list":
            _say(json.dumps(listing(store)) if given.json else "\n".join(lines(store)))
        case _:
            return run(store)
    return 0


def _say_move(move: Move) -> None:
    _say(f"current is {move.to_version}, was {move.from_version}; takes effect at the next start")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
