"""A person takes an incident: the one way in for the command line, the form in the Prefect UI and the Slack button."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tasks.clients.incidents.ledger import read_ledger, transact
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Event, IncidentState, Ledger, LedgerRecord, Source
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.transitions import record_of
from tasks.settings import RunbookSettings

NAME_LIMIT_COUNT = 100


def acknowledge(
    settings: RunbookSettings, incident_id: str, by: str, now: datetime, for_s: float | None = None
) -> IncidentState:
    """Write that a person has an incident, for a bounded time; it stops the timers of §3 until then.

    Runbook: §3 Escalation matrix.
    Units: `for_s` in seconds; left out, as long as the service's limits say.
    Errors: `UNKNOWN_INCIDENT` names the open ones; without an id, the only open one is taken. `BAD_ARGUMENT` for a
    blank name or a time out of bounds; `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`.
    """
    who = one_name(by)
    found = _wanted(incident_id.strip(), _open_incidents(settings))
    limits = settings.service(found.service).escalation
    wanted_s = checked_time(limits.acknowledged_s if for_s is None else for_s, limits.acknowledged_longest_s)
    until = utc_text(now + timedelta(seconds=wanted_s))
    record = record_of(
        found, Event.ACKNOWLEDGED, now, f"taken by {who} until {until}", {"by": who, "until": until}
    ).model_copy(update={"source": Source.OPERATOR})

    def decide(ledger: Ledger) -> tuple[LedgerRecord, ...]:
        # It may have been closed since it was read.
        _wanted(found.incident_id, _of(ledger, found.service))
        return (record,)

    place = settings.ledger(found.service)
    transact(place, decide)
    return _of(read_ledger(place), found.service).get(found.incident_id, found)


def one_name(text: str) -> str:
    """Bring a name into one short line.

    Errors: `BAD_ARGUMENT` when it is blank; the ledger says who took an incident.
    """
    name = " ".join(text.split())[:NAME_LIMIT_COUNT]
    if not name:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a name was blank; say who you are")
    return name


def checked_time(wanted_s: float, longest_s: float) -> float:
    """Hold a time within its bounds.

    Errors: `BAD_ARGUMENT`.
    """
    if not 0 < wanted_s <= longest_s:
        detail = (
            f"expected more than 0 and at most {longest_s / 60:.0f} min was {wanted_s / 60:g} min; correct the time"
        )
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    return wanted_s


def _open_incidents(settings: RunbookSettings) -> dict[str, IncidentState]:
    found: dict[str, IncidentState] = {}
    for service in settings.watching().services:
        found |= _of(read_ledger(settings.ledger(service)), service)
    return found


def _of(ledger: Ledger, service: str) -> dict[str, IncidentState]:
    return {one.incident_id: one for one in fold_incidents(ledger, service) if one.is_open}


def _wanted(incident_id: str, found: Mapping[str, IncidentState]) -> IncidentState:
    if incident_id in found:
        return found[incident_id]
    if not incident_id and len(found) == 1:
        return next(iter(found.values()))
    known = ", ".join(sorted(found)) or "none"
    raise RunbookError(
        Code.UNKNOWN_INCIDENT, f"expected one of the open incidents, {known}, was {incident_id[:100] or 'none named'}"
    )
