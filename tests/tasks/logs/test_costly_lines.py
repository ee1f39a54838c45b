"""No line, trace or file of a log may stop the automation."""

import asyncio
import gzip
import os
import socket
from pathlib import Path
from time import monotonic, thread_time

import pytest

from tasks.clients.logs import engine, scan_logs
from tasks.clients.logs.engine import Hits, RegexEngine
from tasks.clients.logs.scan_logs import logs_check, scan_log, scan_new_lines
from tasks.model.errors import CannotObserve
from tasks.model.logs.findings import ScanQuestion
from tasks.rules.logs.patterns import Pattern, Sought
from tasks.rules.logs.traces.gather import BoundedLines, trace_at
from tasks.settings import ServiceSettings
from tests.tasks.logs.asking import hyperscan_engine, needs_hyperscan, question

LONG = 1_000_000
UNITS = [
    *("a", "0", " ", "\t", "é", "\x00", '"', "\\", "'", "(", "[", "{", "=", "/", ".", ":", "#", '\\"'),
    *("error ", "ERROR: ", "err ", "Error", "timeout=", "0 errors ", "level=error ", '"level":"x",', "password=x "),
    *("x.rb:1:in `a ", "panic: ", "goroutine 1 [", "java.lang.Error ", "\tat ", "==1", "A::", "1:1:", "connection to "),
]
MANY_TIMES = 5


