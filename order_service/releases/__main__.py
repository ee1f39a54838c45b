"""Release commands: `python -m order_service.releases build|deploy|list|roll-back|run --root DIR ...`."""

import argparse
import json
import sys

from order_service.releases.arguments import parse_arguments
from order_service.releases.build import build
from order_service.releases.check import check
from order_service.releases.deploy import Request, deploy, roll_back
from order_service.releases.errors import ReleaseCode, ReleaseError
from order_service.releases.history import Move
from order_service.releases.listing import lines, listing
from order_service.releases.run import run
from order_service.releases.store import ReleaseStore


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
            ill = "" if given.drill is None else f" DRILL fault={given.drill.fault}"
            _say(f"built {manifest.version} files={len(manifest.files)} digest={manifest.digest[:12]}{ill}")
        case "deploy":
            _say_move(deploy(store, given.version, Request(given.by, given.reason, given.routing_file)))
        case "roll-back":
            request = Request(given.by, given.reason, given.routing_file, given.with_shipped_table)
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


if __name__ == "__main__":
    sys.exit(main())
