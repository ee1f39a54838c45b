"""Measure the log scan beside ripgrep and `re`, on the same file and the same patterns, in one run.

Budgets: cold ≥ 1 GB/s a core and ≥ 0.7 x ripgrep, peak memory ≤ 150 MB; 1 MB of new lines in a 10 GB file ≤ 50 ms.
Steps: 1. write a log of 600 MB. 2. alternate ours and ripgrep, each in a process of its own. 3. `re` on a part of it.
4. a 10 GB sparse log, 1 MB of new lines, one scan a minute.
"""

import argparse
import json
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

from bench.measuring.figures import Alternative, Figure, at_least, at_most
from bench.measuring.machine import Elsewhere
from bench.measuring.report import Measured, bench_arguments, run_bench
from tasks.clients.log_files import look_at_log, look_at_new_lines
from tasks.clients.log_files_checkpoint import CHECKPOINT_FOLDER, checkpoint_path, load_checkpoint, save_checkpoint
from tasks.clients.log_files_engine import best_engine
from tasks.clients.log_files_rotation import mark_of
from tasks.model.log_checkpoint import LogCheckpoint
from tasks.model.log_findings import ScanQuestion
from tasks.rules.log_patterns import PATTERNS

FILE_BYTES = 600_000_000
SPARSE_BYTES = 10_000_000_000
ROUNDS, QUICK_ROUNDS = 5, 2
PEAK_BUDGET_MB, MINUTE_BUDGET_MS = 150, 50
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)

# What a person would give to `rg` to find the same lines.
SIMPLE = "error|exception|fatal|critical|panic|traceback|timed? ?out|refused|unreachable|reject|no space left"


def main() -> int:
    """Measure, print, write; 3 when a budget was missed."""
    parser = bench_arguments("bench.log_scan", __doc__, databases=False)
    parser.add_argument("--child", type=Path, help="scan this file once and say what it took (for this program itself)")
    given = parser.parse_args()
    return child(given.child) if given.child else run_bench("log_scan", given, measure)


def measure(given: argparse.Namespace) -> Measured:
    """Scan two kinds of logs cold, and one that only grew."""
    busy = Elsewhere()
    with tempfile.TemporaryDirectory(prefix="log-scan-") as folder:
        rounds_count = QUICK_ROUNDS if given.quick else ROUNDS
        found = (*cold_figures(Path(folder), rounds_count), minute_figure(Path(folder)))
    return Measured(found, busy.cores(), {"ripgrep": shutil.which("rg") is not None})


