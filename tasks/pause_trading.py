"""§2.2 by hand: a person's pause, in one step that waits for nothing (safety rule 8)."""

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.operating import Operated, pause_ordered
from tasks.model.by_hand import Instruction
from tasks.settings import load_settings


@task(name="pause_trading", cache_policy=NO_CACHE, timeout_seconds=120, retries=0)
async def pause_trading(instruction: Instruction) -> Operated:
    """Pause what a person names, notify, and record it: now, or once the ledger can be written again.

    Runbook: §2.2 Else pause automated strategies.
    Errors: `UNKNOWN_SERVICE`; every end of the change is an outcome.
    """
    return await pause_ordered(load_settings(), instruction, runtime.flow_run.ui_url)
