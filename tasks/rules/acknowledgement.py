"""Whether a person has an incident: an acknowledgement holds for a bounded time."""

from datetime import datetime, timedelta

from tasks.model.incident import IncidentState
from tasks.model.limits import EscalationLimits
from tasks.rules.action_history import CLOCK_SLACK


def is_acknowledged(incident: IncidentState, limits: EscalationLimits, now: datetime) -> bool:
    """Say whether a person has the incident now.

    Runbook: §3 Escalation matrix.
    Errors: none. A word from the future is none; whatever it says of its end, it holds no longer than the limit.
    """
    until = acknowledged_until(incident, limits, now)
    return until is not None and now < until


def acknowledged_until(incident: IncidentState, limits: EscalationLimits, now: datetime) -> datetime | None:
    """Say until when the last acknowledgement holds or held, if there was one."""
    taken_at = incident.acknowledged_at
    if taken_at is None or taken_at > now + CLOCK_SLACK:
        return None
    wanted = incident.acknowledged_until or taken_at + timedelta(seconds=limits.acknowledged_s)
    return min(wanted, taken_at + timedelta(seconds=limits.acknowledged_longest_s))
