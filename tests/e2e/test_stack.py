"""The local stack from outside: one command up, one command down, and nothing left behind by either."""

import json
import os
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from deployments.stack.local_http import ask
from tasks.clients.process.marks import marked
from tests.fakes.polling import eventually
from tests.fakes.stack.local_stack import MARK, Stack, nothing_carries

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals between processes are POSIX")


def test_one_command_brings_up_everything_and_a_first_triage_finishes(stack: Stack) -> None:
    """A person who typed one command sees a healthy service, found so by a real triage, within the minute."""
    last = stack.wait_for_triage()
    status = json.loads(stack.run("status", "--json").stdout)

    assert last["cause"] == "healthy"
    assert status["prefect"]["pid"]
    assert status["worker"]["pid"]
    assert status["services"]["order-service"]["health"] == "ok"
    assert status["services"]["order-service"]["release"] == "1.0.0"
    assert {name: one["health"] for name, one in status["gateways"].items()} == dict.fromkeys(
        ("XNAS", "XNYS", "XCME", "FXALL", "CRYP"), "ok"
    )
    # Prefect's scheduler writes the next minutes down after it has seen the deployment, within seconds.
    eventually(lambda: stack.status()["triage"]["next_at"], within_s=30, every_s=0.5)
    assert status["open_incidents"] == []
    assert status["mode"] == "act"


def test_up_on_a_running_stack_says_so_and_starts_nothing(stack: Stack) -> None:
    """Typing the command twice must not make a second stack."""
    before = json.loads((stack.state_dir / "stack.json").read_text("utf-8"))
    again = stack.run("up", "--detach")

    assert again.returncode == 0
    assert f"{stack.status()['prefect']['ui_url']}/sign-in#" in again.stdout
    assert json.loads((stack.state_dir / "stack.json").read_text("utf-8")) == before


@POSIX
def test_secrets_are_for_their_owner_alone(stack: Stack) -> None:
    """The token can halt trading: nobody else on the machine may read it, and no status shows it."""
    assert stack.state_dir.stat().st_mode & 0o777 == 0o700
    # Releases and the routing table hold no secret, and on a trading host another user may read them.
    secret = [one for one in stack.state_dir.rglob("*") if one.name != "routing.toml" and not one.is_symlink()]
    secret = [one for one in secret if not one.is_relative_to(stack.state_dir / "releases")]
    assert [one for one in secret if one.lstat().st_mode & 0o077] == []
    token = (stack.state_dir / "order-service" / "control-token").read_text("utf-8").strip()

    assert token not in stack.run("status", "--json").stdout


@POSIX
def test_up_mends_a_stack_of_which_a_gateway_was_killed(stack: Stack) -> None:
    """After a drill, the same command brings back what the drill took, and leaves the rest alone."""
    before = stack.status()
    os.kill(before["gateways"]["XNYS"]["pid"], signal.SIGKILL)
    eventually(lambda: stack.status()["gateways"]["XNYS"]["pid"] is None)
    fixed = stack.run("up", "--detach")
    after = stack.status()

    assert fixed.returncode == 0, fixed.stderr
    assert after["gateways"]["XNYS"]["base_url"] == before["gateways"]["XNYS"]["base_url"]
    assert after["prefect"]["pid"] == before["prefect"]["pid"]
    assert after["services"]["order-service"]["pid"] == before["services"]["order-service"]["pid"]
    eventually(lambda: stack.status()["gateways"]["XNYS"]["health"] == stack.status()["prefect"]["health"] == "ok")


@POSIX
def test_ctrl_c_during_the_start_leaves_nothing(empty: Stack) -> None:
    """A person who changes their mind gets their machine back."""
    starting = empty.start("up")
    try:
        eventually(lambda: _parts(empty.state_dir) >= {"prefect-server", "XNAS"}, within_s=30)
        mark = empty.mark()
        starting.send_signal(signal.SIGINT)
        starting.communicate(timeout=60)
    finally:
        starting.kill()

    assert starting.returncode == 130
    assert nothing_carries(mark)
    assert not empty.status()["running"]


