"""§1.4: put a person's order into the incident that it belongs to, before anything is done about it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.instructing import instruction_recorded
from tasks.model.by_hand import HandStory, Instruction
from tasks.model.evidence import Context
from tasks.model.looks import Observation
from tasks.settings import load_settings


@task(name="record_instruction", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def record_instruction(instruction: Instruction, context: Context, seen: Observation | None) -> HandStory:
    """Find the open incident that an order fits, or open one by the person's word.

    Runbook: §1.4 Recent incidents.
    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`; what cannot be recorded must not be done.
    """
    return instruction_recorded(load_settings(), instruction, context, seen)