@pytest.mark.parametrize("head", ["", "2026-11-30 12:00:00 ERROR ", '{"level":"error","msg":"'])
@pytest.mark.parametrize("unit", UNITS)
def test_a_long_line_of_any_content_costs_little(tmp_path: Path, head: str, unit: str) -> None:
    """One line of 120 KiB held up four triages and a restart; a megabyte of anything costs less than 100 ms.

    Held against five times that here, by this thread's own processor time: a busy machine must not fail it.
    """
    path = tmp_path / "service.log"
    path.write_text(head + unit * (LONG // len(unit)) + "\n", "utf-8")
    scan_log(tmp_path / "service.log", question(deadline_s=0.0))
    began_s = thread_time()
    scan_log(path, question())

    assert thread_time() - began_s < MANY_TIMES * 0.1


@needs_hyperscan
@pytest.mark.parametrize("unit", [*UNITS, "err ", "crit ", "refused ", "\tat x", "fatal error: ", "Sanitizer: "])
def test_a_word_that_stands_often_in_a_line_is_reported_once(unit: str) -> None:
    """Each report is a call into Python: 286,000 of them for one line of `panic: `, a quarter of a second."""
    hits = hyperscan_engine().find(memoryview(f"{unit * 10_000}\n".encode()))

    assert all(len(found) <= 1 for found in hits)


@needs_hyperscan
@pytest.mark.parametrize("end", ["", '"', '":', '":nul', '": fals', '": ["x"]', '":0,', '":null', " x"])
def test_a_word_at_the_end_of_a_line_is_a_hit_of_its_own_line(end: str) -> None:
    """What goes on to the end of a line must not go on into the next one."""
    lines = [b"one", f"the error{end}".encode(), b"two", b"three"]
    content = b"\n".join(lines) + b"\n"
    engines = (hyperscan_engine(), RegexEngine())
    found = [{content[:at].count(b"\n") for at in each.find(memoryview(content))[0]} for each in engines]

    assert found == [set() if end in ('":0,', '":null') else {1}] * 2


def test_the_slow_engine_searches_a_line_once_for_all_stems_of_a_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line with all seven stems was searched seven times; a stem with letters that stand nowhere, not at all."""
    searched: list[tuple[int, int]] = []

    class Counted:
        def search(self, _: bytes, start: int, end: int) -> None:
            searched.append((start, end))

    monkeypatch.setattr(engine, "_compiled", lambda _: Counted())
    pattern = Pattern(Sought.WORDS, "", stems=("err", "crit", "wrn", "other"))
    hits = RegexEngine((pattern,)).find(memoryview(b"err crit wrn err\nfine\ncrit\n"))

    assert searched == [(1, 18), (23, 28)]
    assert hits == ([], [], [], [])


def test_a_long_line_that_is_held_back_is_searched_once(tmp_path: Path) -> None:
    """The last line of a log waits for what may follow it; it was searched when it came, and again at the end."""
    path = tmp_path / "service.log"
    path.write_text("error " * 160_000 + "\n", "utf-8")
    sizes: list[int] = []

    class Counted(RegexEngine):
        def find(self, block: memoryview, /) -> Hits:
            sizes.append(len(block))
            return super().find(block)

    assert scan_log(path, question(), Counted()).error_lines == 1
    assert sizes == [960_001]


def test_lines_that_begin_traces_in_vain_do_not_cost_their_square(tmp_path: Path) -> None:
    """Ten thousand goroutine heads without a frame were each followed for 1,500 lines."""
    path = tmp_path / "service.log"
    path.write_text("goroutine 1 [\n" * 10_000, "utf-8")
    began_s = thread_time()
    scan = scan_log(path, question())

    assert scan.lines == 10_000
    assert thread_time() - began_s < 5


def test_a_bound_on_the_lines_read_ends_the_search_for_traces() -> None:
    """Counted, and not timed: the same on every machine."""
    reads: list[int] = []
    lines = BoundedLines(lambda index: reads.append(index) or "goroutine 1 [", 1000)  # type: ignore[func-returns-value]
    while not lines.spent:
        assert trace_at(lines, 0) is None

    assert len(reads) < 100_000


def test_what_takes_all_the_time_is_not_read_again(tmp_path: Path) -> None:
    """The place in the log stood still for as long as the line stood in it."""
    path = tmp_path / "service.log"
    path.write_text("".join(f"2026-11-30 12:00:00 ERROR {letter * 120_000}\n" for letter in "abc"), "utf-8")
    offsets = [scan_new_lines(path, tmp_path / "state", question(deadline_s=1e-9)).to_offset for _ in range(4)]
    offsets.append(scan_new_lines(path, tmp_path / "state", question()).to_offset)

    assert offsets == sorted(offsets)
    assert offsets[-1] == path.stat().st_size


async def test_a_scan_that_hangs_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead file server held up the triage beside it; it is reported, and the triage goes on."""
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hangs(*_: object, **__: object) -> None:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()

    monkeypatch.setattr(scan_logs, "scan_new_lines", hangs)
    monkeypatch.setattr(scan_logs, "HUNG_AFTER_S", 0.05)
    began_s = monotonic()
    found = await logs_check(ServiceSettings(log_files=(tmp_path / "a.log",)), tmp_path, question(deadline_s=0.05))
    released.set()

    assert found.scans == ()
    assert "did not end in its time" in found.blind[0]
    assert monotonic() - began_s < 20


async def test_a_scan_that_breaks_hides_no_other_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a file holds, the next file is read."""
    (tmp_path / "b.log").write_text("ERROR boom\n", "utf-8")
    real = scan_new_lines

    def breaks(path: Path, state_dir: Path, asked: ScanQuestion, **rest: object) -> object:
        if path.name == "a.log":
            raise RecursionError("too deep")
        return real(path, state_dir, asked, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(scan_logs, "scan_new_lines", breaks)
    found = await logs_check(
        ServiceSettings(log_files=(tmp_path / "a.log", tmp_path / "b.log")), tmp_path / "state", question()
    )

    assert [scan.error_lines for scan in found.scans] == [1]
    assert "RecursionError" in found.blind[0]


def test_a_pipe_or_a_socket_in_place_of_a_log_holds_nobody_up(tmp_path: Path) -> None:
    """Opening a FIFO that nobody writes waits for ever."""
    os.mkfifo(tmp_path / "pipe.log")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.log"))
        for name in ("pipe.log", "socket.log"):
            with pytest.raises(CannotObserve):
                scan_log(tmp_path / name, question())


def test_a_pipe_beside_a_log_or_in_place_of_its_checkpoint_holds_nobody_up(tmp_path: Path) -> None:
    """Whatever lies in the folders that we read is opened only where it is a regular file."""
    path, state = tmp_path / "service.log", tmp_path / "state"
    path.write_text("ERROR one\n", "utf-8")
    scan_new_lines(path, state, question())
    path.rename(tmp_path / "kept.txt")
    path.write_text("ERROR two\n", "utf-8")
    os.mkfifo(tmp_path / "service.log.1")
    assert scan_new_lines(path, state, question()).error_lines == 1

    checkpoint = next((state / "log-checkpoints").glob("*.json"))
    checkpoint.unlink()
    os.mkfifo(checkpoint)
    with pytest.raises(CannotObserve):
        scan_new_lines(path, state, question())


def test_an_archive_heeds_the_deadline(tmp_path: Path) -> None:
    """A rotated and packed log of many gigabytes was unpacked to its end, whatever the time."""
    path, state = tmp_path / "service.log", tmp_path / "state"
    first = b"".join(b"2026-11-30 12:00:00 INFO line %d\n" % number for number in range(40_000))
    path.write_bytes(first)
    scan_new_lines(path, state, question())
    (tmp_path / "service.log.1.gz").write_bytes(gzip.compress(first + b"2026-11-30 12:00:01 ERROR last words\n"))
    path.unlink()
    path.write_bytes(b"2026-11-30 12:01:00 ERROR fresh\n")
    scan = scan_new_lines(path, state, question(deadline_s=0.0))
    after = scan_new_lines(path, state, question())

    assert any(note.startswith("GAP") for note in scan.notes)
    assert scan.error_lines + after.error_lines == 1


def test_a_secret_in_a_line_is_in_nothing_that_leaves_the_scan(tmp_path: Path) -> None:
    """Findings are kept in checkpoints, handed to other runs, and sent."""
    path, state = tmp_path / "service.log", tmp_path / "state"
    path.write_text(
        "2026-11-30 12:00:00 ERROR login failed password=Hunter-two-x Authorization: Bearer abcdefgh\n"
        '{"level":"error","msg":"no","token":"Hunter-two-x"}\n'
        "2026-11-30 12:00:01 ERROR broke\nTraceback (most recent call last):\n"
        '  File "a.py", line 1, in <module>\nValueError: redis://u:Hunter-two-x@h refused\n',
        "utf-8",
    )
    scan = scan_new_lines(path, state, question())

    assert scan.error_lines >= 3
    assert "Hunter" not in scan.model_dump_json()
    assert "abcdefgh" not in scan.model_dump_json()
    assert all(b"Hunter" not in kept.read_bytes() for kept in state.rglob("*.json"))
