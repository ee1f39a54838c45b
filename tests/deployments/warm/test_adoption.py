"""What an earlier worker left: whose it is, how long it may go on, and that it outlives the next one too."""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.schemas.objects import FlowRun, StateType

from deployments.warm import attempts as attempts_module
from deployments.warm.adoption import UNDER_WAY, Ours, adopt, is_suspended, left_s, put_back, runs_in
from deployments.warm.attempts import Attempts
from deployments.warm.forking import ForkedProcess
from deployments.warm.places import place_here
from deployments.warm.worker_type import WarmWorker
from tasks.clients.process.processes import identify, is_running
from tests.fakes.prefect.flow_runs import NOW, FakeApi, flow_run

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX"),
]


class SilentApi(FakeApi):
    """Prefect as it is away: it never answers what is set, and tells of the runs that it knew."""

    def __init__(self, *runs: FlowRun) -> None:
        super().__init__(*runs)
        self.asked: list[dict[str, Any]] = []

    async def set_flow_run_state(self, *_: Any, **__: Any) -> Any:
        """Let them wait."""
        await asyncio.Event().wait()

    async def read_flow_runs(self, **filters: Any) -> list[FlowRun]:
        """Give what is under way."""
        self.asked.append(filters)
        return list(self.runs.values())


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A run's process that never ends by itself: it leads a session, as a forked run does."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as process:
        yield process
        process.kill()


def of(process: "subprocess.Popen[bytes]") -> ForkedProcess:
    """The worker's view of a process."""
    identity = identify(process.pid)
    assert identity
    return ForkedProcess(identity)


def attempts_with(api: FakeApi) -> Attempts:
    """The runs of one worker."""
    hooks: Any = SimpleNamespace()
    return Attempts(api, hooks, "a worker")  # type: ignore[arg-type]


def test_a_suspended_run_has_no_process_and_is_not_dead() -> None:
    """It waits for a person, and goes on in a process of its own."""
    assert is_suspended(flow_run(StateType.PAUSED, state_name="Suspended"))
    assert not is_suspended(flow_run(StateType.PAUSED, state_name="Paused"))


def test_a_run_that_an_outage_left_pending_is_scheduled_again_once() -> None:
    """It was never started, so starting it now does nothing twice."""
    stuck = flow_run(StateType.PENDING, since=datetime.now(UTC) - timedelta(seconds=90), expected_start_time=NOW)
    starting = flow_run(StateType.PENDING, since=datetime.now(UTC))
    running = flow_run(StateType.RUNNING)
    api = FakeApi(stuck, starting, running)
    settled = {run.id: asyncio.run(put_back(api, run.id)) for run in (stuck, starting, running)}  # type: ignore[arg-type]

    assert settled == {stuck.id: True, starting.id: False, running.id: True}
    assert api.set_states == [(stuck.id, StateType.SCHEDULED)]
    assert asyncio.run(put_back(api, uuid.uuid4()))  # type: ignore[arg-type]


def test_a_run_that_was_canceled_before_it_had_a_process_ends_canceled() -> None:
    """Nobody else would ever say so: there is no process that could."""
    waiting = flow_run(StateType.CANCELLING, since=datetime.now(UTC) - timedelta(seconds=90))
    fresh = flow_run(StateType.CANCELLING, since=datetime.now(UTC))
    ending = flow_run(StateType.CANCELLING, since=NOW, infrastructure_pid="h:1:1.0")
    api = FakeApi(waiting, fresh, ending)
    settled = {run.id: asyncio.run(put_back(api, run.id)) for run in (waiting, fresh, ending)}  # type: ignore[arg-type]

    assert settled == {waiting.id: True, fresh.id: False, ending.id: True}
    assert api.set_states == [(waiting.id, StateType.CANCELLED)]


@pytest.mark.parametrize("kind", ["refused", "broken"])
def test_a_run_that_could_not_be_taken_is_looked_at_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect's base class swallows what went wrong; *Pending* for ever would be nobody's."""
    run = flow_run(StateType.PENDING)

    async def proposed(*_: Any) -> bool:
        return False

    async def submitted(*_: Any) -> Exception:
        return ConnectionError("gone")

    monkeypatch.setattr("prefect.workers.base.BaseWorker._propose_pending_state", proposed)
    monkeypatch.setattr("prefect.workers.base.BaseWorker._submit_run_and_capture_errors", submitted)
    worker = WarmWorker("pool")

    asyncio.run(worker._propose_pending_state(run) if kind == "refused" else worker._submit_run_and_capture_errors(run))  # type: ignore[arg-type]

    assert worker.unsure == {run.id}


async def test_only_the_runs_of_our_own_queues_are_ours() -> None:
    """Two hosts, or two workers of one: each is the other's stranger."""
    api = SilentApi()

    await runs_in(api, Ours("runbook", ("ny", "ldn"), 900), UNDER_WAY)  # type: ignore[arg-type]

    (asked,) = api.asked
    assert asked["work_queue_filter"].name.any_ == ["ny", "ldn"]
    assert asked["work_pool_filter"].name.any_ == ["runbook"]


@pytest.mark.parametrize(("ago_s", "left"), [(10, 890), (1000, 0)])
def test_an_adopted_runs_time_counts_from_its_start(ago_s: float, left: float) -> None:
    """A worker that is killed every few minutes gives a run no second life."""
    began = flow_run(start_time=NOW - timedelta(seconds=ago_s))

    assert left_s(began, 900, NOW) == left
    assert left_s(flow_run(since=NOW - timedelta(seconds=ago_s)), 900, NOW) == left


async def test_an_adopted_run_that_hangs_is_ended_at_its_limit_also_while_prefect_is_away(
    sleeper: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep the one place of its deployment, and nobody would look at the service."""
    monkeypatch.setattr(attempts_module, "SAID_FIRST_S", 0.1)
    long_ago = datetime.now(UTC) - timedelta(seconds=1000)
    run = flow_run(start_time=long_ago, infrastructure_pid=str(place_here(of(sleeper).identity)))
    api = SilentApi(run)

    adopting = asyncio.create_task(adopt(api, attempts_with(api), Ours("runbook", (), 900)))  # type: ignore[arg-type]
    try:
        await asyncio.to_thread(sleeper.wait, 30)
    finally:
        adopting.cancel()
        await asyncio.gather(adopting, return_exceptions=True)

    assert sleeper.returncode == -15


async def test_a_worker_that_stops_ends_its_own_runs_and_no_adopted_one(sleeper: "subprocess.Popen[bytes]") -> None:
    """Another worker of this machine may be the one that started it, in the middle of a remedy."""
    attempts = attempts_with(SilentApi())
    adopted, run_id = of(sleeper), uuid.uuid4()
    await attempts.add(run_id, adopted)

    await attempts.drain(0.1)

    assert is_running(adopted.identity)
    assert attempts.under_way() == {run_id}
