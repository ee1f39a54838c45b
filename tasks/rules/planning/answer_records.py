"""What the ledger is told of a person's answer to a plan, or of nobody's."""

from collections.abc import Collection, Mapping
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
    incidents: dict[str, list[str]] = {}
    for planned in case.plan.actions:
        incidents.setdefault(planned.incident_id, []).append(planned.key)
    return _records(case.service, incidents, approval, now)


def late_answer_records(
    service: str, keys: Mapping[str, list[str]], approval: Approval, now: datetime
) -> tuple[LedgerRecord, ...]:
    """Write an answer that the run which asked for it did not take any more; a no still holds for the next plan."""
    written = _records(service, keys, approval, now)
    not_taken = "; the run that asked had ended, and nothing followed from it"
    return tuple(one.model_copy(update={"summary": f"{one.summary}{not_taken}"}) for one in written)


def is_answer(record: LedgerRecord, incidents: Collection[str], approval: Approval) -> bool:
    """Say whether a record is that person's answer to a plan of these incidents."""
    said = (record.details.get("answer"), record.details.get("by"))
    given = record.type == APPROVAL_TYPE and said == (approval.answer, approval.by)
    return given and record.incident_id in incidents


def _records(
    service: str, keys: Mapping[str, list[str]], approval: Approval, now: datetime
) -> tuple[LedgerRecord, ...]:
    by_nobody = approval.answer is Answer.EXPIRED
    event = Event.OBSERVED if by_nobody else Event.ACKNOWLEDGED
    source = Source.TRIAGE if by_nobody else Source.OPERATOR
    return tuple(
        record_of(
            _incident(service, incident_id, now),
            event,
            now,
            approval.words,
            {"by": approval.by, "answer": approval.answer, "note": approval.note, "actions": names},
        ).model_copy(update={"type": APPROVAL_TYPE, "source": source})
        for incident_id, names in keys.items()
    )


def _incident(service: str, incident_id: str, now: datetime) -> IncidentState:
    return IncidentState(incident_id=incident_id, service=service, state=Event.OBSERVED, opened_at=now)
