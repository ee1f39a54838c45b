"""End what an earlier worker of this stack left behind, so that it does not keep the place of every run to come.

A run whose process died with its worker stays *Running* for ever, and its deployment allows one run at a time: every
later one would be canceled, and nobody would look at the service. One worker is the only one that works on its queue,
so what is under way there when it starts is under way nowhere, but for a run whose very process still lives: it is
finishing what it began, and the worker takes it over. Other hosts' queues are theirs.
"""

import uuid
from collections import Counter

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkQueueFilter,
    WorkQueueFilterName,
)
from prefect.client.schemas.objects import FlowRun
from prefect.states import Crashed

from deployments.prefect_api.queues import DEFAULT_QUEUE
from deployments.warm.adoption import UNDER_WAY, is_suspended
from deployments.warm.places import read_place

MESSAGE = "The worker that ran it is gone."


async def end_leftovers(client: PrefectClient, queue: str = DEFAULT_QUEUE) -> int:
    """Mark every run of a queue that is under way nowhere as crashed, and free the places of the dead; say how many.

    Steps:
        1. runs without a living process become *Crashed*, as a stock worker does with a run whose process died
        2. the concurrency limits of our deployments count the living: a server that was restarted has lost the leases
    """
    under_way = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNDER_WAY)))
    everywhere = await client.read_flow_runs(flow_run_filter=under_way)
    # A part of a run is in no queue; whose it is shows only where nobody else has a run under way.
    alone = all(run.work_queue_name in {queue, None} for run in everywhere)
    runs = [run for run in everywhere if run.work_queue_name == queue or (alone and run.work_queue_name is None)]
    living = {run.id for run in runs if lives(run)}
    # A part of a run (a flow within a flow) has no process of its own: it lives as long as the newest living run.
    dead = [run for run in runs if not (run.id in living or is_suspended(run) or (living and run.parent_task_run_id))]
    for run in dead:
        await client.set_flow_run_state(run.id, Crashed(message=MESSAGE), force=True)
    own = {one.id for one in await client.read_deployments(work_queue_filter=_named(queue))}
    held = Counter(run.deployment_id for run in runs if run.id in living)
    for limit in await client.read_global_concurrency_limits(limit=100, offset=0):
        deployment = _deployment_of(limit.name)
        if limit.active_slots and deployment and deployment in own:
            slots = GlobalConcurrencyLimitUpdate(active_slots=min(held[deployment], limit.limit))
            await client.update_global_concurrency_limit(limit.name, slots)
    return len(dead)


def _named(queue: str) -> WorkQueueFilter:
    return WorkQueueFilter(name=WorkQueueFilterName(any_=[queue]))


def lives(run: FlowRun) -> bool:
    """Say whether the process of a run lives on this machine."""
    place = read_place(run.infrastructure_pid)
    return place is not None and place.lives


def _deployment_of(name: str) -> uuid.UUID | None:
    kind, _, identity = name.partition(":")
    try:
        return uuid.UUID(identity) if kind == "deployment" else None
    except ValueError:
        return None