def child(path: Path) -> int:
    """Scan a file in this process, and tell the time without the start of Python."""
    best_engine(path.parent / CHECKPOINT_FOLDER)
    began, cpu = perf_counter(), process_time()
    scan = look_at_log(path, ScanQuestion(now=NOW, deadline_s=60))
    took = {"seconds_s": perf_counter() - began, "cpu_s": process_time() - cpu}
    print(
        json.dumps(
            took
            | {
                "error_lines": scan.error_lines,
                "engine": scan.engine,
                "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            }
        )
    )
    return 0


def cold_figures(folder: Path, rounds_count: int) -> Iterator[Figure]:
    """Measure the two kinds of logs: one as it is on a normal day, one in which many good lines hold bad words."""
    for name, share in (("normal day", 0.002), ("many words", 0.25)):
        path = folder / "orders.log"
        expected = write_log(path, share)
        ours: list[dict[str, float]] = []
        theirs: dict[str, list[float]] = {"same patterns": [], "simple words": []}
        for _ in range(rounds_count):
            ours.append(run_child(path))
            for kind, arguments in ripgrep_arguments().items():
                if shutil.which("rg"):
                    theirs[kind].append(timed(partial(run_ripgrep, arguments, path)))
        if any(round_["error_lines"] != expected for round_ in ours):
            raise SystemExit(f"expected error_lines={expected} was {ours[0]['error_lines']}")
        yield from rows_of(name, path, ours, theirs)


def rows_of(name: str, path: Path, ours: list[dict[str, float]], theirs: dict[str, list[float]]) -> Iterator[Figure]:
    """Lay the speeds out, the ratio to ripgrep round by round, and the peak of memory.

    The budgets are for the normal day; a log full of words that only look bad has none.
    """
    size_gb, budgeted = path.stat().st_size / 1e9, name == "normal day"
    others = [
        Alternative(name=f"ripgrep, {kind}", values=speeds(size_gb, took)) for kind, took in theirs.items() if took
    ]
    others.append(Alternative(name="re, ignoring case", values=(regex_speed(path),)))
    yield Figure(
        what=f"log scan, cold, {name}, a core", unit="GB/s", values=speeds(size_gb, [one["cpu_s"] for one in ours]),
        more_is_better=True, budget=at_least(1.0) if budgeted else None, alternatives=tuple(others),
    )  # fmt: skip
    if same := theirs["same patterns"]:
        ratios = tuple(other / one["seconds_s"] for other, one in zip(same, ours, strict=True))
        yield Figure(
            what=f"log scan ÷ ripgrep, wall clock, {name}", unit="x", values=ratios, more_is_better=True,
            budget=at_least(0.7) if budgeted else None,
        )  # fmt: skip
    peaks = tuple(one["peak_kib"] * 1024 / 1e6 for one in ours)
    yield Figure(what=f"log scan, peak memory, {name}", unit="MB", values=peaks, budget=at_most(PEAK_BUDGET_MB))


def speeds(size_gb: float, seconds: list[float]) -> tuple[float, ...]:
    """Turn times into speeds."""
    return tuple(size_gb / one for one in seconds)


def minute_figure(folder: Path) -> Figure:
    """Measure the scan of 1 MB of new lines at the end of a log of 10 GB, after a first one that kept the place."""
    path, state = folder / "large.log", folder / "state"
    with path.open("wb") as file:
        file.truncate(SPARSE_BYTES)
        file.seek(SPARSE_BYTES)
        file.write(b"\n")
    keep_place_at_end(path, state)
    best_engine(state / CHECKPOINT_FOLDER)
    seconds = []
    for _ in range(9):
        with path.open("ab") as file:
            file.write(b"".join(lines_of(7000, 0.002))[:1_000_000].rpartition(b"\n")[0] + b"\n")
        seconds.append(timed(lambda: look_at_new_lines(path, state, ScanQuestion(now=NOW))))
    took_ms = tuple(one * 1e3 for one in seconds)
    return Figure(
        what="log scan, 1 MB of new lines in 10 GB", unit="ms", values=took_ms, budget=at_most(MINUTE_BUDGET_MS)
    )


def keep_place_at_end(path: Path, state: Path) -> None:
    """Write the checkpoint that 10 GB of scanning would have left."""
    with path.open("rb") as file:
        mark = mark_of(file, SPARSE_BYTES + 1)
    save_checkpoint(checkpoint_path(state, path), LogCheckpoint(mark=mark, offset=SPARSE_BYTES + 1, lines=1))
    if load_checkpoint(checkpoint_path(state, path)) is None:
        raise SystemExit("expected a checkpoint that can be read back was none")


def write_log(path: Path, share: float) -> int:
    """Write the log from one made part, again and again; give the number of its error lines."""
    part = b"".join(lines_of(120_000, share))
    times = FILE_BYTES // len(part) + 1
    with path.open("wb") as file:
        for _ in range(times):
            file.write(part)
    return times * part.count(b'"level":"ERROR"')


def lines_of(count: int, share: float) -> Iterator[bytes]:
    """Make JSON lines of an order service; `share` of the good ones hold words that are errors elsewhere."""
    dice = random.Random(7)  # noqa: S311 - test data
    start = NOW - timedelta(hours=1)
    for number in range(count):
        numbers = f"latency_ms={dice.random() * 9:.3f} price={dice.random() * 900:.2f}"
        level, message = "INFO", f"order accepted id={dice.getrandbits(48):012x} gateway=XNAS {numbers}"
        chance = dice.random()
        if chance < share:
            message = (
                f"retry after error, {number % 7} timeouts, order={dice.getrandbits(48):012x} refused once and filled"
            )
        elif chance > 0.998:
            level, message = (
                "ERROR",
                f"gateway XNAS timed out order={dice.getrandbits(48):012x} after {dice.random() * 3:.3f} s",
            )
        elif chance > 0.995:
            level, message = "WARNING", f"slow answer from XNAS latency_ms={dice.random() * 900:.3f}"
        at = (start + timedelta(milliseconds=number * 29)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = f'{{"timestamp":"{at}","level":"{level}","logger":"order_service.router"'
        yield f'{head},"message":"{message}","release":"1.0.0"}}\n'.encode()


def ripgrep_arguments() -> dict[str, list[str]]:
    """Give ripgrep our own patterns, and the simple words that a person would type."""
    same = [
        part
        for pattern in PATTERNS
        for part in ("-e", f"(?i:{pattern.expression})" if pattern.caseless else pattern.expression)
    ]
    return {"same patterns": same, "simple words": ["-i", "-e", SIMPLE]}


def run_ripgrep(arguments: list[str], path: Path) -> None:
    """Count matching lines with one thread."""
    command = ["rg", "--count", "--text", "--threads", "1", "--no-config", *arguments, str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"expected ripgrep to find lines was exit {done.returncode}: {done.stderr[-200:]}")


def run_child(path: Path) -> dict[str, float]:
    """Scan in a process of its own, so that peak memory is that of one scan."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.log_scan", "--child", str(path)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout))


def regex_speed(path: Path) -> float:
    """Measure `re` with IGNORECASE on the first 20 MB, in GB/s."""
    text = path.open("rb").read(20_000_000)
    expression = re.compile(SIMPLE.encode(), re.IGNORECASE)
    return len(text) / timed(lambda: sum(1 for _ in expression.finditer(text))) / 1e9


def timed(work: Callable[[], object]) -> float:
    """Give the seconds that some work takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
