"""Say of another service of the same host whether its trouble may have the cause that ours has (safety rule 6)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import DEAD_ENDS
from tasks.model.incidents.incident import IncidentState, Ledger, LedgerRecord
from tasks.model.incidents.planned_work import PlannedWork
from tasks.model.probes.probes import HealthProbe, Seen
from tasks.rules.incidents.fold import open_incidents, records_of
from tasks.rules.incidents.maintenance_windows import maintenance_at

# What strikes several services of a host strikes them within minutes; what has lasted for longer is another matter.
SHARED_WITHIN = timedelta(minutes=15)
# Under these a service does not serve; which of them it is changes while it lasts.
SAME_TROUBLE = frozenset(cause.value for cause in DEAD_ENDS)
# A service that says so itself serves, and has a dependency that does not.
SERVES = "degraded"


def is_unhealthy(probe: HealthProbe) -> bool:
    """Say whether a service itself is unhealthy: no answer, or it says that it cannot serve. Blind is not unhealthy."""
    return probe.seen is Seen.FAILED and probe.status != SERVES


def has_trouble_of_its_own(
    ledger: Ledger | Iterable[LedgerRecord], service: str, now: datetime, planned: Iterable[PlannedWork] = ()
) -> bool:
    """Say whether a service is being worked on, or was down or hung long before.

    An older incident of anything else, as of its metrics or of a disk, says nothing of why it does not serve now.
    """
    read = ledger if isinstance(ledger, Ledger) else tuple(ledger)
    old = any(_is_old(one, records_of(read), now) for one in open_incidents(read, service))
    return old or maintenance_at(records_of(read), service, now, planned) is not None


def _is_old(incident: IncidentState, records: Iterable[LedgerRecord], now: datetime) -> bool:
    """Say whether an open incident was long ago about a service that does not serve, since it was last opened.

    Steps: one whose trouble is over, and which a halt alone keeps open, says nothing of one that is unhealthy now.
    """
    if incident.recovered_at is not None:
        return False
    since = incident.reopened_at or incident.opened_at
    return any(
        one.incident_id == incident.incident_id
        and one.timestamp >= since
        and now - one.timestamp > SHARED_WITHIN
        and one.details.get("cause") in SAME_TROUBLE
        for one in records
    )
