"""How `runbook inspect` behaves as a program: instant, one document, colors on a terminal only, its exit codes."""

import os
import re
import sys
from pathlib import Path

import pytest

from deployments.cli import app
from deployments.commands import answer
from deployments.commands.answer import Answer, exit_code_of, give
from deployments.commands.inspect_service import without_password
from deployments.commands.inspect_step import STEPS
from deployments.views.terminal import facts, line, plain, printable, show
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.probes.probes import Seen
from tests.deployments.asking import Terminal, started

pytestmark = pytest.mark.live

HEAVY = ("prefect", "pandas", "exchange_calendars", "httpx", "numpy", "psutil")
TELL = "try:\n    run()\nfinally:\n    sys.stderr.write(' '.join(name for name in {heavy!r} if name in sys.modules))"


# A terminal keeps what was written until it is read; once its other end is closed, reading ends with an error.
ON_A_TERMINAL = """
import os
master, slave = os.openpty()
os.dup2(slave, 1)
os.close(slave)
sys.stdout = open(1, "w", closefd=False)
try:
    run()
except SystemExit:
    sys.stdout.flush()
os.close(1)
try:
    while part := os.read(master, 4000):
        sys.stderr.write(part.decode())
except OSError:
    pass
sys.stderr.flush()
os._exit(0)
"""


def imported(folder: Path, *words: str) -> set[str]:
    """Name the heavy libraries that a command imported."""
    return set(started(folder, *words, program=TELL.format(heavy=HEAVY)).err.split()) & set(HEAVY)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_its_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    """Every lazily named command is there, and says what it does."""
    ended = Terminal(tmp_path, monkeypatch, capsys).types("inspect", step, "--help")

    assert ended.code == 0
    assert "--json" in ended.out


def test_the_old_name_prints_the_same_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scripts that call `runbook look` still work; the help lists `inspect` alone."""
    (tmp_path / "i.jsonl").write_text('{"time":1e9,"type":"x"}\n')
    terminal = Terminal(tmp_path, monkeypatch, capsys)
    old, new = (terminal.types(name, "incidents", "--file", "i.jsonl", "--json") for name in ("look", "inspect"))

    assert (old.code, old.document) == (new.code, new.document)
    assert (old.one_line, new.err) == ("`runbook look` is now `runbook inspect`; the old name still works.", "")
    assert "look" not in app


def test_the_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """Half a second is what it may take; the engine of the logs alone takes two thirds of it."""
    assert imported(tmp_path, "inspect", "--help") == set()
    assert imported(tmp_path, "inspect", "logs", "--help") == set()


def test_a_ledger_is_read_without_the_libraries_of_other_looks(tmp_path: Path) -> None:
    """Each look pays for itself only."""
    (tmp_path / "i.jsonl").write_text("")

    assert imported(tmp_path, "inspect", "incidents", "--file", "i.jsonl") == set()


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    """`runbook inspect incidents … | head -1` ends quietly."""
    (tmp_path / "i.jsonl").write_text('{"time":1e9,"type":"x"}\n' * 20_000)
    program = (
        "import os\nread, write = os.pipe()\nos.dup2(write, 1)\nos.close(write)\nos.close(read)\n"
        "sys.stdout = open(1, 'w', closefd=False)\nrun()"
    )
    ended = started(tmp_path, "inspect", "incidents", "--file", "i.jsonl", "--json", program=program)

    assert (ended.code, ended.err) == (0, "")


def test_a_narrow_code_page_shows_what_it_can(tmp_path: Path) -> None:
    """A service manager's locale may be plain ASCII."""
    (tmp_path / "i.jsonl").write_text('{"time":1e9,"type":"Börse …"}\n', "utf-8")
    ended = started(tmp_path, "inspect", "incidents", "--file", "i.jsonl", PYTHONIOENCODING="ascii")

    assert ended.code == 0
    assert "B\\xf6rse" in ended.out


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is made with openpty, which this platform lacks")
@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_for_terminals_that_want_them(tmp_path: Path, variables: dict[str, str], coloured: bool) -> None:
    """On a terminal yes, with NO_COLOR no; a pipe is held to it by every other test here."""
    (tmp_path / "i.jsonl").write_text("{\n")
    words = ("inspect", "incidents", "--file", "i.jsonl")
    shown = started(tmp_path, *words, program=ON_A_TERMINAL, **{"TERM": "xterm-256color", **variables}).err

    assert re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()[1].startswith("  skipped line 1")
    assert ("\x1b[" in shown) is coloured


