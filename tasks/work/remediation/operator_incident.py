"""What a person's own order needs around the remediation: its incident, its plan, and its end in the ledger."""

import secrets
from datetime import UTC, datetime, timedelta

from tasks.clients.incidents.ledger import append_or_keep, transact
from tasks.clients.market.hours import markets_now
from tasks.clients.service.order_states import order_states
from tasks.model.evidence.evidence import Context, Evidence
from tasks.model.incidents.incident import TIGHTENERS, Action, IncidentState, Ledger, LedgerRecord
from tasks.model.probes.probes import Observation
from tasks.model.remediation.operator_action import MANUAL_ACTION_TYPE, ManualAction, ManualActionStory
from tasks.model.remediation.plan import Plan
from tasks.model.remediation.remediation import RemediationResult
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.incidents.action_history import action_history
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.operator_action import ending_records, ends_with_order, fitting_incident, opening_records
from tasks.rules.remediation.planning.operator_plan import plan_for_operator
from tasks.settings import RunbookSettings
from tasks.work.remediation.capabilities import capabilities_of
from tasks.work.remediation.execute import NO_PATIENCE_S
from tasks.work.remediation.guard_inputs import ASKS_FOR_ORDERS, known_records, neighbors_before, unseen
from tasks.work.triage.context import ledger_at_once


def manual_action_recorded(
    settings: RunbookSettings, manual_action: ManualAction, context: Context, seen: Observation | None
) -> ManualActionStory:
    """Put an order into the open incident that it fits, or open one for it, under the ledger's lock.

    Runbook: §1.4 Recent incidents.
    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`; what cannot be recorded must not be done, unless it tightens.
    """
    now, service, place = datetime.now(UTC), manual_action.service, settings.ledger(manual_action.service)

    known: list[IncidentState] = []

    def decide(ledger: Ledger) -> tuple[LedgerRecord, ...]:
        fits = fitting_incident(manual_action, fold_incidents(ledger, service))
        known.extend([fits] if fits else [])
        return () if fits else opening_records(manual_action, _new_id(now), now)

    if manual_action.action in TIGHTENERS:
        opened = decide(ledger_at_once(place)[0])
        append_or_keep(place, opened, NO_PATIENCE_S)
    else:
        opened = transact(place, decide)
    incident = known[0] if known else fold_incidents(opened, service)[0]
    evidence = Evidence(context=context, observations=(seen or unseen(now),))
    asked_at = context.looked_at - timedelta(seconds=context.late_s)
    asked = manual_action.asked.model_copy(update={"at": asked_at})
    return ManualActionStory(
        manual_action=manual_action.model_copy(update={"asked": asked}),
        evidence=evidence,
        diagnosis=name_cause(evidence),
        incident=incident,
        is_new=bool(opened),
    )


async def planned_by_operator(settings: RunbookSettings, story: ManualActionStory) -> Plan:
    """Make the plan of an order, with what its guards ask for.

    Runbook: §2 Remediation.
    Errors: `LEDGER_UNREADABLE`, but for what tightens.
    """
    manual_action, evidence = story.manual_action, story.evidence
    watched, now = settings.service(manual_action.service), datetime.now(UTC)
    records = known_records(settings, manual_action.service, manual_action.action)
    if manual_action.action is Action.REROUTE_ORDERS:
        evidence = evidence.model_copy(update={"markets": markets_now(watched)})
    inputs = GuardInputs(
        now=now,
        evidence=evidence,
        diagnosis=story.diagnosis,
        history=action_history(records, manual_action.service, now),
        capabilities=capabilities_of(settings, manual_action.service),
        orders=await order_states(watched) if manual_action.action in ASKS_FOR_ORDERS else None,
        unhealthy_neighbors=await neighbors_before(settings, manual_action.service, (manual_action.action,)),
        asked=manual_action.asked,
    )
    return plan_for_operator(manual_action, inputs, story.incident.incident_id)


def manual_action_ended(settings: RunbookSettings, story: ManualActionStory, result: RemediationResult) -> bool:
    """End the incident that an order opened, where the order was carried out or nothing was done; say whether.

    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`, but for what tightens: its end is recorded when that is possible.
    """
    if not ends_with_order(result, is_new=story.is_new):
        return False
    service, incident_id = story.manual_action.service, story.incident.incident_id

    def decide(ledger: Ledger) -> tuple[LedgerRecord, ...]:
        # The proof of a recovery may have ended it already.
        incidents = fold_incidents(ledger, service)
        is_over = any(not one.is_open for one in incidents if one.incident_id == incident_id)
        ending = ending_records(story.incident, result, story.manual_action.asked.by, datetime.now(UTC))
        return () if is_over else ending

    place = settings.ledger(service)
    if story.manual_action.action in TIGHTENERS:
        append_or_keep(place, decide(ledger_at_once(place)[0]))
    else:
        transact(place, decide)
    return True


def _new_id(now: datetime) -> str:
    return f"INC-{now:%Y%m%dT%H%M%SZ}-{MANUAL_ACTION_TYPE}-{secrets.token_hex(2)}"
