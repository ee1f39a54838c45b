"""Making a release current, forward or back: proven first, then written down, then moved.

A deploy brings its routing table along. A roll-back changes code and nothing else: the live table stays.

Source: SEC release 34-70694 (2013): at Knight Capital the roll-back brought an old configuration back, and spread the
fault.
"""

from dataclasses import dataclass
from pathlib import Path

from order_service.releases.manifest import ROUTING_TABLE, verify
from order_service.releases.records import Action, Move, append_move, read_moves
from order_service.releases.run import ask_release, ask_release_of_table
from order_service.releases.standing import previous
from order_service.releases.store import ReleaseCode, ReleaseError, ReleaseStore
from order_service.runtime.clock import now_text
from order_service.runtime.files import write_atomically


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """Hold who asks, why, and where the live routing table lies; no file named means the one of the last move.

    `with_shipped_table`: a roll-back, too, installs the table that its release was shipped with.
    """

    by: str
    reason: str
    routing_file: Path | None
    with_shipped_table: bool = False


def deploy(store: ReleaseStore, version: str, request: MoveRequest) -> Move:
    """Make a release current.

    Errors: ReleaseError when it is missing, corrupted or broken; nothing is changed then.
    """
    with store.locked():
        return _move(store, "deploy", version, request)


def roll_back(store: ReleaseStore, to: str | None, request: MoveRequest) -> Move:
    """Make the previous good release current, or a named one; the live routing table stays as it is.

    Errors: ReleaseError as deploy, when there is nothing to go back to, and when the release does not take the live
    table.
    Steps: a roll-back that was killed halfway is finished, so that asking twice does not go two releases back.
    """
    with store.locked():
        moves = read_moves(store.history)
        halfway = moves and moves[-1].action == "roll-back" and moves[-1].to_version != store.current()
        target = to or (moves[-1].to_version if halfway else previous(store, moves))
        return _move(store, "roll-back", target, request)


def _move(store: ReleaseStore, action: Action, version: str, request: MoveRequest) -> Move:
    """Move the pointer.

    Steps:
        1. Prove the release.
        2. A roll-back that was done already is left as it is: a table that was changed since stays.
        3. Write the history line, unless the last one says so already: a move killed halfway is finished here.
        4. Install the routing table of a deploy, then the pointer; each is replaced as a whole.
    """
    release = store.path(version)
    verify(release)
    ask_release(release)
    moves = read_moves(store.history)
    last = moves[-1] if moves else None
    routing_file = _routing_file(request, last)
    keeps_table = action == "roll-back" and not request.with_shipped_table
    move = last
    is_new = move is None or move.to_version != version or move.routing_file != str(routing_file)
    if move is not None and not is_new and action == "roll-back" and store.current() == version:
        return move
    if keeps_table:
        _prove_live_table(release, routing_file)
    if move is None or is_new:
        before = last.to_version if last else store.current()
        move = Move(now_text(), action, before, version, request.by, request.reason, str(routing_file))
        append_move(store.history, move)
    if not keeps_table:
        _install(release / ROUTING_TABLE, routing_file)
    store.point_to(version)
    return move


def _routing_file(request: MoveRequest, last: Move | None) -> Path:
    if request.routing_file is not None:
        return request.routing_file.absolute()
    if last is None:
        raise ReleaseError(
            ReleaseCode.ROUTING_FILE_UNKNOWN,
            "expected the place of the live table, was none; name it by --routing-file",
        )
    return Path(last.routing_file)


def _prove_live_table(release: Path, live: Path) -> None:
    """Let the release read the table that it would run with.

    Errors: ReleaseError when there is no such table, or the release refuses it; nothing was changed.
    """
    if not live.is_file():
        raise ReleaseError(
            ReleaseCode.LIVE_TABLE_REFUSED,
            f"expected the live routing table at {live}, was none; restore it, or name --with-shipped-table",
        )
    ask_release_of_table(release, live)


def _install(shipped: Path, live: Path) -> None:
    content = shipped.read_bytes()
    if not live.is_file() or live.read_bytes() != content:
        write_atomically(live, content)
