"""Measure the log scan beside ripgrep and `re`, on the same file and the same patterns, in one run.

Steps: 1. write a log of 600 MB. 2. alternate ours and ripgrep, each in a process of its own. 3. `re` on a part of it.
4. a 10 GB sparse log, 1 MB of new lines, one scan a minute. 5. one line of 1 MB, of one content after the other.
"""

import json
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import process_time

from bench.figures import Bench, Figure, Run, row, took_s
from bench.report import REPOSITORY
from tasks.clients.logs.checkpoint import CHECKPOINT_FOLDER, checkpoint_path, load_checkpoint, save_checkpoint
from tasks.clients.logs.engine import best_engine
from tasks.clients.logs.rotation import mark_of
from tasks.clients.logs.scan_logs import scan_log, scan_new_lines
from tasks.model.logs.checkpoint import LogCheckpoint
from tasks.model.logs.findings import ScanQuestion
from tasks.rules.logs.patterns import PATTERNS

FILE_BYTES, SPARSE_BYTES, LINE_BYTES, REGEX_BYTES = 600_000_000, 10_000_000_000, 1_000_000, 20_000_000
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
# What a person would give to `rg` to find the same lines.
SIMPLE = "error|exception|fatal|critical|panic|traceback|timed? ?out|refused|unreachable|reject|no space left"
# What lines of 1 MB are made of: the beginnings of what is searched for, and what readers of lines go deep into.
CONTENTS = (
    b"x", b" ", b"\xff", b"0123456789 ", b"panic: ", b"error ", b"ERROR: failed timed out ", b"refused unreachable ",
    b"Traceback (most recent call last): ", b"  File \"a.py\", line 1, in f ", b"at a.b.C(D.java:1) ", b"Caused by: ",
    b"goroutine 1 [running]: ", b"thread 'main' panicked at ", b"2026-11-22T16:11:02.123Z ", b"level=error key=value ",
    b'{"level":"error","a":', b'{"a":"b"},', b"[", b'\\"', b"exception: Exception: ", b"org.a.B$C: ",
)  # fmt: skip


def measure(run: Run) -> Iterator[Figure]:
    run.details["ripgrep"] = shutil.which("rg") is not None
    with tempfile.TemporaryDirectory(prefix="log-scan-") as folder:
        for name, share in (("normal day", 0.002), ("many words", 0.25)):
            yield from cold_rows(Path(folder) / "orders.log", name, share, run.given.rounds)
        yield minute_row(Path(folder))
        yield from one_line_rows(run, Path(folder))


def cold_rows(path: Path, name: str, share: float, rounds_count: int) -> Iterator[Figure]:
    """Measure one kind of log; `share` of its good lines hold words that are errors elsewhere."""
    expected = write_log(path, share)
    ours: list[dict[str, float]] = []
    theirs: dict[str, list[float]] = {"same patterns": [], "simple words": []}
    for _ in range(rounds_count):
        ours.append(scan_in_own_process(path))
        for kind, words in ripgrep_words().items() if shutil.which("rg") else ():
            theirs[kind].append(took_s(partial(run_ripgrep, words, path)))
    if any(one["error_lines"] != expected for one in ours):
        raise SystemExit(f"expected error_lines={expected} was {ours[0]['error_lines']}")
    size_gb = path.stat().st_size / 1e9
    others = {f"ripgrep, {kind}": [size_gb / one for one in took] for kind, took in theirs.items() if took}
    others["re, ignoring case"] = [regex_speed(path)]
    speeds = [size_gb / one["cpu_s"] for one in ours]
    yield row(f"log scan, cold, {name}, a core", "GB/s", speeds, others, more_is_better=True)
    if same := theirs["same patterns"]:
        ratios = [other / one["seconds_s"] for other, one in zip(same, ours, strict=True)]
        yield row(f"log scan ÷ ripgrep, wall clock, {name}", "x", ratios, more_is_better=True)
    yield row(f"log scan, peak memory, {name}", "MB", [one["peak_mb"] for one in ours])


def minute_row(folder: Path) -> Figure:
    """Measure the scan of 1 MB of new lines at the end of a log of 10 GB, after a first one that kept the place."""
    path, state = folder / "large.log", folder / "state"
    with path.open("wb") as file:
        file.truncate(SPARSE_BYTES)
        file.seek(SPARSE_BYTES)
        file.write(b"\n")
    with path.open("rb") as file:
        mark = mark_of(file, SPARSE_BYTES + 1)
    save_checkpoint(checkpoint_path(state, path), LogCheckpoint(mark=mark, offset=SPARSE_BYTES + 1, lines=1))
    if load_checkpoint(checkpoint_path(state, path)) is None:
        raise SystemExit("expected a checkpoint that can be read back was none")
    best_engine(state / CHECKPOINT_FOLDER)
    took_ms = []
    for _ in range(9):
        with path.open("ab") as file:
            file.write(b"".join(lines_of(7000, 0.002))[:1_000_000].rpartition(b"\n")[0] + b"\n")
        took_ms.append(1000 * took_s(lambda: scan_new_lines(path, state, ScanQuestion(now=NOW))))
    return row("log scan, 1 MB of new lines in 10 GB", "ms", took_ms)


