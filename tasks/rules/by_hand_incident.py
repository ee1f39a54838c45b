"""Which incident a person's order goes into, and how the ledger tells of an order that opened one of its own."""

from datetime import datetime

from tasks.model.by_hand import Instruction
from tasks.model.diagnosis import Audience
from tasks.model.incident import Event, IncidentState, LedgerRecord, Outcome, Source
from tasks.model.remediation import RemediationResult
from tasks.rules.incident_changes import record_of

ENDED_WELL = frozenset({Outcome.DONE, Outcome.RECOVERED, Outcome.REFUSED})


def fitting_incident(instruction: Instruction, incidents: tuple[IncidentState, ...]) -> IncidentState | None:
    """Find the open incident that an order belongs to: one of the same gateway or class, else the newest one.

    Runbook: §1.4 Recent incidents.
    """
    running = [one for one in incidents if one.is_open]
    gateways = {one.gateway for one in instruction.targets if one.gateway}
    classes = {one.asset_class for one in instruction.targets if one.asset_class}
    same = [one for one in running if gateways.intersection(one.gateways) or classes.intersection(one.asset_classes)]
    return max(same or running, key=lambda one: one.opened_at, default=None)


def opening_records(instruction: Instruction, incident_id: str, now: datetime) -> tuple[LedgerRecord, ...]:
    """Write the opening of an incident by a person's order; who orders has it, so nobody is paged for it.

    Runbook: §1.4 Recent incidents.
    """
    asked, targets = instruction.asked, instruction.targets
    what = f"{instruction.action.replace('_', ' ')} {', '.join(one.words for one in targets)}".strip()
    details: dict[str, object] = {
        "by": asked.by,
        "reason": asked.reason,
        "action": instruction.action,
        "overrides": list(asked.overrides),
        "tier": Audience.TIER_1,
        "asset_classes": [one.asset_class for one in targets if one.asset_class],
        "gateways": [one.gateway for one in targets if one.gateway],
    }
    incident = IncidentState(
        incident_id=incident_id, service=instruction.service, state=Event.OPENED, opened_at=now, causes=()
    )
    opened = record_of(incident, Event.OPENED, now, f"by hand, {asked.by}: {what}: {asked.reason}", details)
    taken = record_of(incident, Event.ACKNOWLEDGED, now, f"ordered by {asked.by}", {"by": asked.by})
    return tuple(one.model_copy(update={"source": Source.OPERATOR}) for one in (opened, taken))


def ends_with_order(result: RemediationResult, *, is_new: bool) -> bool:
    """Say whether an incident that an order opened ends with it: not where the end is bad, or nobody knows it."""
    return is_new and all(one.proven in ENDED_WELL for one in result.actions)


def ending_records(
    incident: IncidentState, result: RemediationResult, by: str, now: datetime
) -> tuple[LedgerRecord, ...]:
    """Write that a person's order is carried out, or that nothing was done of it."""
    summary = f"the order of {by} has ended: {result.outcome.words}, {result.detail}"
    closed = record_of(incident, Event.CLOSED, now, summary, {"outcome": result.outcome})
    return (closed.model_copy(update={"source": Source.OPERATOR}),)
