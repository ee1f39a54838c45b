"""End what an earlier worker of this stack left behind, so that it does not keep the place of every run to come.

A run whose process died with its worker stays *Running* for ever, and its deployment allows one run at a time: every
later one would be canceled, and nobody would look at the service. The stack's one worker is the only one that works on
its pool, so what is under way when it starts is under way nowhere.
"""

import uuid

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED]
MESSAGE = "The worker that ran it is gone."


async def end_leftovers(client: PrefectClient) -> int:
    """Mark every run that is under way as crashed, and free the places that dead runs hold; say how many there were.

    Steps:
        1. runs that are under way become *Crashed*, as a stock worker does with a run whose process died
        2. the concurrency limits of our deployments count nothing: a server that was restarted has lost the leases
    """
    under_way = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNDER_WAY)))
    runs = await client.read_flow_runs(flow_run_filter=under_way)
    for run in runs:
        await client.set_flow_run_state(run.id, Crashed(message=MESSAGE), force=True)
    for limit in await client.read_global_concurrency_limits(limit=100, offset=0):
        if limit.active_slots and _is_deployments(limit.name):
            await client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active_slots=0))
    return len(runs)


def _is_deployments(name: str) -> bool:
    kind, _, identity = name.partition(":")
    try:
        uuid.UUID(identity)
    except ValueError:
        return False
    return kind == "deployment"
