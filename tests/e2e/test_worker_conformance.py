"""Our worker beside Prefect's own, on one server: the same deployments, the same outcomes.

What Prefect's own does is looked at with the drills: it takes four times as long, and changes with Prefect alone.
"""

import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.polling import eventually
from tests.fakes.prefect.workers import Lab, lab

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.prefect,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform == "win32", reason="signals, sessions and forks are POSIX"),
]
OURS, STOCK = "warm-process", "process"


@pytest.fixture(scope="module", params=[OURS, pytest.param(STOCK, marks=pytest.mark.drill)])
def worker(prefect_api: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """One worker of each type, shared by the tests that leave it as they found it."""
    folder, beats = tmp_path_factory.mktemp(request.param), {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
    with lab(prefect_api, request.param, folder, **beats) as running:
        yield running


@pytest.fixture(autouse=True)
def no_traces(worker: Lab) -> None:
    """Begin each test with an empty file of traces."""
    worker.traces.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_run_has_its_own_identity_folder_and_variables_and_its_logs_arrive(worker: Lab) -> None:
    """A person reads a run's log in the UI; a flow relies on what its deployment sets."""
    deployment = worker.deploy("quick", job_variables={"env": {"FROM_JOB": "yes"}})
    first, second = worker.trigger(deployment), worker.trigger(deployment)

    assert [worker.ended(one) for one in (first, second)] == ["COMPLETED", "COMPLETED"]
    traces = {one["seen"]["PREFECT__FLOW_RUN_ID"]: one for one in worker.left(did="quick")}
    assert set(traces) == {first, second}
    # Ours takes no environment of a deployment: it would be a way to bring code.
    from_job = None if worker.worker_type == OURS else "yes"
    assert {one["seen"].get("FROM_JOB") for one in traces.values()} == {from_job}
    assert len({one["cwd"] for one in traces.values()}) == 2
    assert not any(Path(one["cwd"]).is_relative_to(Path.cwd()) for one in traces.values())
    eventually(lambda: "a line that must reach the server" in worker.logs(first), within_s=15)
    # Prefect's own says in between that it submits the run; ours forks it in the same moment.
    submitting = [] if worker.worker_type == OURS else ["PENDING"]
    assert worker.states(first) == ["SCHEDULED", "PENDING", *submitting, "RUNNING", "COMPLETED"]


def test_a_flow_that_raises_is_failed_and_says_why(worker: Lab) -> None:
    """*Failed* means that our tool broke, and the run says how."""
    run = worker.run("failing")

    assert worker.ended(run) == "FAILED"
    assert "as it should" in worker.call("GET", f"/flow_runs/{run}")["state"]["message"]


@pytest.mark.parametrize("flow", ["killed", "exiting"])
def test_a_run_whose_process_dies_is_crashed_within_seconds(worker: Lab, flow: str) -> None:
    """A run that nobody ends would look alive for ever, and keep its place."""
    run = worker.run(flow)
    worker.trace(did="began")
    died_at = time.monotonic()

    assert worker.ended(run) == "CRASHED"
    assert time.monotonic() - died_at < 10
    if flow == "killed":
        worker.trace(hook="CRASHED")


def test_a_cancel_ends_the_whole_tree_of_the_run_but_not_the_service_that_it_started(worker: Lab) -> None:
    """Cancel means that nothing of the run goes on; the service that it restarted must go on."""
    run = worker.run("family")
    began = worker.trace(did="began")
    worker.reached(run, "RUNNING")
    worker.cancel(run)

    try:
        assert worker.ended(run, within_s=60) == "CANCELLED"
        eventually(lambda: not alive(began["pid"]) and not alive(began["child"]), within_s=20)
        assert alive(began["service"])
    finally:
        psutil.Process(began["service"]).kill()


def test_a_canceled_flow_is_told_and_never_comes_to_its_end(worker: Lab) -> None:
    """A flow that cleans up after a cancel is called; what comes after is not done."""
    run = worker.run("slow")
    worker.trace(did="began")
    worker.reached(run, "RUNNING")
    worker.cancel(run)

    assert worker.ended(run, within_s=60) == "CANCELLED"
    worker.trace(hook="CANCELLING")
    assert worker.left(did="ended") == []


def test_what_a_run_leaks_no_later_run_can_see(worker: Lab) -> None:
    """A flow that leaves its process in disorder harms itself alone."""
    before = worker.run("modest")
    assert worker.ended(before) == "COMPLETED"
    assert worker.ended(worker.run("greedy")) == "COMPLETED"
    assert worker.ended(worker.run("modest")) == "COMPLETED"

    first, last = worker.left(did="looked")
    assert (last["leaked"], last["path"]) == (None, False)
    assert last["descriptors"] <= first["descriptors"] + 5


def test_a_flow_that_hangs_holds_up_no_other(worker: Lab) -> None:
    """The next minute's look does not wait for the one that hangs."""
    hanging = worker.run("slow")
    worker.trace(did="began")

    assert worker.ended(worker.run("quick")) == "COMPLETED"
    assert worker.state(hanging) == "RUNNING"
    worker.cancel(hanging)
    worker.ended(hanging, within_s=60)


def test_a_deployment_that_allows_one_run_cancels_the_second(worker: Lab) -> None:
    """A triage that takes long is not followed by a queue of late ones."""
    limit = {"concurrency_limit": 1, "concurrency_options": {"collision_strategy": "CANCEL_NEW"}}
    deployment = worker.deploy("slow", **limit)
    first = worker.trigger(deployment)
    worker.reached(first, "RUNNING")
    second = worker.trigger(deployment)

    assert worker.ended(second) == "CANCELLED"
    worker.cancel(first)
    assert worker.ended(first, within_s=60) == "CANCELLED"
    assert len(worker.left(did="began")) == 1
    third = worker.trigger(deployment, seconds=0)
    assert worker.ended(third) == "COMPLETED"


def _one_at_a_time(worker: Lab, kind: str, limit: int | None) -> None:
    if kind == "pool":
        worker.call("PATCH", f"/work_pools/{worker.pool}", {"concurrency_limit": limit})
    else:
        worker.call("PATCH", f"/work_pools/{worker.pool}/queues/default", {"concurrency_limit": limit})


@pytest.mark.parametrize("kind", ["pool", "queue"])
def test_a_limit_of_the_pool_or_the_queue_lets_one_run_wait_for_the_other(worker: Lab, kind: str) -> None:
    """A limit that a person sets in the UI is kept."""
    _one_at_a_time(worker, kind, 1)
    try:
        deployment = worker.deploy("slow")
        runs = [worker.trigger(deployment, seconds=1.5) for _ in range(2)]

        assert [worker.ended(one) for one in runs] == ["COMPLETED", "COMPLETED"]
    finally:
        _one_at_a_time(worker, kind, None)
    order = [one["did"] for one in worker.left()]
    assert order == ["began", "ended", "began", "ended"]


def test_a_run_for_later_begins_at_its_time(worker: Lab) -> None:
    """The minute's triage begins with the minute, not when the worker happens to look."""
    deployment = worker.deploy("quick")
    at = datetime.now().astimezone() + timedelta(seconds=5)
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}}
    body: dict[str, Any] = {"parameters": {"file": str(worker.traces)}, "state": state}
    run = worker.call("POST", f"/deployments/{deployment}/create_flow_run", body)["id"]

    assert worker.ended(run) == "COMPLETED"
    started_at = datetime.fromisoformat(worker.call("GET", f"/flow_runs/{run}")["start_time"])
    # Prefect rounds the wait to whole seconds, so that a run may begin half a second early.
    assert -0.6 < (started_at - at).total_seconds() < (10 if worker.worker_type == OURS else 30)


