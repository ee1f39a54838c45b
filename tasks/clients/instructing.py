"""What a person's own order needs around the remediation: its incident, its plan, and its end in the ledger."""

import secrets
from datetime import UTC, datetime, timedelta

from tasks.clients.acting import NO_PATIENCE_S
from tasks.clients.context import ledger_at_once
from tasks.clients.facts import ASKS_FOR_ORDERS, known_records, neighbors_before, unseen
from tasks.clients.incident_ledger import append_or_keep, transact
from tasks.clients.markets import markets_now
from tasks.clients.order_states import order_states
from tasks.clients.setup import setup_of
from tasks.model.by_hand import BY_HAND_TYPE, HandStory, Instruction
from tasks.model.evidence import Context, Evidence
from tasks.model.incident import TIGHTENERS, Action, IncidentState, Ledger, LedgerRecord
from tasks.model.looks import Observation
from tasks.model.plan import Plan
from tasks.model.remediation import RemediationResult
from tasks.rules.action_history import action_history
from tasks.rules.by_hand_incident import ending_records, ends_with_order, fitting_incident, opening_records
from tasks.rules.diagnosis import name_cause
from tasks.rules.guards.facts import Facts
from tasks.rules.incident_state import fold_incidents
from tasks.rules.planning.by_hand import plan_by_hand
from tasks.settings import RunbookSettings


def instruction_recorded(
    settings: RunbookSettings, instruction: Instruction, context: Context, seen: Observation | None
) -> HandStory:
    """Put an order into the open incident that it fits, or open one for it, under the ledger's lock.

    Runbook: §1.4 Recent incidents.
    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`; what cannot be recorded must not be done, unless it tightens.
    """
    now, service, place = datetime.now(UTC), instruction.service, settings.ledger(instruction.service)

    known: list[IncidentState] = []

    def decide(ledger: Ledger) -> tuple[LedgerRecord, ...]:
        fits = fitting_incident(instruction, fold_incidents(ledger, service))
        known.extend([fits] if fits else [])
        return () if fits else opening_records(instruction, _new_id(now), now)

    if instruction.action in TIGHTENERS:
        opened = decide(ledger_at_once(place)[0])
        append_or_keep(place, opened, NO_PATIENCE_S)
    else:
        opened = transact(place, decide)
    incident = known[0] if known else fold_incidents(opened, service)[0]
    evidence = Evidence(context=context, observations=(seen or unseen(now),))
    asked_at = context.looked_at - timedelta(seconds=context.late_s)
    asked = instruction.asked.model_copy(update={"at": asked_at})
    return HandStory(
        instruction=instruction.model_copy(update={"asked": asked}),
        evidence=evidence,
        diagnosis=name_cause(evidence),
        incident=incident,
        is_new=bool(opened),
    )


async def planned_by_hand(settings: RunbookSettings, story: HandStory) -> Plan:
    """Make the plan of an order, with what its guards ask for.

    Runbook: §2 Remediation.
    Errors: `LEDGER_UNREADABLE`, but for what tightens.
    """
    instruction, evidence = story.instruction, story.evidence
    watched, now = settings.service(instruction.service), datetime.now(UTC)
    records = known_records(settings, instruction.service, instruction.action)
    if instruction.action is Action.REROUTE_ORDERS:
        evidence = evidence.model_copy(update={"markets": markets_now(watched)})
    facts = Facts(
        now=now,
        evidence=evidence,
        diagnosis=story.diagnosis,
        history=action_history(records, instruction.service, now),
        setup=setup_of(settings, instruction.service),
        orders=await order_states(watched) if instruction.action in ASKS_FOR_ORDERS else None,
        sick_neighbors=await neighbors_before(settings, instruction.service, (instruction.action,)),
        asked=instruction.asked,
    )
    return plan_by_hand(instruction, facts, story.incident.incident_id)


def instruction_ended(settings: RunbookSettings, story: HandStory, result: RemediationResult) -> bool:
    """End the incident that an order opened, where the order was carried out or nothing was done; say whether.

    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`, but for what tightens: its end is recorded when that is possible.
    """
    if not ends_with_order(result, is_new=story.is_new):
        return False
    service, incident_id = story.instruction.service, story.incident.incident_id

    def decide(ledger: Ledger) -> tuple[LedgerRecord, ...]:
        # The proof of a recovery may have ended it already.
        incidents = fold_incidents(ledger, service)
        is_over = any(not one.is_open for one in incidents if one.incident_id == incident_id)
        ending = ending_records(story.incident, result, story.instruction.asked.by, datetime.now(UTC))
        return () if is_over else ending

    place = settings.ledger(service)
    if story.instruction.action in TIGHTENERS:
        append_or_keep(place, decide(ledger_at_once(place)[0]))
    else:
        transact(place, decide)
    return True


def _new_id(now: datetime) -> str:
    return f"INC-{now:%Y%m%dT%H%M%SZ}-{BY_HAND_TYPE}-{secrets.token_hex(2)}"
