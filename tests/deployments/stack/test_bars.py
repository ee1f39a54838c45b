"""The bars of the command line: on stderr, on a terminal only, and never in what another program reads."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deployments.commands.inspect_step import app
from deployments.views.bars import NO_BAR, progress_bar
from tasks.model.reports.progress import LongStep, Progress, Unit

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a terminal is made with a pty")
HALF = Progress(step=LongStep.READ_LOGS, done=5e8, of=1e9, unit=Unit.BYTES)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
Drawn = Callable[[], str]


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Drawn]:
    """Put a terminal in the place of stderr; the value to call gives what was drawn on it."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    with os.fdopen(slave, "w", encoding="utf-8") as screen:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "140")
        monkeypatch.setattr("sys.stderr", screen)
        monkeypatch.setattr("deployments.views.bars.QUIET_S", 0.0)
        yield lambda: drawn(master)
        monkeypatch.undo()
    os.close(master)


def drawn(master: int) -> str:
    """Read what was drawn since the last time."""
    found = b""
    with suppress(BlockingIOError):
        while more := os.read(master, 65_536):
            found += more
    return found.decode("utf-8", "replace")


def log(folder: Path) -> Path:
    """Write a log of some megabytes."""
    path = folder / "service.log"
    path.write_text("2026-11-22T16:25:00Z INFO everything is healthy and nothing is wrong\n" * 60_000, "utf-8")
    return path


def look(path: Path) -> None:
    """Read a log as `runbook inspect logs --json` does."""
    with suppress(SystemExit):
        app(["logs", "--file", str(path), "--json"])


def test_a_scan_shows_its_bar_on_the_terminal_and_its_document_on_stdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`runbook inspect logs --json | jq` works, and the person who waits sees how far it is."""
    with terminal(monkeypatch) as screen:
        look(log(tmp_path))
        seen = screen()

    assert "reading logs" in seen
    assert json.loads(capsys.readouterr().out)["lines"] == 60_000


def test_without_a_terminal_there_is_no_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cron job's mail holds no bars; FORCE_COLOR of a CI makes no terminal of a file."""
    look(log(tmp_path))
    told = capsys.readouterr()

    assert told.err == ""
    assert json.loads(told.out)["lines"] == 60_000


def test_no_color_takes_the_colours_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot read colours asks for none."""
    with terminal(monkeypatch) as screen:
        with progress_bar() as bar:
            bar.report(HALF)
        coloured = screen()
        monkeypatch.setenv("NO_COLOR", "1")
        with progress_bar() as bar:
            bar.report(HALF)
        plain = screen()

    assert COLOUR.search(coloured)
    assert "0.5 of 1.0 GB" in plain
    assert not COLOUR.search(plain)


def test_what_ends_at_once_flashes_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar that comes and goes within a blink is noise."""
    with terminal(monkeypatch) as screen:
        monkeypatch.setattr("deployments.views.bars.QUIET_S", 60.0)
        with progress_bar() as bar:
            bar.report(HALF)
        seen = screen()

    assert seen == ""


def test_what_is_said_meanwhile_goes_to_stdout_without_the_bar_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line of a game day, copied from the screen, is that line."""
    with terminal(monkeypatch) as screen, progress_bar() as bar:
        bar.report(HALF)
        bar.hidden(lambda: print("the line"))
        bar.report(HALF)
        seen = screen()

    assert capsys.readouterr().out == "the line\n"
    assert "the line" not in seen
    assert seen.count("reading logs") >= 2


def test_where_nobody_looks_what_is_said_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe gets its lines."""
    NO_BAR.hidden(lambda: print("the line"))

    assert capsys.readouterr().out == "the line\n"
