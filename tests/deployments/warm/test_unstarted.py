"""A run that was taken and does not start holds the place of every run to come: it is ended within seconds."""

import os
import subprocess
import sys
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.schemas.objects import FlowRun, StateType

from deployments.warm.adoption import Ours
from deployments.warm.attempts import Attempts
from deployments.warm.places import place_here
from deployments.warm.unstarted import CHECK_EVERY_S, Seen, Unstarted, end, find_overdue, limit_s
from tasks.clients.process.processes import identify
from tests.fakes.polling import eventually
from tests.fakes.prefect.flow_runs import NOW, FakeApi, flow_run

ELSEWHERE = "another-host:17:1.0"
OURS = Ours("runbook", ("default",), 900)


def taken(*, place: bool = True, kind: StateType = StateType.PENDING, **facts: Any) -> FlowRun:
    """One run that some worker has taken."""
    run = flow_run(kind, **facts)
    assert run.state is not None
    run.state.state_details.deployment_concurrency_lease_id = uuid.uuid4() if place else None
    return run


def attempts_with(api: FakeApi) -> Attempts:
    """The runs of one worker."""
    hooks: Any = SimpleNamespace()
    return Attempts(api, hooks, "a worker")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("run", "limit"),
    [
        (taken(), 20),
        (taken(infrastructure_pid=ELSEWHERE), 30),
        (taken(place=False), 60),
        (taken(kind=StateType.CANCELLING), 20),
    ],
    ids=["no process", "a process that has not begun", "no place", "canceled without a process"],
)
def test_a_run_that_does_not_start_is_ended_after_its_time_whatever_worker_took_it(run: FlowRun, limit: float) -> None:
    """For six minutes no triage ran beside a worker that lived: one pending run held the only place."""
    watch = Unstarted()
    seen = {at: watch.overdue([run], 1000 + at) for at in range(0, int(limit) + 1, 5)}

    assert [at for at, found in seen.items() if found] == [limit]


def test_the_time_is_ended_at_the_very_second() -> None:
    """A limit that is a second off is another limit."""
    watch, run = Unstarted(), taken()
    watch.overdue([run], 100)
    assert watch.overdue([run], 119.9) == []
    assert watch.overdue([run], 120) == [run]
    assert watch.overdue([run], 125) == [], "once, while it is being ended"
    assert watch.overdue([run], 140) == [run], "and again where that did not help"


def test_our_own_fork_server_has_the_time_that_its_imports_take() -> None:
    """A slow machine that starts must not end its own first run."""
    run = taken()

    assert (limit_s(run, own=True), limit_s(run)) == (45, 20)
    watch = Unstarted()
    ends = [at for at in range(0, 60, 5) if watch.overdue([run], float(at), {run.id})]
    assert ends == [45]


@pytest.mark.parametrize(
    "run",
    [
        taken(kind=StateType.RUNNING),
        taken(kind=StateType.SCHEDULED),
        taken(place=False, infrastructure_pid=ELSEWHERE),
        taken(kind=StateType.CANCELLING, infrastructure_pid=ELSEWHERE),
    ],
    ids=["runs", "waits for its time", "has a process and no place", "its process ends it"],
)
def test_a_run_that_works_or_holds_up_nobody_is_left_alone(run: FlowRun) -> None:
    """Its own limit ends it, where anything has to."""
    watch = Unstarted()

    assert not any(watch.overdue([run], float(at)) for at in range(0, 600, 5))


def test_a_run_that_is_taken_again_has_its_time_again() -> None:
    """It was put back, and another worker starts it now."""
    watch = Unstarted()
    first = taken()
    again = first.model_copy(update={"state": first.state.model_copy(update={"timestamp": NOW + timedelta(seconds=9)})})  # type: ignore[union-attr]
    watch.overdue([first], 0)
    watch.overdue([first], 15)

    assert watch.overdue([again], 25) == []
    assert watch.overdue([again], 44.9) == []
    assert watch.overdue([again], 45) == [again]


def test_while_prefect_was_away_nobody_could_start_and_the_time_begins_anew() -> None:
    """The first minute after an outage of the server must not end what it kept from starting."""
    watch, run = Unstarted(), taken()
    watch.overdue([run], 0)

    assert watch.overdue([run], 25) == [run], "25 s are a busy minute"
    watch = Unstarted()
    watch.overdue([run], 0)
    assert watch.overdue([run], 25.1) == []
    assert watch.overdue([run], 45.1) == [run]


def test_the_server_is_asked_seldom_while_nothing_waits() -> None:
    """A healthy minute costs the server next to nothing."""
    watch = Unstarted()
    assert watch.is_due(0)
    watch.overdue([], 0)
    assert not watch.is_due(CHECK_EVERY_S - 0.1)
    assert watch.is_due(CHECK_EVERY_S)
    watch.overdue([taken()], 10)
    assert watch.is_due(10.1)


async def test_what_is_put_back_by_itself_is_ended_only_where_it_holds_a_place() -> None:
    """A run that an outage left pending is scheduled again; one that holds the place does not get that long."""
    holds, free = taken(), taken(place=False)

    class Api(FakeApi):
        async def read_flow_runs(self, **_: Any) -> list[FlowRun]:
            return [holds, free]

    watch, seen = Unstarted(), Seen(put_back={holds.id, free.id})
    await find_overdue(Api(), OURS, watch, seen)  # type: ignore[arg-type]

    assert {key[0] for key in watch._since_s} == {holds.id}


async def test_an_ended_run_gives_its_place_back_by_its_end() -> None:
    """Prefect frees the place of a run that ends; a run that was being canceled ends canceled."""
    pending, canceling = taken(), taken(kind=StateType.CANCELLING)
    api = FakeApi(pending, canceling)
    for run in (pending, canceling):
        await end(api, attempts_with(api), run)  # type: ignore[arg-type]

    assert api.set_states == [(pending.id, StateType.CRASHED), (canceling.id, StateType.CANCELLED)]


@pytest.mark.live
@pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX")
async def test_a_process_that_never_began_ends_with_its_run() -> None:
    """Another worker of this machine forked it and died: it must not begin a minute later."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as process:  # noqa: ASYNC220 - it sleeps
        identity = identify(process.pid)
        assert identity is not None
        run = taken(infrastructure_pid=str(place_here(identity)))
        api = FakeApi(run)

        await end(api, attempts_with(api), run)  # type: ignore[arg-type]

        assert api.set_states == [(run.id, StateType.CRASHED)]
        eventually(lambda: process.poll() is not None)
        assert process.pid != os.getpid()
