"""When the desk is due the next update of an incident: from the ledger's state and the clock alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.incident import IncidentState, Ledger, LedgerRecord
from tasks.model.incidents.planned_work import PlannedWork
from tasks.rules.incidents.action_history import CLOCK_SLACK
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.maintenance_windows import maintenance_at, planned_at
from tasks.rules.incidents.message_keys import UPDATE, about_of, audience_of, told_now
from tasks.rules.incidents.planned_windows import is_planned

# A triage runs each minute: one that waited for the next would keep the desk waiting for longer than was promised.
RUN_INTERVAL = timedelta(minutes=1)


def next_update_at(incident: IncidentState, every_s: float, now: datetime) -> datetime | None:
    """Say until when the desk is to be notified again; None where it never was, it is over, or `every_s` is 0.

    Runbook: §4.1, the ETA of the notice.
    Errors: none. It counts from whatever the desk read last of the incident; a time that lies in the future is none,
    and where there is no other the update is due now. A person's own order (an incident without a cause) has none.
    """
    keys = _desk_keys(incident)
    if not (incident.is_open and incident.causes and keys and every_s):
        return None
    read_at = (incident.told_at[key] for key in keys if key in incident.told_at)
    last = max((at for at in read_at if at <= now + CLOCK_SLACK), default=None)
    return last + timedelta(seconds=every_s) if last else now


def update_is_due(incident: IncidentState, every_s: float, now: datetime) -> bool:
    """Say whether a run that begins now is the last one in time for the next update."""
    at = next_update_at(incident, every_s, now)
    return at is not None and at < now + RUN_INTERVAL


def next_updates(
    ledger: Ledger, service: str, limits: EscalationLimits, now: datetime, planned: Iterable[PlannedWork] = ()
) -> dict[str, datetime]:
    """Say of each incident of a service that has an update to come until when; none while somebody works on it."""
    found = ((one, next_update_at(one, limits.desk_every_s, now)) for one in fold_incidents(ledger, service))
    due = [(one, at) for one, at in found if at]
    return {one.incident_id: at for one, at in due if not is_worked_on(one, ledger.records, now, planned)}


def is_worked_on(
    incident: IncidentState, records: Iterable[LedgerRecord], now: datetime, planned: Iterable[PlannedWork]
) -> bool:
    """Say whether a maintenance window is open, or planned work that alone concerns the incident."""
    known, work = tuple(records), tuple(planned)
    if maintenance_at(known, incident.service, now, work):
        return True
    return is_planned(incident, planned_at(known, incident.service, now, work))


def update_number(incident: IncidentState) -> int:
    """Number the next update by those that the ledger holds: two runs at once write the same one."""
    return 1 + sum(about_of(key, incident.incident_id) == UPDATE for key in _desk_keys(incident))


def _desk_keys(incident: IncidentState) -> list[str]:
    return [key for key in told_now(incident) if audience_of(key, incident.incident_id) == Audience.DESK]
