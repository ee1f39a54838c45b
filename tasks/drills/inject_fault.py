"""A game day: break one thing, from outside, while orders flow."""

import asyncio

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.drills.injecting import injected
from tasks.clients.drills.notes import note
from tasks.clients.drills.order_flow import begin_orders
from tasks.model.drills.drills import DrillContext
from tasks.settings import load_settings


@task(name="inject_fault", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
async def inject_fault(context: DrillContext) -> DrillContext:
    """Let orders of every class flow, then break what the drill breaks.

    Runbook: §1 to §5, rehearsed.
    Errors: `NOT_OUR_STACK` before anything else is touched, `NOT_WELL` where orders do not flow.
    """
    settings = load_settings()
    await asyncio.to_thread(begin_orders, settings.state_dir, settings.service(context.service))
    return note(settings, await injected(settings, context))
