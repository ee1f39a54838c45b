"""What was made current, by whom and why: appended before the pointer moves, so that no move is ever missing."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from order_service.releases.files import append_line

Action = Literal["deploy", "roll-back"]


@dataclass(frozen=True, slots=True)
class Move:
    """Hold one line: the pointer went from one release to another."""

    at: str
    action: Action
    from_version: str | None
    to_version: str
    by: str
    reason: str
    routing_file: str

    def document(self) -> dict[str, object]:
        """Show the move as a line of the history does."""
        fields = asdict(self)
        return {"from": fields.pop("from_version"), "to": fields.pop("to_version"), **fields}


def now() -> str:
    """Give the time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def append_move(path: Path, move: Move) -> None:
    """Write one move.

    Errors: OSError.
    """
    append_line(path, json.dumps(move.document(), sort_keys=True).encode())


def read_moves(path: Path) -> list[Move]:
    """Read all moves; a line that is none is left out.

    Errors: OSError when the file is there but cannot be read.
    """
    if not path.exists():
        return []
    return [move for line in path.read_bytes().splitlines() if (move := _parse(line)) is not None]


def rolled_away(moves: Iterable[Move]) -> dict[str, str]:
    """Give the releases that were rolled away from and not deployed since, each with the time of it."""
    bad: dict[str, str] = {}
    for move in moves:
        if move.action == "roll-back" and move.from_version is not None:
            bad[move.from_version] = move.at
        bad.pop(move.to_version, None)
    return bad


def roll_back_candidates(moves: Sequence[Move]) -> list[str]:
    """Give the releases to go back to, nearest first.

    Steps:
        1. A deploy puts its release on top; a roll-back takes off everything above its target.
        2. What was rolled away from is bad until it is deployed again, and is never gone back to.
    """
    stack: list[str] = []
    bad = rolled_away(moves)
    for move in moves:
        target = move.to_version
        if move.action == "roll-back" and target in stack:
            stack = stack[: stack.index(target) + 1]
        else:
            stack = [*(each for each in stack if each != target), target]
    return [version for version in reversed(stack[:-1]) if version not in bad]


def _parse(line: bytes) -> Move | None:
    try:
        read = json.loads(line)
        words = [read[key] for key in ("at", "to", "by", "reason", "routing_file")]
        action, before = read["action"], read["from"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if action not in get_args(Action) or not all(isinstance(word, str) for word in [*words, before or ""]):
        return None
    return Move(words[0], action, before, words[1], words[2], words[3], words[4])
