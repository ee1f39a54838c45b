"""The end of a worker, kind or not, and of its server: what becomes of the runs that are under way."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployments.ci.prefect_process import server
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.prefect.worker_line import Line
from tests.fakes.prefect.workers import PULLED, Lab, lab

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.prefect,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform == "win32", reason="signals, sessions and forks are POSIX"),
]
OURS, STOCK = "warm-process", "process"


def alive(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("worker_type", [OURS, STOCK])
def test_a_killed_worker_takes_no_run_with_it_and_the_next_one_does_none_twice(
    prefect_api: str, tmp_path: Path, worker_type: str
) -> None:
    """A restart of the service that was under way is finished, not begun again."""
    with lab(prefect_api, worker_type, tmp_path) as worker:
        run = worker.run("slow", seconds=15)
        worker.trace(did="began")
        worker.reached(run, "RUNNING")
        worker.processes[-1].kill()
        worker.processes[-1].wait(10)
        worker.start()

        assert worker.ended(run) == "COMPLETED"
        assert worker.ended(worker.run("quick")) == "COMPLETED"
        assert [one["did"] for one in worker.left()] == ["began", "ended", "quick"]


@pytest.mark.parametrize("end", ["cancel", "death"])
def test_the_next_worker_takes_over_the_runs_of_a_killed_one(prefect_api: str, tmp_path: Path, end: str) -> None:
    """Such a run can be canceled, and its death is seen; the stock worker knows nothing of it any more."""
    with lab(prefect_api, OURS, tmp_path) as worker:
        limit = {"concurrency_limit": 1, "concurrency_options": {"collision_strategy": "CANCEL_NEW"}}
        deployment = worker.deploy("slow", **limit)
        run = worker.trigger(deployment)
        pid = worker.trace(did="began")["pid"]
        worker.reached(run, "RUNNING")
        worker.processes[-1].kill()
        worker.processes[-1].wait(10)
        worker.start()
        if end == "cancel":
            worker.cancel(run)
        else:
            os.kill(pid, signal.SIGKILL)

        # The flow cannot know that it was canceled: who would have told it is gone. It may say first that it crashed.
        worker.reached(run, "CANCELLED" if end == "cancel" else "CRASHED")
        assert not alive(pid)
        eventually(lambda: worker.ended(worker.trigger(deployment, seconds=0)) == "COMPLETED", within_s=20)


def test_a_run_that_died_while_there_was_no_worker_is_crashed_by_the_next_one(prefect_api: str, tmp_path: Path) -> None:
    """It would keep the one place of its deployment for ever, and nobody would look at the service."""
    with lab(prefect_api, OURS, tmp_path) as worker:
        run = worker.run("slow")
        pid = worker.trace(did="began")["pid"]
        worker.reached(run, "RUNNING")
        worker.processes[-1].kill()
        worker.processes[-1].wait(10)
        os.kill(pid, signal.SIGKILL)
        worker.start()

        assert worker.ended(run) == "CRASHED"


@pytest.mark.parametrize("more", [{}, PULLED], ids=["forked", "stock"])
def test_a_worker_that_is_asked_to_stop_leaves_no_run_in_doubt(
    prefect_api: str, tmp_path: Path, more: dict[str, Any]
) -> None:
    """After `systemctl stop` every run has an end; the stock worker leaves one that is under way *Running* for ever."""
    with lab(prefect_api, OURS, tmp_path) as worker:
        long_one = worker.trigger(worker.deploy("slow", **more))
        pid = worker.trace(did="began")["pid"]
        worker.reached(long_one, "RUNNING")
        worker.processes[-1].send_signal(signal.SIGTERM)

        assert worker.processes[-1].wait(60) == 0
        assert worker.ended(long_one, within_s=10) == "CRASHED"
        eventually(lambda: not alive(pid), within_s=10)
        assert worker.left(did="ended") == []


def test_a_worker_that_is_asked_to_stop_lets_a_short_run_end_well(prefect_api: str, tmp_path: Path) -> None:
    """A healthy triage takes a second: stopping waits for it, so that no minute ends in a crash."""
    with lab(prefect_api, OURS, tmp_path) as worker:
        run = worker.run("slow", seconds=2)
        worker.trace(did="began")
        worker.reached(run, "RUNNING")
        asked_at = time.monotonic()
        worker.processes[-1].send_signal(signal.SIGTERM)

        assert worker.processes[-1].wait(30) == 0
        assert time.monotonic() - asked_at < 10
        assert worker.state(run) == "COMPLETED"


def test_a_run_is_found_by_events_without_polling(prefect_api: str, tmp_path: Path) -> None:
    """A person who presses Run waits a second, not for the next poll."""
    with lab(prefect_api, OURS, tmp_path, PREFECT_WORKER_QUERY_SECONDS="600") as worker:
        deployment = worker.deploy("quick")
        assert worker.ended(worker.trigger(deployment), within_s=90) == "COMPLETED"
        asked_at = time.monotonic()

        assert worker.ended(worker.trigger(deployment)) == "COMPLETED"
        assert time.monotonic() - asked_at < 20


def test_a_run_and_a_cancel_are_found_by_polling_without_events(prefect_api: str, tmp_path: Path) -> None:
    """A proxy that lets no websocket through makes the worker slower, and nothing worse."""
    line = Line(prefect_api, without_events=True)
    try:
        with lab(prefect_api, OURS, tmp_path, line.api) as worker:
            assert worker.ended(worker.run("quick")) == "COMPLETED"
            run = worker.run("slow")
            worker.trace(did="began")
            worker.reached(run, "RUNNING")
            worker.cancel(run)

            assert worker.ended(run) == "CANCELLED"
    finally:
        line.close()


def test_a_run_that_is_under_way_when_the_server_restarts_ends_well_and_the_worker_goes_on(tmp_path: Path) -> None:
    """An update of Prefect's server is no incident."""
    home, port = tmp_path / "server", free_port()
    folder = tmp_path / "worker"
    folder.mkdir()
    worker: Lab
    with server(home, port) as api:
        worker = Lab(api, OURS, folder)
        worker.start()
        deployment = worker.deploy("slow")
        run = worker.trigger(deployment, seconds=3)
        worker.trace(did="began")
        worker.reached(run, "RUNNING")
    try:
        with server(home, port):
            assert worker.ended(run, within_s=90) == "COMPLETED"
            assert worker.ended(worker.trigger(deployment, seconds=0)) == "COMPLETED"
            assert len(worker.left(did="began")) == 2
            worker.stop()
    finally:
        worker.stop()


def test_a_pending_run_of_a_dead_worker_gives_its_place_back_within_seconds(prefect_api: str, tmp_path: Path) -> None:
    """Beside a worker that lived, it kept every triage from running until Prefect's lease ended."""
    with lab(prefect_api, "warm-process", tmp_path) as worker:
        limit = {"concurrency_limit": 1, "concurrency_options": {"collision_strategy": "CANCEL_NEW"}}
        deployment = worker.deploy("quick", **limit)
        later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z"}}
        stuck = str(worker.call("POST", f"/deployments/{deployment}/create_flow_run", {"state": later})["id"])
        worker.call("POST", f"/flow_runs/{stuck}/set_state", {"state": {"type": "PENDING"}})
        assert worker.ended(worker.trigger(deployment)) == "CANCELLED", "the place is held"

        assert worker.ended(stuck, within_s=45) == "CRASHED"
        assert worker.ended(worker.trigger(deployment)) == "COMPLETED"