@POSIX
def test_a_part_that_does_not_come_up_is_named_and_nothing_is_left(empty: Stack) -> None:
    """The person reads which part, why, and its last lines; and has nothing to clean up."""
    broken = empty.state_dir / "releases" / "current"
    broken.parent.mkdir(parents=True)
    broken.write_text("9.9.9\n", "utf-8")
    failed = empty.run("up", "--detach")

    assert failed.returncode == 1
    assert "part=order-service" in failed.stderr
    assert "9.9.9" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not empty.status()["running"]


@pytest.mark.drill
@POSIX
def test_down_stops_whole_trees_also_of_a_killed_worker_and_a_second_down_says_so(empty: Stack) -> None:
    """However a stack came apart, `down` ends all of it and only it."""
    assert empty.run("up", "--detach").returncode == 0
    mark = empty.mark()
    os.kill(empty.status()["worker"]["pid"], signal.SIGKILL)
    first, second = empty.run("down"), empty.run("down")

    assert (first.returncode, second.returncode) == (0, 0)
    assert nothing_carries(mark)
    assert not (empty.state_dir / "stack.json").exists()


@pytest.mark.drill
@POSIX
def test_after_a_reboot_the_foreground_starts_anew_and_stops_everything_at_sigterm(empty: Stack) -> None:
    """What a reboot left is no stack; and a service manager that stops `runbook up` stops all of it."""
    assert empty.run("up", "--detach").returncode == 0
    before = empty.mark()
    for one in marked(MARK, before):
        os.kill(one.pid, signal.SIGKILL)
    eventually(lambda: nothing_carries(before))
    running = empty.start("up")
    try:
        assert running.stdout is not None
        assert any("The stack is up" in line for line in iter(running.stdout.readline, ""))
        after, health = empty.mark(), empty.status()["services"]["order-service"]["health"]
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    finally:
        running.kill()

    assert after != before
    assert health == "ok"
    assert running.returncode == 0
    assert nothing_carries(after)


def test_a_taken_port_that_was_asked_for_is_one_clear_line(empty: Stack) -> None:
    """Who names a port means that port: it is refused by name, not moved in silence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = empty.run("up", "--detach", "--service-port", str(port))

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"PORT_TAKEN: expected port={port}")
    assert len(refused.stderr.splitlines()) == 1


def test_a_wrong_setting_is_one_clear_line_and_exit_2(empty: Stack) -> None:
    """A typing mistake in the environment is named before anything starts."""
    refused = empty.run("up", "--detach", RUNBOOK_MODE="brave")

    assert refused.returncode == 2
    assert refused.stderr.startswith("BAD_SETTING:")
    assert "mode" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not empty.status()["running"]


def _parts(state_dir: Path) -> set[str]:
    try:
        return set(json.loads((state_dir / "stack.json").read_text("utf-8"))["parts"])
    except (OSError, ValueError):
        return set()


@pytest.mark.drill
@POSIX
def test_a_run_that_died_with_its_worker_does_not_end_the_watch(empty: Stack) -> None:
    """The dead run would keep the one place of its deployment for ever, and nobody would look at the service."""
    assert empty.run("up", "--detach").returncode == 0
    empty.wait_for_triage()
    before = empty.status()
    pid = before["services"]["order-service"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    api = empty.api()
    running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}, "deployment_id": {"is_null_": False}}}
    eventually(lambda: ask(f"{api}/flow_runs/filter", running), within_s=75, every_s=0.2)
    worker = before["worker"]["pid"]
    for one in [*psutil.Process(worker).children(recursive=True), psutil.Process(worker)]:
        one.kill()
    os.kill(pid, signal.SIGCONT)

    assert empty.run("up", "--detach").returncode == 0
    started_at = datetime.now(UTC).isoformat()

    eventually(lambda: empty.status()["triage"]["last"]["started_at"] > started_at, within_s=90, every_s=0.5)
    assert not empty.status()["triage"]["overdue"]
