"""Gather what the plan is made from, and make it: for a triage, and for a person's order."""

import asyncio
from contextlib import suppress

from tasks.clients.evidence.store import save_run, stored_run
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.locks.host_lock import holder_of
from tasks.clients.service.order_states import proven_within
from tasks.model.diagnosis.diagnosis import Cause, Status
from tasks.model.errors import CannotAct
from tasks.model.evidence.stored_run import PlanningInputs
from tasks.model.incidents.incident import IncidentState
from tasks.model.probes.order_states import BlindReason, OrderStates
from tasks.model.remediation.plan import Plan
from tasks.model.reports.report import TriageStory
from tasks.rules.incidents.action_history import action_history
from tasks.rules.probes.order_states import OrderListing, judge_order_states
from tasks.rules.remediation.guards.guard_inputs import GuardInputs, is_dead_end
from tasks.rules.remediation.planning.plan import make_plan
from tasks.rules.remediation.planning.planned_replay import decided_words, guard_inputs
from tasks.settings import RunbookSettings
from tasks.work.remediation.capabilities import capabilities_of
from tasks.work.remediation.guard_inputs import ASKS_FOR_ORDERS, neighbors_before


async def planned_for(settings: RunbookSettings, story: TriageStory) -> Plan:
    """Make the plan of one triage; where it would stop or move orders, ask for the unproven ones and evaluate again.

    Runbook: §2 Remediation.
    Errors: `LEDGER_UNREADABLE`.
    """
    plan, _ = await planned_with(settings, story)
    return plan


async def planned_with(settings: RunbookSettings, story: TriageStory) -> tuple[Plan, PlanningInputs]:
    """Make the plan, and give what it was made from, so that it can be made again.

    Errors: `LEDGER_UNREADABLE`.
    """
    context = story.evidence.context
    service = context.request.service
    records = read_ledger(settings.ledger(service)).records
    history = action_history(records, service, context.looked_at)
    planning = PlanningInputs(
        done=history.actions,
        rejected=history.rejected,
        capabilities=capabilities_of(settings, service),
        acting=holder_of(settings.state_dir, service) or "",
        incidents=incident_of(story.incidents.open),
    )
    inputs = guard_inputs(story.evidence, story.diagnosis, planning)
    plan = make_plan(inputs, planning.incidents)
    if any(one.action in ASKS_FOR_ORDERS for one in plan.actions):
        orders, sick = await asyncio.gather(
            _unproven(settings, service, inputs),
            neighbors_before(settings, service, (one.action for one in plan.actions)),
        )
        planning = planning.model_copy(update={"orders": orders, "unhealthy_neighbors": sick})
        plan = make_plan(guard_inputs(story.evidence, story.diagnosis, planning), planning.incidents)
    return plan, planning.model_copy(update={"decided": decided_words(story.diagnosis, plan)})


async def planned_and_kept(settings: RunbookSettings, story: TriageStory) -> Plan:
    """Make the plan, and keep what it was made from with the run's evidence.

    Errors: `LEDGER_UNREADABLE`. What cannot be kept stops no plan; a replay says that it is missing.
    """
    plan, planning = await planned_with(settings, story)
    if story.diagnosis.status is not Status.OK:
        with suppress(CannotAct):
            save_run(settings.state_dir, stored_run(story.evidence, story.diagnosis, story.logs, planning))
    return plan


async def _unproven(settings: RunbookSettings, service: str, inputs: GuardInputs) -> OrderStates:
    return unanswered(inputs) or await proven_within(settings.service(service), 0)


def unanswered(inputs: GuardInputs) -> OrderStates | None:
    """Say that a service which was silent in every check of this triage says nothing of its orders either.

    Steps: asking it would cost its whole deadline once more; it is asked right before the action (safety rule 5).
    """
    passes = inputs.evidence.observations
    if not all(one.health.silent for one in passes) or not all(map(is_dead_end, inputs.diagnosis.findings)):
        return None
    detail = f"silent in {len(passes)} checks; asked again before the action"
    listing = OrderListing("unknown", blind=BlindReason.NOT_ANSWERED, detail=detail)
    return judge_order_states((listing,), 0.0, inputs.now)


def incident_of(incidents: tuple[IncidentState, ...]) -> dict[Cause, str]:
    return {cause: incident.incident_id for incident in reversed(incidents) for cause in incident.causes}
