"""Watch the stack under a drill: is it fit for one, has the automation come to its end, is all healthy again."""

import asyncio
import time
from datetime import UTC, datetime

from tasks.clients.drills.own_stack import own_stack
from tasks.clients.evidence.history import history_path, recall_observations
from tasks.clients.incidents.ledger import read_everything, read_ledger
from tasks.clients.locks.host_lock import holder_of
from tasks.clients.messages.local_file import read_deliveries
from tasks.model.drills.drills import DrillContext, OrderTally
from tasks.model.errors import Code, RunbookError
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import LedgerRecord
from tasks.rules.drills.catalogue import drill_of
from tasks.rules.drills.readiness import not_ready, not_well
from tasks.rules.drills.scoring import DrillTrace, has_reacted, incidents_of
from tasks.rules.incidents.action_history import action_history
from tasks.rules.incidents.fold import open_incidents
from tasks.settings import RunbookSettings
from tasks.work.triage.context import context_of
from tasks.work.triage.probe_pass import observe

POLL_S = 0.5
# Between two triages while an incident waits for its good runs.
NEXT_LOOK_S = 8.0


async def refuse_unfit(settings: RunbookSettings, service: str) -> None:
    """Refuse a drill on anything but a stack of our own that is healthy and may be acted on.

    Errors: `NOT_OUR_STACK`, `NOT_WELL` with all that stands in the way.
    """
    own_stack(settings, service)
    seen, now = await observe(settings.service(service)), datetime.now(UTC)
    history = action_history(read_ledger(settings.ledger(service)).records, service, now)
    found = not_ready(context_of(settings, TriageRequest(service=service), now), history, seen)
    holder = holder_of(settings.state_dir, service)
    found = (*found, f"{holder} acts on it") if holder else found
    if found:
        raise RunbookError(Code.NOT_WELL, f"expected a healthy stack, found {'; '.join(found)}; fix it first")


async def reaction_seen(settings: RunbookSettings, context: DrillContext) -> bool:
    """Wait while somebody acts, then say whether the automation has done all that is expected.

    Errors: `LEDGER_UNREADABLE`. Who acts is waited for as long as a proof of recovery may take.
    """
    watched = settings.service(context.service)
    deadline = time.monotonic() + watched.restart.confirm_timeout_s + watched.restart.start_timeout_s
    while True:
        if holder_of(settings.state_dir, context.service) is None or time.monotonic() > deadline:
            break
        await asyncio.sleep(POLL_S)
    return has_reacted(drill_of(context.drill), records_since(settings, context))


async def end_seen(settings: RunbookSettings, context: DrillContext) -> bool:
    """Say whether no incident is open any more and all is healthy; where it is not, wait a little for the next triage.

    Errors: `LEDGER_UNREADABLE`.
    """
    if await is_over(settings, context):
        return True
    await asyncio.sleep(NEXT_LOOK_S)
    return False


async def is_over(settings: RunbookSettings, context: DrillContext) -> bool:
    """Say whether no incident is open and one more pass finds all healthy."""
    if open_incidents(read_ledger(settings.ledger(context.service)), context.service):
        return False
    return not not_well(await observe(settings.service(context.service)))


async def trace_of(settings: RunbookSettings, context: DrillContext, orders: OrderTally) -> DrillTrace:
    """Gather what a drill left behind.

    Errors: `LEDGER_UNREADABLE`.
    """
    records = records_since(settings, context)
    incidents = incidents_of(records, context)
    told = read_deliveries(settings.notifications_path)
    path, now = history_path(settings, context.service), datetime.now(UTC)
    return DrillTrace(
        records=records,
        deliveries=tuple(one for one in told if one.timestamp >= context.opened_at and one.incident_id in incidents),
        looks=tuple(
            one for one in recall_observations(path, now) if one.at >= (context.injected_at or context.opened_at)
        ),
        orders=orders,
        well=await is_over(settings, context),
    )


def records_since(settings: RunbookSettings, context: DrillContext) -> tuple[LedgerRecord, ...]:
    """Read what the ledger records since a drill began.

    Errors: `LEDGER_UNREADABLE`.
    """
    records = read_everything(settings.ledger(context.service)).records
    return tuple(one for one in records if one.timestamp >= context.opened_at)
