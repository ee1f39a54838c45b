"""Say whether a run's looks were overtaken by an action: what they saw was then the action, and is past."""

from collections.abc import Iterable
from datetime import datetime

from tasks.model.diagnosis import Confidence, Finding
from tasks.model.evidence import Evidence
from tasks.model.incident import Action, ActionRecord, IncidentState

# While these are under way the service answers nobody, or half of an answer.
STOPS_SERVICE = frozenset({Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE})


def is_overtaken(finding: Finding, evidence: Evidence, incidents: Iterable[IncidentState], *, acting: bool) -> bool:
    """Say whether a finding that is not confirmed rests on looks during which somebody stopped the service.

    Runbook: §1.4 Recent incidents.
    Errors: none. The next run looks at what is there then; a confirmed finding is never held back.
    """
    if finding.confidence is Confidence.CONFIRMED:
        return False
    began_at, ended_at = evidence.observations[0].looked_at, evidence.latest.looked_at
    actions = (one for incident in incidents for one in incident.actions if one.action in STOPS_SERVICE)
    return any(one.started_at <= ended_at and _lasted_until(one, began_at, acting=acting) for one in actions)


def _lasted_until(action: ActionRecord, moment: datetime, *, acting: bool) -> bool:
    """Say whether an action had not ended by a time; one that was left half done is under way no more."""
    return acting if action.finished_at is None else action.finished_at >= moment
