"""Gather what the plan is made from, and make it: for a triage, and for a person's order."""

import asyncio

from tasks.clients.facts import ASKS_FOR_ORDERS, neighbors_before
from tasks.clients.incident_ledger import read_ledger
from tasks.clients.order_states import proven_within
from tasks.clients.service_lock import holder_of
from tasks.clients.setup import setup_of
from tasks.model.diagnosis import Cause
from tasks.model.incident import IncidentState
from tasks.model.order_states import BlindReason, OrderStates
from tasks.model.plan import Plan
from tasks.model.report import TriageStory
from tasks.rules.action_history import action_history
from tasks.rules.guards.facts import Facts, is_dead_end
from tasks.rules.order_states import OrderListing, judge_order_states
from tasks.rules.planning.plan import make_plan
from tasks.settings import RunbookSettings


async def planned_for(settings: RunbookSettings, story: TriageStory) -> Plan:
    """Make the plan of one triage; where it would stop or move orders, ask for the unproven ones and weigh again.

    Runbook: §2 Remediation.
    Errors: `LEDGER_UNREADABLE`.
    """
    context = story.evidence.context
    service = context.request.service
    records = read_ledger(settings.ledger(service)).records
    facts = Facts(
        now=context.looked_at,
        evidence=story.evidence,
        diagnosis=story.diagnosis,
        history=action_history(records, service, context.looked_at),
        setup=setup_of(settings, service),
        acting=holder_of(settings.state_dir, service) or "",
    )
    incidents = incident_of(story.incidents.open)
    plan = make_plan(facts, incidents)
    if not any(one.action in ASKS_FOR_ORDERS for one in plan.actions):
        return plan
    orders, sick = await asyncio.gather(
        _unproven(settings, service, facts),
        neighbors_before(settings, service, (one.action for one in plan.actions)),
    )
    return make_plan(facts.model_copy(update={"orders": orders, "sick_neighbors": sick}), incidents)


async def _unproven(settings: RunbookSettings, service: str, facts: Facts) -> OrderStates:
    return unanswered(facts) or await proven_within(settings.service(service), 0)


def unanswered(facts: Facts) -> OrderStates | None:
    """Say that a service which was silent in every look of this triage tells nothing of its orders either.

    Steps: asking it would cost its whole deadline once more; it is asked right before the action (safety rule 5).
    """
    rounds = facts.evidence.observations
    if not all(one.health.silent for one in rounds) or not all(map(is_dead_end, facts.diagnosis.findings)):
        return None
    detail = f"silent in {len(rounds)} looks; asked again before the action"
    listing = OrderListing("unknown", blind=BlindReason.NOT_ANSWERED, detail=detail)
    return judge_order_states((listing,), 0.0, facts.now)


def incident_of(incidents: tuple[IncidentState, ...]) -> dict[Cause, str]:
    """Say which open incident each cause belongs to."""
    return {cause: incident.incident_id for incident in reversed(incidents) for cause in incident.causes}
