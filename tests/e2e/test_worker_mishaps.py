"""What befalls a worker: its server away, itself killed, its code changed. No run is lost in silence or done twice."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.polling import eventually
from tests.fakes.prefect.worker_line import Line
from tests.fakes.prefect.workers import PULLED, Lab, lab

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.prefect,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform == "win32", reason="signals, sessions and forks are POSIX"),
]
OURS = "warm-process"


@pytest.fixture(scope="module")
def line(prefect_api: str) -> Iterator[Line]:
    """The way from the worker to its server; tests fix what they cut."""
    made = Line(prefect_api)
    yield made
    made.close()


@pytest.fixture(scope="module")
def worker(prefect_api: str, line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One worker of ours at the end of that line."""
    with lab(prefect_api, OURS, tmp_path_factory.mktemp("ours"), line.api) as running:
        yield running


@pytest.fixture(autouse=True)
def no_traces(request: pytest.FixtureRequest) -> None:
    """Begin each test with an empty file of traces."""
    if "worker" in request.fixturenames:
        request.getfixturevalue("worker").traces.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def fork_server(worker: Lab) -> psutil.Process:
    """Find the process that the runs are forked from."""
    root = psutil.Process(worker.processes[-1].pid)
    eventually(lambda: [one for one in root.children() if "fork_server" in " ".join(one.cmdline())], within_s=20)
    return max((one for one in root.children() if "fork_server" in " ".join(one.cmdline())), key=lambda one: one.pid)


def test_a_run_that_ends_while_prefect_is_away_is_completed_once_prefect_is_back(worker: Lab, line: Line) -> None:
    """The run did its work, and says so when there is somebody to hear it."""
    run = worker.run("slow", seconds=3)
    worker.trace(did="began")
    worker.reached(run, "RUNNING")
    line.cut()
    worker.trace(did="ended")
    line.mend()

    assert worker.ended(run, within_s=90) == "COMPLETED"
    assert len(worker.left(did="began")) == 1


def test_a_run_that_dies_while_prefect_is_away_is_crashed_once_prefect_is_back(worker: Lab, line: Line) -> None:
    """A death that nobody could be reported of is told later; the run would look alive for ever."""
    run = worker.run("slow")
    pid = worker.trace(did="began")["pid"]
    worker.reached(run, "RUNNING")
    line.cut()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))
    line.mend()

    assert worker.ended(run, within_s=60) == "CRASHED"


def test_a_cancel_that_was_asked_for_while_the_worker_could_not_hear_it_is_carried_out(worker: Lab, line: Line) -> None:
    """What no event has told, polling finds."""
    run = worker.run("slow")
    worker.trace(did="began")
    worker.reached(run, "RUNNING")
    line.cut()
    worker.cancel(run)
    line.mend()

    assert worker.ended(run, within_s=60) == "CANCELLED"
    assert worker.left(did="ended") == []


def test_a_fork_server_that_is_killed_takes_no_run_with_it_and_is_followed_by_another(worker: Lab) -> None:
    """The kernel may kill any process that is short of memory."""
    under_way = worker.run("slow", seconds=4)
    worker.trace(did="began")
    fork_server(worker).kill()
    next_one = worker.run("quick")

    assert worker.ended(next_one) == "COMPLETED"
    assert worker.ended(under_way) == "COMPLETED"
    assert len(worker.left(did="began")) == 1


def test_a_flow_that_is_deaf_to_being_asked_is_killed(worker: Lab) -> None:
    """Cancel means cancel, within seconds and not within the half minute of the stock worker."""
    run = worker.run("deaf")
    pid = worker.trace(did="began")["pid"]
    worker.reached(run, "RUNNING")
    worker.cancel(run)

    assert worker.ended(run, within_s=20) == "CANCELLED"
    assert not alive(pid)


def test_a_cancel_at_once_is_carried_out_too(worker: Lab) -> None:
    """A person who pressed Run by mistake presses Cancel right away."""
    run = worker.run("slow")
    worker.cancel(run)

    assert worker.ended(run, within_s=30) == "CANCELLED"
    assert worker.left(did="ended") == []


def test_children_that_a_run_leaves_behind_end_with_it(worker: Lab) -> None:
    """What one minute leaves behind must not add up over a night."""
    run = worker.run("orphaning")
    child = worker.trace(did="ended")["child"]

    assert worker.ended(run) == "COMPLETED"
    eventually(lambda: not alive(child), within_s=10)


@pytest.mark.parametrize(
    ("limit_s", "more"),
    [(1, {}), (8, PULLED)],
    ids=["forked", "stock"],
)
def test_a_run_that_takes_longer_than_its_limit_is_ended_and_says_so(
    worker: Lab, limit_s: int, more: dict[str, Any]
) -> None:
    """A look that hangs would keep the one place of its deployment, and nobody would look at the service."""
    run = worker.trigger(worker.deploy("slow", job_variables={"run_limit_s": limit_s}, **more))
    pid = worker.trace(did="began")["pid"]

    assert worker.ended(run, within_s=20) == "CRASHED"
    assert "RUN_LIMIT" in worker.call("GET", f"/flow_runs/{run}")["state"]["message"]
    eventually(lambda: not alive(pid), within_s=20)


def write(path: Path, word: str) -> None:
    """Write a flow that leaves a word; its time is a new one, however quick the test."""
    source = "from prefect import flow\nfrom tests.fakes.prefect.worker_flows import trace\n\n\n@flow\n"
    path.write_text(source + f"def telling(file: str):\n    trace(file, did={word})\n", "utf-8")


def test_a_run_has_the_code_that_is_on_disk_and_broken_code_harms_its_own_flow_alone(worker: Lab) -> None:
    """After a deployment of new code no run works with the old; a broken one is told by its own runs."""
    path = worker.folder / "telling.py"
    write(path, "'first'")
    deployment, other = worker.deploy("telling.telling"), worker.deploy("quick")
    assert worker.ended(worker.trigger(deployment)) == "COMPLETED"
    assert worker.ended(worker.trigger(deployment)) == "COMPLETED"
    write(path, "'second'")
    assert worker.ended(worker.trigger(deployment)) == "COMPLETED"
    write(path, "")
    assert worker.ended(worker.trigger(deployment)) in {"FAILED", "CRASHED"}
    assert worker.ended(worker.trigger(other)) == "COMPLETED"
    write(path, "'third'")
    assert worker.ended(worker.trigger(deployment)) == "COMPLETED"

    assert [one["did"] for one in worker.left()] == ["first", "first", "second", "quick", "third"]


def test_a_hangup_makes_the_worker_read_its_code_anew_and_disturbs_no_run(worker: Lab) -> None:
    """`systemctl reload` is what a person types after a change."""
    before = fork_server(worker)
    run = worker.run("slow", seconds=3)
    worker.trace(did="began")
    worker.processes[-1].send_signal(signal.SIGHUP)

    eventually(lambda: fork_server(worker).pid != before.pid, within_s=20)
    assert worker.ended(run) == "COMPLETED"
    assert worker.ended(worker.run("quick")) == "COMPLETED"
    eventually(lambda: not alive(before.pid), within_s=20)
