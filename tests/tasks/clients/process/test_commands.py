"""Running one command: as an argument list, bounded in time, with what it wrote last."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tasks.clients.process.commands import Surroundings, last_lines, program_fault, run_command
from tasks.clients.process.processes import identify
from tests.fakes.polling import eventually

pytestmark = pytest.mark.live

POSIX = pytest.mark.skipif(os.name != "posix", reason="uses POSIX programs")


def python(code: str) -> tuple[str, ...]:
    """A command that runs some Python."""
    return (sys.executable, "-c", code)


def test_a_command_that_ends_well_is_told_with_its_output() -> None:
    """The line is what the ledger keeps."""
    end = run_command(python("print('stopped orders')"), 10)

    assert (end.succeeded, end.exit_code, end.output.strip()) == (True, 0, "stopped orders")


def test_a_command_that_fails_tells_its_code_and_its_last_lines() -> None:
    """Standard error, too: that is where a supervisor says why."""
    end = run_command(python("import sys; print('\\n' * 9000 + 'one'); sys.exit('no such program group')"), 10)

    assert (end.succeeded, end.exit_code) == (False, 1)
    assert "exit_code=1; last lines: " in end.story
    assert "no such program group" in end.story
    assert len(end.output) <= 4096


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """A supervisor that does not answer must not hold an incident, nor go on working behind our back."""
    note = tmp_path / "child"
    mother = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\ntime.sleep(600)"
    )
    started = time.monotonic()
    end = run_command(python(mother), 1.5)

    assert (end.succeeded, end.exit_code) == (False, None)
    assert "did not end in timeout_s=1.5" in end.story
    assert time.monotonic() - started < 60
    eventually(lambda: identify(int(note.read_text())) is None)


def test_a_command_that_leaves_a_process_behind_has_ended(tmp_path: Path) -> None:
    """A start command's daemon holds its output open; waiting for that would take for ever."""
    note = tmp_path / "child"
    daemon = (
        "import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))"
    )
    started = time.monotonic()

    assert run_command(python(daemon), 50).succeeded
    assert time.monotonic() - started < 50
    os.kill(int(note.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("program", ["no-such-program-here", "/no/such/program", "\0"])
def test_a_program_that_is_not_there_ran_nothing(program: str) -> None:
    """Nothing was done, and the line names the program."""
    end = run_command((program,), 5)

    assert (end.ran, end.succeeded) == (False, False)
    assert program in end.story


@POSIX
def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    """A semicolon in an argument is an argument."""
    end = run_command(("echo", f"x; touch {tmp_path}/made", "$HOME", "*"), 5)

    assert end.output.strip() == f"x; touch {tmp_path}/made $HOME *"
    assert not (tmp_path / "made").exists()


def test_variables_and_folder_are_the_ones_given(tmp_path: Path) -> None:
    """The service's own commands see what the service sees."""
    where = Surroundings({"DESK": "equities"}, tmp_path)
    end = run_command(python("import os; print(os.environ['DESK'], os.getcwd())"), 10, where)

    assert end.output.split() == ["equities", str(tmp_path.resolve())]


@POSIX
def test_a_program_is_looked_for_where_the_command_would_find_it(tmp_path: Path) -> None:
    """Asked before a service is stopped: could it be started again?"""
    program = tmp_path / "bin" / "orders"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    unusable = program_fault(("bin/orders",), Surroundings(folder=tmp_path))
    program.chmod(0o755)

    assert unusable
    assert program_fault(("bin/orders",), Surroundings(folder=tmp_path)) is None
    assert program_fault(("orders",), Surroundings({"PATH": str(program.parent)})) is None
    assert program_fault(("orders",))
    assert program_fault(())
    assert program_fault((str(program),)) is None


def test_the_last_lines_of_a_log_are_one_line(tmp_path: Path) -> None:
    """And a log that is not there is no error of its own."""
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(2000)))

    assert last_lines(log, 2) == "line 1998 | line 1999"
    assert last_lines(tmp_path / "none") == "none"
    assert "start_log" in last_lines(None)


def test_a_command_sees_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own commands, its start among them, are not ours: they get a clean environment."""
    secrets = ("PREFECT_API_AUTH_STRING", "RUNBOOK_ALERT_TOKEN", "SLACK_BOT_TOKEN", "ANY_OTHER_KEY")
    for name in secrets:
        monkeypatch.setenv(name, "hunter2")
    show = python("import os; print(sorted(os.environ.items()))")

    told = run_command(show, 10, Surroundings({"DESK": "equities"})).output

    assert "hunter2" not in told
    assert "('DESK', 'equities')" in told
    assert "'PATH'" in told
    assert "hunter2" in run_command(show, 10, Surroundings(trusted=True)).output
