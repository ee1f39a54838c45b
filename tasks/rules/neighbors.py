"""Say of another service of the same host whether its trouble may have the cause that ours has (safety rule 6)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.incident import LedgerRecord
from tasks.model.looks import HealthLook, Seen
from tasks.rules.incident_state import open_incidents
from tasks.rules.maintenance import maintenance_at

# What strikes several services of a host strikes them within minutes; what has lasted for longer is another matter.
SHARED_WITHIN = timedelta(minutes=15)
# A service that says so itself serves, and has a dependency that does not.
SERVES = "degraded"


def is_sick(look: HealthLook) -> bool:
    """Say whether a service itself is sick: it does not answer, or says that it cannot serve. Blind is not sick."""
    return look.seen is Seen.FAILED and look.status != SERVES


def has_trouble_of_its_own(records: Iterable[LedgerRecord], service: str, now: datetime) -> bool:
    """Say whether a service is being worked on, or was sick long before."""
    read = tuple(records)
    old = any(now - one.opened_at > SHARED_WITHIN for one in open_incidents(read, service))
    return old or maintenance_at(read, service, now) is not None
