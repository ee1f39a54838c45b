"""§2: take the approval form back once its time is over."""

from uuid import UUID

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.approval_forms import withdrawn


@task(name="withdraw_form", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
async def withdraw_form(key: str) -> str | None:
    """Let the paused run go on, so that nobody can answer any more; give the answer that came just before that.

    Runbook: §2, in mode *propose*.
    Errors: none.
    """
    run_id = runtime.flow_run.id
    return await withdrawn(UUID(run_id), key) if run_id else None
