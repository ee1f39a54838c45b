"""Say whether the watch itself has stopped: nobody has looked at a service for too long, and nobody acts on it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from tasks.model.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.incident import Event, IncidentState, Ledger, LedgerRecord, Source
from tasks.model.values import Value
from tasks.rules.incident_changes import record_of
from tasks.rules.incident_state import open_incidents
from tasks.rules.times import utc_text

SILENT_AFTER = timedelta(minutes=3)
# An action under way, with its proof; a person's answer is waited for on top of it.
ACTING_FOR = timedelta(minutes=10)
BESIDE = "beside"
NAMED_COUNT = 5
# A triage that observes, records, and then breaks has triaged nothing: only an action shows one at work.
_AT_WORK = frozenset({Event.ACTION_STARTED, Event.ACTION_FINISHED})


class Silence(Value):
    """Whether the watch is silent, since when, and the numbers that decided.

    `beside` are the services that nobody looks at either: one stop of the watch is one incident, however many it has.
    """

    silent: bool
    since: AwareDatetime
    detail: str
    beside: tuple[str, ...] = ()

    def having(self, beside: tuple[str, ...]) -> "Silence":
        """Give the same silence, of several services."""
        return self.model_copy(update={"beside": beside})

    @property
    def words(self) -> str:
        """Say what was found, for people."""
        named = ", ".join(self.beside[:NAMED_COUNT])
        more = f" and {len(self.beside) - NAMED_COUNT} more" if len(self.beside) > NAMED_COUNT else ""
        return f"{self.detail}; likewise for {named}{more}" if self.beside else self.detail


def silence_of(
    last_sign_at: datetime,
    now: datetime,
    *,
    acting: bool,
    approval_timeout_s: float,
    watching_since: datetime | None = None,
) -> Silence:
    """Say whether nobody looks at a service any more; before `watching_since` nobody could have.

    Runbook: §3.3 SRE and platform.
    Errors: none. A run that acts, or waits for a person's answer, looks at nothing new and is not silent, for a while.
    """
    patience = SILENT_AFTER + (ACTING_FOR + timedelta(seconds=approval_timeout_s) if acting else timedelta())
    quiet_for = now - max(last_sign_at, watching_since or last_sign_at)
    numbers = f"quiet_for_s={quiet_for.total_seconds():.0f}, limit_s={patience.total_seconds():.0f}, acting={acting}"
    return Silence(
        silent=quiet_for >= patience,
        since=last_sign_at,
        detail=f"no triage has finished since {utc_text(last_sign_at)}, and one is due every minute; {numbers}",
    )


def is_sign(record: LedgerRecord, service: str) -> bool:
    """Say whether a record shows that a triage was at work on a service."""
    return record.service == service and record.source == Source.TRIAGE and record.event in _AT_WORK


def last_sign_at(ends: Sequence[datetime], records: Iterable[LedgerRecord], service: str, now: datetime) -> datetime:
    """Find when a triage last came to its end, or acted; a word from the future is no sign."""
    written = (one.timestamp for one in records if is_sign(one, service) and one.timestamp <= now)
    return max((*ends, *written))


def silence_incident(service: str, silence: Silence) -> IncidentState:
    """Name the incident: whoever finds the same silence finds the same one."""
    return IncidentState(
        incident_id=f"INC-{silence.since:%Y%m%dT%H%M%SZ}-{Cause.MONITOR_BLIND}-watch",
        service=service,
        state=Event.OPENED,
        opened_at=silence.since,
        causes=(Cause.MONITOR_BLIND,),
    )


def silence_records(
    ledger: Ledger | Iterable[LedgerRecord], service: str, silence: Silence, now: datetime
) -> tuple[LedgerRecord, ...]:
    """Write the opening of an incident of our own tool, unless one is open.

    Errors: none. A triage that looks again closes it, as any other.
    """
    if any(Cause.MONITOR_BLIND in one.causes for one in open_incidents(ledger, service)):
        return ()
    finding = silence_finding(silence)
    last_at = silence.since.isoformat()
    opened: dict[str, object] = {"cause": finding.cause, "tier": finding.tier, "last_well_at": last_at}
    opened |= {BESIDE: list(silence.beside)} if silence.beside else {}
    return tuple(
        record_of(silence_incident(service, silence), event, now, silence.words, details).model_copy(
            update={"source": Source.WATCHDOG}
        )
        for event, details in ((Event.OPENED, opened), (Event.DIAGNOSED, finding.model_dump(mode="json")))
    )


def told_with(ledger: Ledger, service: str) -> tuple[str, ...]:
    """Name the services whose silence an open incident of this one tells already; none without such an incident."""
    known = {one.incident_id for one in open_incidents(ledger, service) if Cause.MONITOR_BLIND in one.causes}
    beside = (names_of(one.details.get(BESIDE)) for one in ledger.records if one.incident_id in known)
    return (service, *(name for names in beside for name in names)) if known else ()


def names_of(value: object) -> tuple[str, ...]:
    """Read a list of names that somebody may have edited."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def never_looked(since: datetime, now: datetime) -> Silence:
    """Judge a service that no triage has ever looked at, though others are looked at."""
    quiet_for = now - since
    numbers = f"quiet_for_s={quiet_for.total_seconds():.0f}, limit_s={SILENT_AFTER.total_seconds():.0f}"
    detail = f"no triage has looked at it since {utc_text(since)}, and others are looked at; {numbers}"
    return Silence(silent=quiet_for >= SILENT_AFTER, since=since, detail=detail)


def silence_finding(silence: Silence) -> Finding:
    """Name the cause: our own tool is blind, which says nothing of the service."""
    return Finding(
        cause=Cause.MONITOR_BLIND,
        confidence=Confidence.CONFIRMED,
        because=(silence.words,),
        section="§3.3",
        tier=Audience.TIER_3,
    )
