"""A symptom that comes and goes by itself: its last incident is opened again, rather than one more each time."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.diagnosis import Finding
from tasks.model.incident import IncidentState
from tasks.model.limits import EscalationLimits
from tasks.rules.action_history import CLOCK_SLACK
from tasks.rules.hysteresis import same_trouble


def comes_back(
    closed: Iterable[IncidentState], finding: Finding, limits: EscalationLimits, now: datetime
) -> IncidentState | None:
    """Find the closed incident that a finding belongs to, where the same trouble has come and gone often enough.

    Runbook: §1.4 Recent incidents.
    Errors: none. An incident in which something was done is over: what comes after it is new.
    """
    since = now - timedelta(seconds=limits.flapping_window_s)
    same = [one for one in closed if _vanished(one, since, now) and _is_same(one, finding)]
    times = sum(1 + one.reopened for one in same)
    return same[-1] if times >= limits.flapping_count else None


def _vanished(incident: IncidentState, since: datetime, now: datetime) -> bool:
    closed_at = incident.closed_at
    return closed_at is not None and since < closed_at <= now + CLOCK_SLACK and not incident.actions


def _is_same(incident: IncidentState, finding: Finding) -> bool:
    return same_trouble(incident, finding) and set(incident.gateways) == set(finding.gateways)
