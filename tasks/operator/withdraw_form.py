"""§2: take the approval form back once its time is over."""

import asyncio
from uuid import UUID

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException
from prefect.input.run_input import keyset_from_base_key
from prefect.states import Running

from tasks.clients.prefect.errors import API_ERRORS

TIMEOUT_S = 10.0
NOT_ASKED: tuple[type[Exception], ...] = (TimeoutError, *API_ERRORS, PrefectException)


@task(name="withdraw_form", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def withdraw_form(key: str) -> str | None:
    """Let the paused run go on, so that nobody can answer any more; give the answer that came just before that.

    Runbook: §2, in mode *propose*.
    Errors: none; without the server nobody can answer either.
    Steps: first the state, then the answer: the server keeps both in one step, so that none is lost in between.
    """
    run_id = runtime.flow_run.id
    if not run_id:
        return None
    try:
        async with asyncio.timeout(TIMEOUT_S), get_client() as client:
            await client.set_flow_run_state(UUID(run_id), Running(message="Nobody answered in time."))
            return await client.read_flow_run_input(UUID(run_id), keyset_from_base_key(f"paused-{key}")["response"])
    except NOT_ASKED:
        return None
