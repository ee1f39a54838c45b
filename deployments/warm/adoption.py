"""Take over what an earlier worker of this machine left: runs that live are watched, runs that died are told.

A worker that was killed takes no run with it. Without this, a run that dies afterwards would stay *Running* for ever,
and keep the one place of its deployment.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled

from deployments.warm.attempts import Attempts
from deployments.warm.forking import EXIT_CODE_UNKNOWN, ForkedProcess
from deployments.warm.places import Place, read_place
from tasks.clients.prefect_api import API_ERRORS
from tasks.clients.processes import is_running

UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED]
GONE = "The worker that ran it is gone, and its process ended without saying how."
NEVER_STARTED = "The worker that took it is gone, and had not started it."
# A worker writes down the process of a run within a second or two of taking it.
UNPLACED_FOR = timedelta(seconds=60)
POLL_S = 0.5
AGAIN_S = 2.0
OTHERS_FIRST_S = 2.0
PAGE_COUNT = 200


async def leftovers(client: PrefectClient, work_pool: str) -> list[FlowRun]:
    """Find the runs of a work pool that are under way, as Prefect knows it."""
    states = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNDER_WAY)))
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[work_pool]))
    return await client.read_flow_runs(flow_run_filter=states, work_pool_filter=pool, limit=PAGE_COUNT)


async def adopt(client: PrefectClient, attempts: Attempts, work_pool: str) -> None:
    """Watch the runs whose process lives here, each to its end; report those whose process died here.

    Errors: none; a server that is away is asked again. Runs of another machine are left to its own worker.
    """
    runs = None
    while runs is None:
        try:
            runs = await leftovers(client, work_pool)
        except API_ERRORS:
            await asyncio.sleep(AGAIN_S)
    await asyncio.gather(*(_take_over(attempts, run) for run in runs if not is_suspended(run)))


async def _take_over(attempts: Attempts, run: FlowRun) -> None:
    place = read_place(run.infrastructure_pid)
    if run.id in attempts.under_way():
        return
    if place is not None and place.lives:
        await _watch(attempts, run, place)
    elif place is not None and place.is_here:
        await attempts.report(run, GONE)
    elif never_started(run, datetime.now(UTC)):
        await attempts.report(run, NEVER_STARTED)


async def _watch(attempts: Attempts, run: FlowRun, place: Place) -> None:
    """Stay with a run until it has ended: it can be canceled, and its death is reported."""
    process = ForkedProcess(place.process)
    await attempts.add(run.id, process)
    if run.state is not None and run.state.is_cancelling():
        attempts.cancel(run.id)
    while is_running(place.process):  # noqa: ASYNC110 - no child of ours: nothing tells of its end
        await asyncio.sleep(POLL_S)
    process.end(EXIT_CODE_UNKNOWN)
    await attempts.processes.remove(run.id)
    # Another worker of this machine may be the one that started it; it knows better how it ended.
    await asyncio.sleep(OTHERS_FIRST_S)
    await attempts.report(run, GONE)


async def canceled(client: PrefectClient, under_way: set[UUID]) -> list[UUID]:
    """Find those of our runs that somebody wants ended."""
    if not under_way:
        return []
    wanted = FlowRunFilter(
        id=FlowRunFilterId(any_=sorted(under_way)),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CANCELLING])),
    )
    return [run.id for run in await client.read_flow_runs(flow_run_filter=wanted)]


async def put_back(client: PrefectClient, flow_run_id: UUID) -> bool:
    """Schedule a run again that an outage left *Pending* and that nobody has started; say whether that is settled."""
    try:
        run = await client.read_flow_run(flow_run_id)
    except ObjectNotFound:
        return True
    if run.state is None or run.state.type is not StateType.PENDING or run.infrastructure_pid:
        return True
    if not never_started(run, datetime.now(UTC)):
        return False
    await client.set_flow_run_state(flow_run_id, Scheduled(scheduled_time=run.expected_start_time), force=True)
    return True


def is_suspended(run: FlowRun) -> bool:
    """Say whether a run waits without a process, as its flow asked."""
    return run.state is not None and run.state.name == "Suspended"


def never_started(run: FlowRun, now: datetime) -> bool:
    """Say whether a run has waited for its process longer than any worker that lives would let it."""
    if run.infrastructure_pid or run.state is None or run.state.type is not StateType.PENDING:
        return False
    return now - run.state.timestamp > UNPLACED_FOR
