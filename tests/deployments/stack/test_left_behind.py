"""A stack whose state directory is gone: its processes are found by their mark, and ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deployments.commands.down import down
from deployments.commands.status import status
from deployments.stack import watching
from deployments.stack.live_status import gather_status
from deployments.stack.state_dir import StateDir
from deployments.stack.stopping import stop_left
from tasks.clients.process.marks import STACK_MARK, STATE_DIR_MARK, left_under
from tests.fakes.polling import eventually

pytestmark = pytest.mark.live
# Marks are looked for on the whole machine: those of another process that runs these tests are not ours.
MARK, OTHER, EARLIER = (f"{name}-{os.getpid()}" for name in ("of-this-test", "of-the-other", "earlier"))


@contextmanager
def process(**environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process that carries these variables, until it is ended or the test is over."""
    ours = {name: value for name, value in os.environ.items() if name not in {STACK_MARK, STATE_DIR_MARK}}
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    one = subprocess.Popen(command, env={**ours, **environment}, start_new_session=True)
    try:
        yield one
    finally:
        one.kill()
        one.wait()


@contextmanager
def stack_under(root: Path, mark: str) -> Iterator[tuple[int, ...]]:
    """Two processes of one stack; one names its state directory as a worker does, the other not at all."""
    with (
        process(**{STACK_MARK: mark, STATE_DIR_MARK: str(root)}) as part,
        process(**{STACK_MARK: mark}) as service,
    ):
        eventually(lambda: len(left_under(root)) == 2)
        yield part.pid, service.pid


def pids(root: Path) -> list[int]:
    """Which processes are found under a state directory."""
    return sorted(one.pid for one in left_under(root))


def test_down_ends_the_processes_of_a_stack_whose_directory_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ "No stack is running", while nine processes went on acting on the service."""
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "gone"))
    with stack_under(tmp_path / "gone", MARK):
        down()

        assert pids(tmp_path / "gone") == []
    assert "Stopped 2 processes" in capsys.readouterr().out
    down()
    assert "No stack is running" in capsys.readouterr().out


def test_status_says_that_they_still_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asks must not read that nothing runs here."""
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "gone"))
    with stack_under(tmp_path / "gone", MARK) as found:
        with pytest.raises(SystemExit):
            status()

        assert gather_status(StateDir(tmp_path / "gone"))["left_pids"] == sorted(found)
    told = " ".join(capsys.readouterr().out.split())
    assert "still run" in told
    assert all(str(pid) in told for pid in found)
    assert gather_status(StateDir(tmp_path / "gone"))["left_pids"] == []


def test_the_stack_of_another_directory_is_left_alone(tmp_path: Path) -> None:
    """Two stacks on one machine: one person's `down` is not the other's."""
    with (
        stack_under(tmp_path / "gone", MARK),
        stack_under(tmp_path / "other", OTHER) as others,
        process() as bystander,
    ):
        assert stop_left(StateDir(tmp_path / "gone")) == 2

        assert pids(tmp_path / "other") == sorted(others)
        assert bystander.poll() is None


def test_a_stack_of_an_earlier_version_is_found_by_its_settings(tmp_path: Path) -> None:
    """It knew one mark only; its worker names the directory as a setting."""
    with process(**{STACK_MARK: EARLIER, "RUNBOOK_STATE_DIR": str(tmp_path)}) as worker:
        eventually(lambda: pids(tmp_path) == [worker.pid])


def test_a_process_without_a_mark_is_nobodys(tmp_path: Path) -> None:
    """A shell with the same setting is the person's own."""
    with process(RUNBOOK_STATE_DIR=str(tmp_path)), stack_under(tmp_path, MARK) as found:
        assert pids(tmp_path) == sorted(found)


def test_the_foreground_ends_what_it_started_when_the_files_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It said that somebody had stopped the stack, went away, and left all of it running."""
    monkeypatch.setattr(watching, "_show", lambda *_: None)
    with stack_under(tmp_path, MARK):
        watching.watch(StateDir(tmp_path), MARK)

        assert pids(tmp_path) == []
    assert "was stopped" in capsys.readouterr().out
    watching.watch(StateDir(tmp_path), MARK)
    assert "from elsewhere" in capsys.readouterr().out
