"""Say whether a run's looks were overtaken by an action of ours: what they saw was then the action, and is past."""

from collections.abc import Iterable

from tasks.model.diagnosis import Cause, Confidence, Finding
from tasks.model.evidence import Evidence
from tasks.model.incident import Action, ActionRecord, IncidentState, Outcome

# While these are under way the service answers nobody, or half of an answer.
STOPS_SERVICE = frozenset({Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE})
# What a service that is stopped and started looks like. A gateway that its own probe finds gone is none of it.
_STOPPED_LOOKS_LIKE = frozenset(
    {
        Cause.SERVICE_DOWN,
        Cause.SERVICE_HUNG,
        Cause.GATEWAY_FAILING,
        Cause.OBSERVABILITY_FAULT,
        Cause.UNKNOWN,
    }
)
# A pause, a mark or a re-route ends orders in ways that no rule explains.
_CHANGED_LOOKS_LIKE = frozenset({Cause.UNKNOWN})
# The deed is done, and its proof is not: the service still starts, or takes its change in.
_NOT_PROVEN = frozenset({None, Outcome.DONE.value})


def is_overtaken(finding: Finding, evidence: Evidence, incidents: Iterable[IncidentState], *, acting: bool) -> bool:
    """Say whether a finding rests on looks during which an action of ours did what they saw.

    `acting` says that the service's lock is held now.
    Runbook: §1.4 Recent incidents.
    Errors: none. The next run looks at what is there then; what an action cannot explain is never held back.
    """
    actions = (one for incident in incidents for one in incident.actions)
    return any(_explains(one, finding) and _overlaps(one, evidence, acting=acting) for one in actions)


def _explains(action: ActionRecord, finding: Finding) -> bool:
    if action.action not in STOPS_SERVICE:
        return finding.cause in _CHANGED_LOOKS_LIKE
    return finding.confidence is not Confidence.CONFIRMED or finding.cause in _STOPPED_LOOKS_LIKE


def _overlaps(action: ActionRecord, evidence: Evidence, *, acting: bool) -> bool:
    """Say whether an action was under way at any moment from the begin of the first look to the end of the last."""
    began_at, ended_at = evidence.observations[0].looked_at, evidence.latest.ended_at or evidence.latest.looked_at
    if action.started_at > ended_at:
        return False
    if acting and action.outcome in _NOT_PROVEN:
        return True
    # One that was left half done by a run that died is under way no more.
    return action.finished_at is not None and action.finished_at >= began_at
