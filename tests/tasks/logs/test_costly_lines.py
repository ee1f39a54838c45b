"""No line, trace or file of a log may stop the automation."""

import asyncio
import gzip
import os
import socket
from pathlib import Path
from time import monotonic, thread_time

import pytest

from tasks.clients import log_files_look
from tasks.clients.log_files import look_at_log, look_at_new_lines
from tasks.clients.log_files_look import logs_look
from tasks.model.errors import CannotLook
from tasks.model.log_findings import ScanQuestion
from tasks.rules.log_traces import BoundedLines, trace_at
from tests.tasks.logs.writing import question

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
    look_at_log(tmp_path / "service.log", question(deadline_s=0.0))
    began_s = thread_time()
    look_at_log(path, question())

    assert thread_time() - began_s < MANY_TIMES * 0.1


def test_lines_that_begin_traces_in_vain_do_not_cost_their_square(tmp_path: Path) -> None:
    """Ten thousand goroutine heads without a frame were each followed for 1,500 lines."""
    path = tmp_path / "service.log"
    path.write_text("goroutine 1 [\n" * 10_000, "utf-8")
    began_s = thread_time()
    scan = look_at_log(path, question())

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
    offsets = [look_at_new_lines(path, tmp_path / "state", question(deadline_s=1e-9)).to_offset for _ in range(4)]
    offsets.append(look_at_new_lines(path, tmp_path / "state", question()).to_offset)

    assert offsets == sorted(offsets)
    assert offsets[-1] == path.stat().st_size


async def test_a_scan_that_hangs_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead file server held up the triage beside it; it is reported, and the triage goes on."""
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hangs(*_: object, **__: object) -> None:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()

    monkeypatch.setattr(log_files_look, "look_at_new_lines", hangs)
    monkeypatch.setattr(log_files_look, "HUNG_AFTER_S", 0.05)
    began_s = monotonic()
    found = await logs_look((tmp_path / "a.log",), tmp_path, question(deadline_s=0.05))
    released.set()

    assert found.scans == ()
    assert "did not end in its time" in found.blind[0]
    assert monotonic() - began_s < 20


async def test_a_scan_that_breaks_hides_no_other_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a file holds, the next file is read."""
    (tmp_path / "b.log").write_text("ERROR boom\n", "utf-8")
    real = look_at_new_lines

    def breaks(path: Path, state_dir: Path, asked: ScanQuestion, **rest: object) -> object:
        if path.name == "a.log":
            raise RecursionError("too deep")
        return real(path, state_dir, asked, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(log_files_look, "look_at_new_lines", breaks)
    found = await logs_look((tmp_path / "a.log", tmp_path / "b.log"), tmp_path / "state", question())

    assert [scan.error_lines for scan in found.scans] == [1]
    assert "RecursionError" in found.blind[0]


def test_a_pipe_or_a_socket_in_place_of_a_log_holds_nobody_up(tmp_path: Path) -> None:
    """Opening a FIFO that nobody writes waits for ever."""
    os.mkfifo(tmp_path / "pipe.log")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.log"))
        for name in ("pipe.log", "socket.log"):
            with pytest.raises(CannotLook):
                look_at_log(tmp_path / name, question())


def test_a_pipe_beside_a_log_or_in_place_of_its_checkpoint_holds_nobody_up(tmp_path: Path) -> None:
    """Whatever lies in the folders that we read is opened only where it is a regular file."""
    path, state = tmp_path / "service.log", tmp_path / "state"
    path.write_text("ERROR one\n", "utf-8")
    look_at_new_lines(path, state, question())
    path.rename(tmp_path / "kept.txt")
    path.write_text("ERROR two\n", "utf-8")
    os.mkfifo(tmp_path / "service.log.1")
    assert look_at_new_lines(path, state, question()).error_lines == 1

    checkpoint = next((state / "log-checkpoints").glob("*.json"))
    checkpoint.unlink()
    os.mkfifo(checkpoint)
    with pytest.raises(CannotLook):
        look_at_new_lines(path, state, question())


def test_an_archive_heeds_the_deadline(tmp_path: Path) -> None:
    """A rotated and packed log of many gigabytes was unpacked to its end, whatever the time."""
    path, state = tmp_path / "service.log", tmp_path / "state"
    first = b"".join(b"2026-11-30 12:00:00 INFO line %d\n" % number for number in range(40_000))
    path.write_bytes(first)
    look_at_new_lines(path, state, question())
    (tmp_path / "service.log.1.gz").write_bytes(gzip.compress(first + b"2026-11-30 12:00:01 ERROR last words\n"))
    path.unlink()
    path.write_bytes(b"2026-11-30 12:01:00 ERROR fresh\n")
    scan = look_at_new_lines(path, state, question(deadline_s=0.0))
    after = look_at_new_lines(path, state, question())

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
    scan = look_at_new_lines(path, state, question())

    assert scan.error_lines >= 3
    assert "Hunter" not in scan.model_dump_json()
    assert "abcdefgh" not in scan.model_dump_json()
    assert all(b"Hunter" not in kept.read_bytes() for kept in state.rglob("*.json"))