def one_line_rows(run: Run, folder: Path) -> Iterator[Figure]:
    """Measure one line of 1 MB of each content, beside as many bytes of ordinary lines: no line costs more."""
    path = folder / "line.log"

    def cpu_ms(content: bytes) -> float:
        path.write_bytes(content + b"\n")
        return 1000 * took_s(lambda: scan_log(path, ScanQuestion(now=NOW, deadline_s=60), engine), process_time)

    engine = best_engine(folder / CHECKPOINT_FOLDER)
    beside = {"1 MB of ordinary lines": [cpu_ms(b"".join(lines_of(7000, 0.002))[:LINE_BYTES])]}
    spent_ms = {content.decode("latin-1"): cpu_ms(content * (LINE_BYTES // len(content))) for content in CONTENTS}
    run.details["one_line_cpu_ms"] = spent_ms
    worst = max(spent_ms, key=lambda content: spent_ms[content])
    note, what = f"{worst!r}, of {len(CONTENTS)} contents", "log scan, CPU of one line of 1 MB"
    yield row(f"{what}, the worst", "ms", [spent_ms[worst]], beside, note=note)
    yield row(f"{what}, every content", "ms", spent_ms.values(), beside)


def write_log(path: Path, share: float) -> int:
    """Write the log from one made part, again and again; give the number of its error lines."""
    part = b"".join(lines_of(120_000, share))
    times = FILE_BYTES // len(part) + 1
    with path.open("wb") as file:
        for _ in range(times):
            file.write(part)
    return times * part.count(b'"level":"ERROR"')


def lines_of(count: int, share: float) -> Iterator[bytes]:
    """Make JSON lines of an order service."""
    dice = random.Random(7)  # noqa: S311 - test data
    start = NOW - timedelta(hours=1)
    for number in range(count):
        order, chance = f"{dice.getrandbits(48):012x}", dice.random()
        level, message = "INFO", f"order accepted id={order} gateway=XNAS latency_ms={dice.random() * 9:.3f}"
        if chance < share:
            message = f"retry after error, {number % 7} timeouts, order={order} refused once and filled"
        elif chance > 0.998:
            level, message = "ERROR", f"gateway XNAS timed out order={order} after {dice.random() * 3:.3f} s"
        elif chance > 0.995:
            level, message = "WARNING", f"slow answer from XNAS latency_ms={dice.random() * 900:.3f}"
        at = (start + timedelta(milliseconds=number * 29)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = f'{{"timestamp":"{at}","level":"{level}","logger":"order_service.router"'
        yield f'{head},"message":"{message}","price":{dice.random() * 900:.2f},"release":"1.0.0"}}\n'.encode()


def ripgrep_words() -> dict[str, list[str]]:
    """Give ripgrep our own patterns, and the simple words that a person would type."""
    same = [f"(?i:{one.expression})" if one.caseless else one.expression for one in PATTERNS]
    return {"same patterns": [word for one in same for word in ("-e", one)], "simple words": ["-i", "-e", SIMPLE]}


def run_ripgrep(words: list[str], path: Path) -> None:
    """Count matching lines with one thread."""
    command = ["rg", "--count", "--text", "--threads", "1", "--no-config", *words, str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"expected ripgrep to find lines was exit {done.returncode}: {done.stderr[-200:]}")


def regex_speed(path: Path) -> float:
    """Measure `re` with IGNORECASE on a part, in GB/s."""
    with path.open("rb") as file:
        text = file.read(REGEX_BYTES)
    expression = re.compile(SIMPLE.encode(), re.IGNORECASE)
    return len(text) / took_s(lambda: sum(1 for _ in expression.finditer(text))) / 1e9


def scan_in_own_process(path: Path) -> dict[str, float]:
    """Scan in a process of its own, so that peak memory is that of one scan."""
    command = [sys.executable, "-m", "bench.log_scan", str(path)]
    return dict(json.loads(subprocess.check_output(command, cwd=REPOSITORY)))


def scan_once(path: Path) -> dict[str, float]:
    """Scan in this process, and tell the time without the start of Python."""
    best_engine(path.parent / CHECKPOINT_FOLDER)
    began_cpu, lines = process_time(), []
    seconds_s = took_s(lambda: lines.append(scan_log(path, ScanQuestion(now=NOW, deadline_s=60)).error_lines))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"seconds_s": seconds_s, "cpu_s": process_time() - began_cpu, "error_lines": lines[0], "peak_mb": peak_mb}


BENCH = Bench("log_scan", measure, options={"rounds": (5, 2)})

if __name__ == "__main__":
    print(json.dumps(scan_once(Path(sys.argv[1]))))
