"""Decide what a run has to do about what it found; nothing here does it."""

from tasks.model.diagnosis import Cause
from tasks.model.incident import Outcome
from tasks.model.remediation import RemediationCase
from tasks.model.report import TriageStory

RESTARTABLE = (Cause.SERVICE_DOWN, Cause.SERVICE_HUNG)


def needs_runbook(story: TriageStory) -> bool:
    """Say whether §1.4 to §5 have anything to do: a cause, an incident that may be over, or one whose end is untold.

    Without a readable ledger nothing is recorded and so nothing is done; the report says so.
    """
    context = story.evidence.context
    waiting = context.open_incidents or context.untold_recoveries
    return not context.ledger_detail and bool(story.diagnosis.findings or waiting)


def remediation_case(story: TriageStory) -> RemediationCase | None:
    """Pick the cause that §2 can act on, with its incident; the guards decide afterwards.

    Runbook: §2.1 Restart if hung. A gateway that is down is no case for a restart (safety rule 6).
    """
    finding = story.diagnosis.find(*RESTARTABLE)
    incident = next((one for one in story.incidents.open if finding and finding.cause in one.causes), None)
    if finding is None or incident is None:
        return None
    context = story.evidence.context
    return RemediationCase(
        service=context.request.service,
        incident_id=incident.incident_id,
        finding=finding,
        diagnosis=story.diagnosis,
        process=story.evidence.latest.process,
        mode=context.mode,
        late_s=context.late_s,
    )


def ended_incidents(story: TriageStory) -> tuple[str, ...]:
    """Name the incidents that ended in this run: closed by triage, or recovered by its remediation."""
    closed = tuple(one.incident_id for one in story.incidents.closed)
    case, result = remediation_case(story), story.remediation
    if case and result and result.outcome is Outcome.RECOVERED:
        return (*closed, case.incident_id)
    return closed
