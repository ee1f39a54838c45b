"""Starting one part: ready, or a story that a person can act on; and never a process after the start was called off."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from deployments.stack.environment import adopt_mark
from deployments.stack.forked import CAN_FORK
from deployments.stack.local_http import answers
from deployments.stack.parts import Part
from deployments.stack.stack_file import StackRecord, read_stack
from deployments.stack.starting import Starting, StartStoppedError
from deployments.stack.state_dir import StateDir
from tasks.clients.process.marks import marked
from tasks.clients.process.processes import is_running, terminate
from tasks.model.errors import CannotAct, Code
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Starting]:
    """Begin a start in an empty folder; what it started is ended."""
    stack = StackRecord(mark="mark", started_at=datetime.now(UTC), starter=None, ports={})
    begun = Starting(stack, tmp_path / "stack.json")
    yield begun
    for process in begun.processes:
        process.kill()
        process.wait()


def part(folder: Path, program: str, *, ready: bool = False, timeout_s: float = 20.0, **variables: str) -> Part:
    """Describe a part that runs a few lines of Python."""
    return Part(
        name="part",
        command=(sys.executable, "-c", program),
        log=folder / "part.log",
        directory=folder,
        is_ready=lambda: ready,
        environment=variables,
        timeout_s=timeout_s,
    )


def test_a_part_that_ends_is_named_with_its_last_words(starting: Starting, tmp_path: Path) -> None:
    """Which part, why, and the last lines of its log: all in one message."""
    with pytest.raises(CannotAct) as failed:
        starting.launch(part(tmp_path, "import sys; print('no such gateway'); sys.exit(3)"))

    assert failed.value.code is Code.START_FAILED
    assert "part" in failed.value.detail
    assert "exit_code=3" in failed.value.detail
    assert "no such gateway" in failed.value.detail


def test_a_part_that_never_answers_is_given_up(starting: Starting, tmp_path: Path) -> None:
    """A start that hangs for ever tells nobody anything."""
    with pytest.raises(CannotAct) as failed:
        starting.launch(part(tmp_path, "import time; time.sleep(60)", timeout_s=0.3))
    terminate(starting.stack.parts["part"].identity, grace_s=0)

    assert failed.value.code is Code.NOT_READY


def test_a_part_is_written_down_before_it_is_waited_for(starting: Starting, tmp_path: Path) -> None:
    """Whatever kills `up` now, `down` knows what to stop."""
    starting.launch(part(tmp_path, "import time; time.sleep(60)", ready=True))
    kept = read_stack(tmp_path / "stack.json")
    terminate(starting.stack.parts["part"].identity, grace_s=0)

    assert kept is not None
    assert kept.parts == starting.stack.parts


def test_nothing_is_spawned_after_the_start_was_called_off(starting: Starting, tmp_path: Path) -> None:
    """A part that starts in the instant of Ctrl-C would be left behind."""
    starting.stop()

    with pytest.raises(StartStoppedError):
        starting.launch(part(tmp_path, "import time; time.sleep(60)"))
    assert starting.stack.parts == {}


def test_a_command_that_fails_is_named(starting: Starting, tmp_path: Path) -> None:
    """A release that cannot be built stops the start, in words."""
    with pytest.raises(CannotAct) as failed:
        starting.run(part(tmp_path, "raise SystemExit('no source')"))

    assert failed.value.code is Code.START_FAILED
    assert "no source" in failed.value.detail


def test_a_process_is_known_by_its_mark_through_its_children(starting: Starting, tmp_path: Path) -> None:
    """A service that a flow restarts is a grandchild with another pid; its mark says that it is ours."""
    child = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).wait()"
    starting.launch(part(tmp_path, child, ready=True, RUNBOOK_TEST_MARK="mark-of-this-test"))
    root = starting.stack.parts["part"].identity
    eventually(lambda: len(marked("RUNBOOK_TEST_MARK", "mark-of-this-test")) == 2)
    family = marked("RUNBOOK_TEST_MARK", "mark-of-this-test")
    terminate(root, grace_s=0)

    assert not any(is_running(one) for one in family)


def test_a_foreign_prefect_never_leaks_into_our_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own Prefect profile must not receive our runs."""
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere.example.com/api")
    monkeypatch.setenv("ORDER_SERVICE_PORT", "1")
    monkeypatch.setenv("TRADING_RUNBOOK_STACK", "")
    monkeypatch.setenv("TRADING_RUNBOOK_STATE_DIR", "")
    adopt_mark("ours", StateDir(Path("here")))

    assert "PREFECT_API_URL" not in os.environ
    assert "ORDER_SERVICE_PORT" not in os.environ
    assert os.environ["TRADING_RUNBOOK_STACK"] == "ours"


def gateways(folder: Path, *names: str, classes: str = "equity") -> list[Part]:
    """Describe gateways on free ports."""
    state, found = StateDir(folder), []
    for name in names:
        port, admin_port = free_port(), free_port()
        words = f"--name {name} --port {port} --admin-port {admin_port} --journal {name}.jsonl --classes {classes}"
        found.append(
            Part(
                name=name,
                command=(sys.executable, "-m", "order_service.gateway_simulator", *words.split()),
                log=state.log(name),
                directory=state.gateway(name),
                is_ready=partial(answers, f"http://127.0.0.1:{port}/health"),
                base_url=f"http://127.0.0.1:{port}",
            )
        )
    return found


@pytest.mark.live
@pytest.mark.skipif(not CAN_FORK, reason="this platform cannot fork")
def test_gateways_that_share_memory_die_each_alone(starting: Starting, tmp_path: Path) -> None:
    """A drill kills one gateway; the others go on, and `down` knows each of them."""
    dead, alive = gateways(tmp_path, "XNAS", "XNYS")
    up: list[str] = []

    starting.launch_forked([dead, alive], lambda part: up.append(part.name))
    kept = read_stack(tmp_path / "stack.json")
    try:
        terminate(starting.stack.parts["XNAS"].identity, grace_s=0)

        assert up == ["XNAS", "XNYS"]
        assert kept is not None
        assert kept.parts == starting.stack.parts
        assert not dead.is_ready()
        assert alive.is_ready()
    finally:
        terminate(starting.stack.parts["XNYS"].identity, grace_s=0)


@pytest.mark.live
@pytest.mark.skipif(not CAN_FORK, reason="this platform cannot fork")
def test_a_gateway_that_does_not_come_up_beside_others_is_named(starting: Starting, tmp_path: Path) -> None:
    """Its own log says why, as if it had been started alone."""
    with pytest.raises(CannotAct) as failed:
        starting.launch_forked(gateways(tmp_path, "XNAS", classes="stamps"), lambda _: None)

    assert failed.value.code is Code.START_FAILED
    assert "expected XNAS to come up" in failed.value.detail
    assert "stamps" in failed.value.detail


@pytest.mark.skipif(not CAN_FORK, reason="this platform cannot fork")
def test_nothing_is_forked_after_the_start_was_called_off(starting: Starting, tmp_path: Path) -> None:
    """Gateways that start in the instant of Ctrl-C would be left behind."""
    starting.stop()

    with pytest.raises(StartStoppedError):
        starting.launch_forked(gateways(tmp_path, "XNAS"), lambda _: None)
    assert starting.stack.parts == {}
