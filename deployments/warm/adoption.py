"""Take over what an earlier worker of this machine left: runs that live are watched, runs that died are reported.

A worker that was killed takes no run with it. Without this, a run that dies afterwards would stay *Running* for ever,
and keep the one place of its deployment.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
    WorkQueueFilter,
    WorkQueueFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Scheduled

from deployments.warm.attempts import Attempts
from deployments.warm.configuration import over_limit
from deployments.warm.forking import EXIT_CODE_UNKNOWN, ForkedProcess
from deployments.warm.places import Place, read_place
from tasks.clients.prefect.errors import API_ERRORS
from tasks.clients.process.processes import is_running

UNPLACED = frozenset({StateType.PENDING, StateType.CANCELLING})
UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED]
GONE = "The worker that ran it is gone, and its process ended without saying how."
# A worker writes down the process of a run within a second or two of taking it.
UNPLACED_FOR = timedelta(seconds=60)
POLL_S = 0.5
AGAIN_S = 2.0
OTHERS_FIRST_S = 2.0
PAGE_COUNT = 200


class Ours(NamedTuple):
    """What a worker works on, and how long a run of it may take. Units: seconds. Without queues, all of the pool's."""

    work_pool: str
    queues: tuple[str, ...]
    run_limit_s: float


async def runs_in(client: PrefectClient, ours: Ours, states: list[StateType]) -> list[FlowRun]:
    """Find the runs of our queues that are in one of the states, as Prefect knows it."""
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=states))),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[ours.work_pool])),
        work_queue_filter=WorkQueueFilter(name=WorkQueueFilterName(any_=list(ours.queues))) if ours.queues else None,
        limit=PAGE_COUNT,
    )


async def adopt(client: PrefectClient, attempts: Attempts, ours: Ours) -> None:
    """Watch the runs whose process lives here, each to its end or its limit; report those whose process died here.

    What was taken and never had a process is ended by `unstarted`, whenever that is.

    Errors: none; a server that is away is asked again. Runs of another machine are left to its own worker.
    """
    runs = None
    while runs is None:
        try:
            runs = await runs_in(client, ours, UNDER_WAY)
        except API_ERRORS:
            await asyncio.sleep(AGAIN_S)
    await asyncio.gather(*(_take_over(attempts, run, ours.run_limit_s) for run in runs if not is_suspended(run)))


async def _take_over(attempts: Attempts, run: FlowRun, run_limit_s: float) -> None:
    place = read_place(run.infrastructure_pid)
    if run.id in attempts.under_way():
        return
    if place is not None and place.lives:
        await _watch(attempts, run, place, run_limit_s)
    elif place is not None and place.is_here:
        await attempts.report(run, GONE)


async def _watch(attempts: Attempts, run: FlowRun, place: Place, run_limit_s: float) -> None:
    """Stay with a run until it has ended: it can be canceled, it has its limit, and its death is reported."""
    process = ForkedProcess(place.process)
    ends_at_s = time.monotonic() + left_s(run, run_limit_s, datetime.now(UTC))
    await attempts.add(run.id, process)
    if run.state is not None and run.state.is_cancelling():
        attempts.cancel(run.id)
    while is_running(place.process):  # no child of ours: nothing tells of its end
        await asyncio.sleep(POLL_S)
        if time.monotonic() > ends_at_s:
            await attempts.give_up(run, over_limit(run_limit_s))
    process.end(EXIT_CODE_UNKNOWN)
    await attempts.processes.remove(run.id)
    # Another worker of this machine may be the one that started it; it knows better how it ended.
    await asyncio.sleep(OTHERS_FIRST_S)
    await attempts.report(run, GONE)


async def canceled(client: PrefectClient, under_way: set[UUID]) -> list[UUID]:
    if not under_way:
        return []
    wanted = FlowRunFilter(
        id=FlowRunFilterId(any_=sorted(under_way)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CANCELLING])),
    )
    return [run.id for run in await client.read_flow_runs(flow_run_filter=wanted)]


async def put_back(client: PrefectClient, flow_run_id: UUID) -> bool:
    """Schedule a run again that an outage left *Pending* and that nobody has started; say whether that is settled.

    One that somebody has canceled is canceled: there is no process that could say so.
    """
    try:
        run = await client.read_flow_run(flow_run_id)
    except ObjectNotFound:
        return True
    if run.state is None or run.state.type not in UNPLACED or run.infrastructure_pid:
        return True
    if not waits_in_vain(run, datetime.now(UTC)):
        return False
    again: State[Any] = Scheduled(scheduled_time=run.expected_start_time)
    await client.set_flow_run_state(flow_run_id, Cancelled() if run.state.is_cancelling() else again, force=True)
    return True


def is_suspended(run: FlowRun) -> bool:
    """Say whether a run waits without a process, as its flow asked."""
    return run.state is not None and run.state.name == "Suspended"


def waits_in_vain(run: FlowRun, now: datetime) -> bool:
    """Say whether a run has been in its state without a process longer than any worker that lives would let it."""
    return not run.infrastructure_pid and run.state is not None and now - run.state.timestamp > UNPLACED_FOR


def left_s(run: FlowRun, run_limit_s: float, now: datetime) -> float:
    began_at = run.start_time or (run.state.timestamp if run.state else now)
    return max(0.0, run_limit_s - (now - began_at).total_seconds())