def test_code_of_a_file_runs_as_well(worker: Lab) -> None:
    """Not every deployment can be forked; none is refused for that."""
    file = worker.folder / "by_file.py"
    source = "from prefect import flow\nfrom tests.fakes.prefect.worker_flows import trace\n\n\n@flow\n"
    file.write_text(source + "def by_file(file: str):\n    trace(file, did='by file')\n", "utf-8")
    step = {"prefect.deployments.steps.set_working_directory": {"directory": str(worker.folder)}}
    by_file = worker.deploy("by_file", entrypoint="by_file.py:by_file", pull_steps=[step])

    assert worker.ended(worker.trigger(by_file)) == "COMPLETED"
    assert len(worker.left(did="by file")) == 1


def test_the_worker_is_seen_alive_by_its_server(worker: Lab) -> None:
    """A pool without a worker is shown as not ready; that must not be said of one that works."""
    found = worker.call("POST", f"/work_pools/{worker.pool}/workers/filter", {})

    assert [one["status"] for one in found] == ["ONLINE"]
    assert worker.call("GET", f"/work_pools/{worker.pool}")["status"] == "READY"
    assert worker.call("GET", f"/work_pools/{worker.pool}")["type"] == worker.worker_type


def heartbeats(worker: Lab, run: str) -> list[Any]:
    """Give the heartbeats of a run that the server has."""
    wanted = {"event": {"name": ["prefect.flow-run.heartbeat"]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}
    return list(worker.call("POST", "/events/filter", {"filter": wanted})["events"])


def test_a_run_beats_while_it_lives_where_its_worker_asks_for_it(worker: Lab) -> None:
    """An automation that ends runs without a heartbeat must not end those of this worker."""
    run = worker.run("slow", seconds=3)

    assert worker.ended(run, within_s=120) == "COMPLETED"
    eventually(lambda: heartbeats(worker, run), within_s=20, every_s=0.2)


def test_nothing_is_left_of_runs_that_have_ended(worker: Lab) -> None:
    """A worker that leaves a process a minute behind fills the machine in a night."""
    root = psutil.Process(worker.processes[0].pid)
    before = {one.pid for one in root.children(recursive=True)}
    deployment = worker.deploy("quick")
    runs = [worker.trigger(deployment) for _ in range(4)]
    assert {worker.ended(one) for one in runs} == {"COMPLETED"}

    eventually(lambda: {one.pid for one in root.children(recursive=True)} <= before, within_s=20)
    assert os.path.exists(f"/proc/{root.pid}") or root.is_running()  # noqa: PTH110
