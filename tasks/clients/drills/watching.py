"""Watch the stack under a drill: is it fit for one, has the automation come to its end, is all well again."""

import asyncio
import time
from datetime import UTC, datetime

from tasks.clients.context import context_of
from tasks.clients.drills.own_stack import own_stack
from tasks.clients.incident_ledger import read_everything, read_ledger
from tasks.clients.look_history import history_path, recall_looks
from tasks.clients.notifications import read_deliveries
from tasks.clients.observe import observe
from tasks.clients.service_lock import holder_of
from tasks.model.drills import DrillScene, OrderTally
from tasks.model.errors import Code, RunbookError
from tasks.model.evidence import TriageRequest
from tasks.model.incident import LedgerRecord
from tasks.rules.action_history import action_history
from tasks.rules.drills.drill_table import drill_of
from tasks.rules.drills.reaction import has_reacted
from tasks.rules.drills.readiness import not_ready, not_well
from tasks.rules.drills.scoring import DrillTrace, incidents_of
from tasks.rules.incident_state import open_incidents
from tasks.settings import RunbookSettings

POLL_S = 0.5
# Between two triages while an incident waits for its good runs.
NEXT_LOOK_S = 8.0


async def refuse_unfit(settings: RunbookSettings, service: str) -> None:
    """Refuse a drill on anything but a stack of our own that is well and may be acted on.

    Errors: `NOT_OUR_STACK`, `NOT_WELL` with all that stands in the way.
    """
    own_stack(settings, service)
    seen, now = await observe(settings.service(service)), datetime.now(UTC)
    history = action_history(read_ledger(settings.ledger(service)).records, service, now)
    found = not_ready(context_of(settings, TriageRequest(service=service), now), history, seen)
    holder = holder_of(settings.state_dir, service)
    found = (*found, f"{holder} acts on it") if holder else found
    if found:
        raise RunbookError(Code.NOT_WELL, f"expected a stack that is well was {'; '.join(found)}; mend it first")


async def reaction_seen(settings: RunbookSettings, scene: DrillScene) -> bool:
    """Wait while somebody acts, then say whether the automation has done all that is expected.

    Errors: `LEDGER_UNREADABLE`. Who acts is waited for as long as a proof of recovery may take.
    """
    watched = settings.service(scene.service)
    deadline = time.monotonic() + watched.restart.confirm_timeout_s + watched.restart.start_timeout_s
    while True:
        if holder_of(settings.state_dir, scene.service) is None or time.monotonic() > deadline:
            break
        await asyncio.sleep(POLL_S)
    return has_reacted(drill_of(scene.drill), records_since(settings, scene))


async def end_seen(settings: RunbookSettings, scene: DrillScene) -> bool:
    """Say whether no incident is open any more and all is well; where it is not, wait a little for the next triage.

    Errors: `LEDGER_UNREADABLE`.
    """
    if await is_over(settings, scene):
        return True
    await asyncio.sleep(NEXT_LOOK_S)
    return False


async def is_over(settings: RunbookSettings, scene: DrillScene) -> bool:
    """Say whether no incident is open and one more round of looks finds all well."""
    if open_incidents(read_ledger(settings.ledger(scene.service)), scene.service):
        return False
    return not not_well(await observe(settings.service(scene.service)))


async def trace_of(settings: RunbookSettings, scene: DrillScene, orders: OrderTally) -> DrillTrace:
    """Gather what a drill left behind.

    Errors: `LEDGER_UNREADABLE`.
    """
    records = records_since(settings, scene)
    incidents = incidents_of(records, scene)
    told = read_deliveries(settings.notifications_path)
    path, now = history_path(settings, scene.service), datetime.now(UTC)
    return DrillTrace(
        records=records,
        deliveries=tuple(one for one in told if one.timestamp >= scene.opened_at and one.incident_id in incidents),
        looks=tuple(one for one in recall_looks(path, now) if one.at >= (scene.injected_at or scene.opened_at)),
        orders=orders,
        well=await is_over(settings, scene),
    )


def records_since(settings: RunbookSettings, scene: DrillScene) -> tuple[LedgerRecord, ...]:
    """Read what the ledger tells since a drill began.

    Errors: `LEDGER_UNREADABLE`.
    """
    records = read_everything(settings.ledger(scene.service)).records
    return tuple(one for one in records if one.timestamp >= scene.opened_at)
