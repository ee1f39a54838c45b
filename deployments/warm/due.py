"""Of the runs that are due for a deployment that allows one at a time: the newest one runs, late ones are dropped.

After an outage of the worker every minute of it is due at once. The oldest would take the one place, be too late to
act, and the fresh ones would be canceled beside it.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from tasks.rules.formats.time import utc_text

SKIPPED = "Skipped"


class Due(NamedTuple):
    """What becomes of the runs of one deployment; `again` is the schedule's run that a new one of now stands in for."""

    run: tuple[FlowRun, ...]
    skip: tuple[FlowRun, ...] = ()
    again: FlowRun | None = None


def newest_due(runs: Iterable[FlowRun], now: datetime, late_after: timedelta) -> Due:
    """Choose among the runs of a deployment that allows one at a time.

    Errors: none; a run without a time is left as it is.
    Steps:
        1. of those that are due the newest runs, and the older ones are skipped; what comes next waits for its time
        2. where the newest is too late to act, one that comes within the check ahead runs in its place
        3. else, where it is the schedule's own, a new run of now does: it asks for nothing that was asked for then
    """
    ordered = sorted(runs, key=lambda run: run.expected_start_time or now)
    due = [run for run in ordered if (run.expected_start_time or now) <= now]
    coming = tuple(ordered[len(due) :])
    if not due:
        return Due(coming)
    *older, newest = due
    if now - (newest.expected_start_time or now) <= late_after:
        return Due((newest,), tuple(older))
    if coming:
        return Due(coming, tuple(due))
    return Due((), tuple(due), newest) if newest.auto_scheduled else Due((newest,), tuple(older))


async def choose(client: PrefectClient, runs: list[FlowRun], now: datetime, late_after: timedelta) -> list[Due]:
    """Choose for each deployment; one that allows several runs, or queues them, has all of them.

    A run that has begun before and goes on (it was suspended, or is tried again) always has its turn.
    """
    by_deployment: dict[UUID | None, list[FlowRun]] = {}
    for run in runs:
        if not has_begun(run):
            by_deployment.setdefault(run.deployment_id, []).append(run)
    chosen = [Due((run,)) for run in runs if has_begun(run)]
    for deployment_id, its_runs in by_deployment.items():
        due = newest_due(its_runs, now, late_after)
        if len(due.run) < len(its_runs) and deployment_id and not await _one_at_a_time(client, deployment_id):
            due = Due(tuple(its_runs))
        chosen.append(due)
    return chosen


def has_begun(run: FlowRun) -> bool:
    return run.start_time is not None or run.run_count > 0


async def skip(client: PrefectClient, chosen: Iterable[Due], now: datetime) -> None:
    """Say of each run that is dropped that it was, and start the new one where one is needed.

    Errors: those of Prefect's API; the next poll finds what is left.
    """
    for due in chosen:
        if due.again is not None and due.again.deployment_id is not None:
            # One key for one run that is too late: two workers start one new run.
            key = f"instead-of-{due.again.id}"
            await client.create_flow_run_from_deployment(due.again.deployment_id, idempotency_key=key)
        await asyncio.gather(
            *(client.set_flow_run_state(run.id, Cancelled(name=SKIPPED, message=_why(run, now))) for run in due.skip)
        )


def _why(run: FlowRun, now: datetime) -> str:
    at = run.expected_start_time or now
    late_s = (now - at).total_seconds()
    return f"It was due {utc_text(at)}, no worker took it for {late_s:.0f} s, and a newer run checks instead."


async def _one_at_a_time(client: PrefectClient, deployment_id: UUID) -> bool:
    try:
        deployment = await client.read_deployment(deployment_id)
    except ObjectNotFound:
        return False
    limit, options = deployment.global_concurrency_limit, deployment.concurrency_options
    strategy = options.collision_strategy if options else None
    return limit is not None and limit.limit == 1 and strategy is ConcurrencyLimitStrategy.CANCEL_NEW
