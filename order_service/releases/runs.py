"""How releases ran: facts that the running service writes down, read to know which release was ever healthy."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from order_service.releases.files import append_line

FILE_NAME = "runs.jsonl"
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
    append_line(root / FILE_NAME, json.dumps({**asdict(run), "features": dict(run.features)}).encode())


def read_runs(root: Path) -> list[HealthyRun]:
    """Read the facts, of a very long file its end; a line that is none is left out.

    Errors: OSError when the file is there but cannot be read.
    """
    path = root / FILE_NAME
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - READ_LIMIT_BYTES))
        lines = file.read().splitlines()
    return [run for line in lines if (run := _parse(line)) is not None]


def best_runs(runs: Iterable[HealthyRun], version: str) -> list[HealthyRun]:
    """Give the longest run of each configuration of a release, the latest first."""
    best: dict[tuple[str, str], HealthyRun] = {}
    for run in runs:
        key = (run.routing_hash, json.dumps(dict(run.features), sort_keys=True))
        if run.version == version and (key not in best or run.for_s >= best[key].for_s):
            best[key] = run
    return sorted(best.values(), key=lambda run: run.at, reverse=True)[:SHOWN_COUNT]


def _parse(line: bytes) -> HealthyRun | None:
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
