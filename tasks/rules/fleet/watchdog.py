"""A dead man's switch for triage itself: none of a service has completed for too long, and none acts on it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.incidents.incident import Event, IncidentState, Ledger, LedgerRecord, Source
from tasks.model.values import Value
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.fold import open_incidents
from tasks.rules.incidents.transitions import record_of

STALLED_AFTER = timedelta(minutes=3)
# An action under way, with its proof; a person's answer is waited for on top of it.
ACTING_FOR = timedelta(minutes=10)
BESIDE = "beside"
NAMED_COUNT = 5
# A triage that observes, records, and then breaks has triaged nothing: only an action shows one at work.
_AT_WORK = frozenset({Event.ACTION_STARTED, Event.ACTION_FINISHED})


class Stall(Value):
    """Whether triage of a service has stalled, since when, and the numbers that decided.

    `beside` are the other services without triage: one stall is one incident, however many services it has.
    """

    stalled: bool
    since: AwareDatetime
    detail: str
    beside: tuple[str, ...] = ()

    def having(self, beside: tuple[str, ...]) -> "Stall":
        """Give the same stall, of several services."""
        return self.model_copy(update={"beside": beside})

    @property
    def words(self) -> str:
        """Say what was found, for people."""
        named = ", ".join(self.beside[:NAMED_COUNT])
        more = f" and {len(self.beside) - NAMED_COUNT} more" if len(self.beside) > NAMED_COUNT else ""
        return f"{self.detail}; also {named}{more}" if self.beside else self.detail


def stall_of(
    last_activity_at: datetime,
    now: datetime,
    *,
    acting: bool,
    approval_timeout_s: float,
    watching_since: datetime | None = None,
) -> Stall:
    """Say whether triage of a service has stalled; before `watching_since` none was due.

    Runbook: §3.3 SRE and platform.
    Errors: none. A run that acts, or waits for an approval, completes later and counts as active for a while.
    """
    patience = STALLED_AFTER + (ACTING_FOR + timedelta(seconds=approval_timeout_s) if acting else timedelta())
    idle_for = now - max(last_activity_at, watching_since or last_activity_at)
    numbers = f"idle_for_s={idle_for.total_seconds():.0f}, limit_s={patience.total_seconds():.0f}, acting={acting}"
    return Stall(
        stalled=idle_for >= patience,
        since=last_activity_at,
        detail=f"no triage has finished since {utc_text(last_activity_at)}, and one is due every minute; {numbers}",
    )


def is_activity(record: LedgerRecord, service: str) -> bool:
    """Say whether a record shows that a triage was at work on a service."""
    return record.service == service and record.source == Source.TRIAGE and record.event in _AT_WORK


def last_activity_at(
    ends: Sequence[datetime], records: Iterable[LedgerRecord], service: str, now: datetime
) -> datetime:
    """Find when a triage last completed or acted; a record from the future does not count."""
    written = (one.timestamp for one in records if is_activity(one, service) and one.timestamp <= now)
    return max((*ends, *written))


def stall_incident(service: str, stall: Stall) -> IncidentState:
    """Name the incident: whoever finds the same stall finds the same one."""
    return IncidentState(
        incident_id=f"INC-{stall.since:%Y%m%dT%H%M%SZ}-{Cause.MONITOR_BLIND}-watch",
        service=service,
        state=Event.OPENED,
        opened_at=stall.since,
        causes=(Cause.MONITOR_BLIND,),
    )


def stall_records(
    ledger: Ledger | Iterable[LedgerRecord], service: str, stall: Stall, now: datetime
) -> tuple[LedgerRecord, ...]:
    """Write the opening of an incident of our own tool, unless one is open.

    Errors: none. The next triage closes it, as any other.
    """
    if any(Cause.MONITOR_BLIND in one.causes for one in open_incidents(ledger, service)):
        return ()
    finding = stall_finding(stall)
    last_at = stall.since.isoformat()
    opened: dict[str, object] = {"cause": finding.cause, "tier": finding.tier, "last_well_at": last_at}
    opened |= {BESIDE: list(stall.beside)} if stall.beside else {}
    return tuple(
        record_of(stall_incident(service, stall), event, now, stall.words, details).model_copy(
            update={"source": Source.WATCHDOG}
        )
        for event, details in ((Event.OPENED, opened), (Event.DIAGNOSED, finding.model_dump(mode="json")))
    )


def covered_services(ledger: Ledger, service: str) -> tuple[str, ...]:
    """Name the services whose stall an open incident of this one covers already; none without such an incident."""
    known = {one.incident_id for one in open_incidents(ledger, service) if Cause.MONITOR_BLIND in one.causes}
    beside = (names_of(one.details.get(BESIDE)) for one in ledger.records if one.incident_id in known)
    return (service, *(name for names in beside for name in names)) if known else ()


def names_of(value: object) -> tuple[str, ...]:
    """Read a list of names that somebody may have edited."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def never_observed(since: datetime, now: datetime) -> Stall:
    """Judge a service that no triage has ever checked, though others are checked."""
    idle_for = now - since
    numbers = f"idle_for_s={idle_for.total_seconds():.0f}, limit_s={STALLED_AFTER.total_seconds():.0f}"
    detail = f"no triage has checked it since {utc_text(since)}, but others are checked; {numbers}"
    return Stall(stalled=idle_for >= STALLED_AFTER, since=since, detail=detail)


def stall_finding(stall: Stall) -> Finding:
    """Name the cause: our own tool is blind, which says nothing of the service."""
    return Finding(
        cause=Cause.MONITOR_BLIND,
        confidence=Confidence.CONFIRMED,
        because=(stall.words,),
        section="§3.3",
        tier=Audience.TIER_3,
    )
