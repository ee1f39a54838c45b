"""What is recorded of releases: what was made current, by whom and why, and how each release ran."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from order_service.runtime.files import append_line

Action = Literal["deploy", "roll-back"]


@dataclass(frozen=True, slots=True)
class Move:
    at: str
    action: Action
    from_version: str | None
    to_version: str
    by: str
    reason: str
    routing_file: str

    def document(self) -> dict[str, object]:
        fields = asdict(self)
        return {"from": fields.pop("from_version"), "to": fields.pop("to_version"), **fields}


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
    return [move for line in path.read_bytes().splitlines() if (move := _move_of(line)) is not None]


def rolled_away(moves: Iterable[Move]) -> dict[str, str]:
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


def _move_of(line: bytes) -> Move | None:
    try:
        read = json.loads(line)
        words = [read[key] for key in ("at", "to", "by", "reason", "routing_file")]
        action, before = read["action"], read["from"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if action not in get_args(Action) or not all(isinstance(word, str) for word in [*words, before or ""]):
        return None
    return Move(words[0], action, before, words[1], words[2], words[3], words[4])


RUNS_FILE = "runs.jsonl"
READ_LIMIT_BYTES = 1024 * 1024
SHOWN_COUNT = 10


@dataclass(frozen=True, slots=True)
class HealthyRun:
    """Hold one fact: for so long a release served this configuration, answered orders, and failed none.

    Units: seconds.
    """

    at: str
    version: str
    for_s: float
    orders_count: int
    routing_hash: str
    features: Mapping[str, bool]


def append_run(root: Path, run: HealthyRun) -> None:
    """Write one fact.

    Errors: OSError.
    """
    append_line(root / RUNS_FILE, json.dumps({**asdict(run), "features": dict(run.features)}).encode())


def read_runs(root: Path) -> list[HealthyRun]:
    """Read the facts, of a very long file its end; a line that is none is left out.

    Errors: OSError when the file is there but cannot be read.
    """
    path = root / RUNS_FILE
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - READ_LIMIT_BYTES))
        lines = file.read().splitlines()
    return [run for line in lines if (run := _run_of(line)) is not None]


def best_runs(runs: Iterable[HealthyRun], version: str) -> list[HealthyRun]:
    """Give the longest run of each configuration of a release, the latest first."""
    best: dict[tuple[str, str], HealthyRun] = {}
    for run in runs:
        key = (run.routing_hash, json.dumps(dict(run.features), sort_keys=True))
        if run.version == version and (key not in best or run.for_s >= best[key].for_s):
            best[key] = run
    return sorted(best.values(), key=lambda run: run.at, reverse=True)[:SHOWN_COUNT]


def _run_of(line: bytes) -> HealthyRun | None:
    try:
        read: Any = json.loads(line)
        words = [read[name] for name in ("at", "version", "routing_hash")]
        numbers = [read[name] for name in ("for_s", "orders_count")]
        features = {str(name): bool(on) for name, on in read["features"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not all(isinstance(word, str) for word in words) or not all(_is_count(number) for number in numbers):
        return None
    return HealthyRun(words[0], words[1], float(numbers[0]), int(numbers[1]), words[2], features)


def _is_count(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number < float("inf")
