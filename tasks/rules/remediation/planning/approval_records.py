"""What the ledger records of a person's answer to a plan, or of nobody's."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from tasks.model.incidents.incident import Event, IncidentState, LedgerRecord, Source
from tasks.model.messages.slack_press import WaitingPlan
from tasks.model.remediation.plan import Approval, ApprovalAnswer, Plan
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.formats.time import parse_time, utc_text
from tasks.rules.incidents.action_history import APPROVAL_TYPE, ASKED_TYPE
from tasks.rules.incidents.transitions import record_of


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


def question_records(
    case: RemediationCase, flow_run_id: str, until: datetime, now: datetime
) -> tuple[LedgerRecord, ...]:
    """Write that a plan waits for an answer until a time, once for each incident, for those who show it elsewhere."""
    plan = case.plan
    details: dict[str, object] = {
        "flow_run": flow_run_id,
        "plan": fingerprint_of(plan),
        "actions": [one.words for one in plan.actions],
        "until": utc_text(until),
    }
    return tuple(
        record_of(
            _incident(case.service, name, now), Event.OBSERVED, now, "a plan waits for approval", details
        ).model_copy(update={"type": ASKED_TYPE, "event": None})
        for name in dict.fromkeys(one.incident_id for one in plan.actions)
    )


def waiting_plan(records: Iterable[LedgerRecord], incident_id: str, now: datetime) -> WaitingPlan | None:
    """Find the plan of an incident that waits for an answer now.

    Errors: none. A run that was killed answers nothing any more; its plan waits no longer than it said.
    """
    found: WaitingPlan | None = None
    for record in records:
        if record.incident_id == incident_id and record.type == ASKED_TYPE and record.source == Source.TRIAGE:
            found = _asked(record)
        elif record.incident_id == incident_id and record.type == APPROVAL_TYPE and found is not None:
            first = str(record.details.get("by") or "") if record.details.get("waits") is True else ""
            found = found.model_copy(update={"first": first}) if first else None
    return found if found is not None and found.until > now else None


def _asked(record: LedgerRecord) -> WaitingPlan | None:
    until, actions = parse_time(record.details.get("until")), record.details.get("actions")
    if until is None or not isinstance(actions, list):
        return None
    named = (str(record.details.get(name) or "") for name in ("flow_run", "plan"))
    flow_run_id, fingerprint = named
    return WaitingPlan(flow_run_id=flow_run_id, fingerprint=fingerprint, actions=tuple(map(str, actions)), until=until)


def plan_fingerprint(actions: Iterable[Mapping[str, Any]]) -> str:
    """Name what a person was shown, from the plan as JSON: its actions, on what, and when each is due.

    An answer is to this plan and to no other one.
    """
    said = [
        [one.get(name) for name in ("key", "action", "due", "other")]
        + sorted((name, value) for name, value in (one.get("target") or {}).items() if value)
        for one in actions
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def fingerprint_of(plan: Plan) -> str:
    """Name a plan as a person is shown it."""
    return plan_fingerprint(one.model_dump(mode="json") for one in plan.actions)


def is_answer(record: LedgerRecord, incidents: Collection[str], approval: Approval) -> bool:
    """Say whether a record is that person's answer to a plan of these incidents."""
    said = (record.details.get("answer"), record.details.get("by"))
    given = record.type == APPROVAL_TYPE and said == (approval.answer, approval.by)
    return given and record.incident_id in incidents


def _records(
    service: str, keys: Mapping[str, list[str]], approval: Approval, now: datetime
) -> tuple[LedgerRecord, ...]:
    by_nobody = approval.answer is ApprovalAnswer.EXPIRED
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
