"""What the ledger is told of a person's answer to a plan, or of nobody's."""

from datetime import datetime

from tasks.model.incident import Event, IncidentState, LedgerRecord, Source
from tasks.model.plan import Answer, Approval
from tasks.model.remediation import RemediationCase
from tasks.rules.action_history import APPROVAL_TYPE
from tasks.rules.incident_changes import record_of


def answer_records(case: RemediationCase, approval: Approval, now: datetime) -> tuple[LedgerRecord, ...]:
    """Write who answered what, once for each incident of the plan; who answers has the incident.

    Runbook: §2, in mode *propose*.
    """
    by_nobody = approval.answer is Answer.EXPIRED
    event = Event.OBSERVED if by_nobody else Event.ACKNOWLEDGED
    source = Source.TRIAGE if by_nobody else Source.OPERATOR
    incidents: dict[str, list[str]] = {}
    for planned in case.plan.actions:
        incidents.setdefault(planned.incident_id, []).append(planned.key)
    return tuple(
        record_of(
            _incident(case.service, incident_id, now),
            event,
            now,
            approval.words,
            {"by": approval.by, "answer": approval.answer, "note": approval.note, "actions": keys},
        ).model_copy(update={"type": APPROVAL_TYPE, "source": source})
        for incident_id, keys in incidents.items()
    )


def _incident(service: str, incident_id: str, now: datetime) -> IncidentState:
    return IncidentState(incident_id=incident_id, service=service, state=Event.OBSERVED, opened_at=now)