def test_no_colour_in_a_pipe(tmp_path: Path) -> None:
    """Escape sequences in a ticket help nobody."""
    (tmp_path / "i.jsonl").write_text("{\n")
    ended = started(tmp_path, "inspect", "incidents", "--file", "i.jsonl")

    assert "\x1b" not in ended.out
    assert ended.out.splitlines()[1].startswith("  skipped line 1")


def failing(error: Exception) -> Answer:
    """A look that ends in an exception."""
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CannotObserve(Code.FILE_UNREADABLE, "expected a file\nwas none"), Code.FILE_UNREADABLE.value),
        (RunbookError(Code.LEDGER_UNWRITABLE, "x"), Code.LEDGER_UNWRITABLE.value),
        (ZeroDivisionError("ours"), "UNEXPECTED"),
    ],
)
def test_what_we_could_not_see_is_never_the_patients_fault(
    capsys: pytest.CaptureFixture[str], error: Exception, code: str
) -> None:
    """Exit 3 and one line, also for a defect of our own; exit 1 would page for a service that may be well."""
    with pytest.raises(SystemExit) as ended:
        give(lambda: failing(error), json_output=False)
    said = capsys.readouterr()

    assert (ended.value.code, said.out) == (3, "")
    assert said.err.startswith(f"{code}: ")
    assert said.err.count("\n") == 1


def test_what_was_called_wrongly_is_raised_for_the_door(capsys: pytest.CaptureFixture[str]) -> None:
    """The command line turns it into one line and exit 2."""
    with pytest.raises(RunbookError):
        give(lambda: failing(RunbookError(Code.BAD_ARGUMENT, "x")), json_output=True)

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ([Seen.PASSED, Seen.PASSED], answer.OK),
        ([Seen.BLIND, Seen.FAILED], answer.FAILED),
        ([Seen.PASSED, Seen.BLIND], answer.UNKNOWN),
        ([Seen.NOT_CONFIGURED], answer.UNKNOWN),
    ],
)
def test_one_failed_look_decides_and_blindness_is_not_health(seen: list[Seen], code: int) -> None:
    """The order of precedence of several looks."""
    assert exit_code_of(seen) == code


def test_control_characters_are_shown_and_not_sent() -> None:
    """A log line must not retitle the window of the person who reads it."""
    assert printable("a\x1b[2Jb\n\u202ec\ud800") == "a\\x1b[2Jb\\n\\u202ec\\ud800"
    assert len(printable("x" * 10_000)) < 1000


def test_facts_line_up_and_leave_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Two columns; long lines are neither wrapped nor cut."""
    show([line("x" * 300), *facts([("a", "1"), ("long name", "2"), ("none", None)])])

    assert capsys.readouterr().out == f"{'x' * 300}\n  a          1\n  long name  2\n"


def test_every_value_becomes_json() -> None:
    """NaN, infinities, tuples and endless nesting."""
    deep: list[object] = []
    for _ in range(sys.getrecursionlimit() * 3):
        deep = [deep]

    assert plain({"a": float("nan"), "b": (float("inf"), -float("inf"), 1.5)}) == {
        "a": "NaN",
        "b": ["Infinity", "-Infinity", 1.5],
    }
    assert "cut" in str(plain(deep))


@pytest.mark.parametrize(
    ("url", "shown"),
    [("http://u:p@h/x", "http://***@h/x"), ("http://h/a@b", "http://***@b"), ("http://h/x", "http://h/x"), ("@", "@")],
)
def test_a_password_is_hidden(url: str, shown: str) -> None:
    """Hiding too much is better than showing a secret."""
    assert without_password(url) == shown
