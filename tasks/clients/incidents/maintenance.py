"""Open, end and read the maintenance window of a service: lines of the ledger, and nothing else."""

from datetime import datetime, timedelta

from tasks.clients.incidents.acknowledge import checked_time, one_name
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import LedgerRecord, Source
from tasks.model.incidents.maintenance import ENDED_TYPE, LONGEST_S, STARTED_TYPE, Maintenance
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.maintenance_windows import maintenance_at, planned_at
from tasks.rules.incidents.planned_windows import windows_between
from tasks.rules.messages.templates import one_line
from tasks.settings import RunbookSettings

# How much of what is planned is shown.
SHOWN, SHOWN_COUNT = timedelta(days=35), 20


def open_window(settings: RunbookSettings, service: str, window: Maintenance) -> None:
    """Write that a window begins; it replaces the one that is open.

    Errors: `BAD_ARGUMENT` for a blank reason or name, or longer than a day; `LEDGER_UNWRITABLE`.
    """
    reason, by = one_line(window.reason), one_name(window.by)
    if not reason:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a reason was blank; say what is worked on")
    checked_time((window.until - window.started_at).total_seconds(), LONGEST_S)
    until = utc_text(window.until)
    summary = f"maintenance until {until} by {by}: {reason}"
    details: dict[str, object] = {"until": until, "reason": reason, "by": by}
    record = _record(service, STARTED_TYPE, window.started_at, summary, details)
    append(settings.ledger(service), [record])


def end_window(settings: RunbookSettings, service: str, by: str, now: datetime) -> None:
    """Write that the work is done: pages and actions go on from now.

    Errors: `BAD_ARGUMENT`, `LEDGER_UNWRITABLE`.
    """
    who = one_name(by)
    record = _record(service, ENDED_TYPE, now, f"maintenance ended by {who}", {"by": who})
    append(settings.ledger(service), [record])


def window_of(settings: RunbookSettings, service: str, now: datetime) -> Maintenance | None:
    """Read the window of the whole service that is open now, a person's or a planned one.

    Errors: `LEDGER_UNREADABLE`.
    """
    planned = settings.service(service).planned
    return maintenance_at(read_ledger(settings.ledger(service)).records, service, now, planned)


def planned_windows(settings: RunbookSettings, service: str, now: datetime) -> tuple[Maintenance, ...]:
    """Read the planned windows that are open now, and those of the next days, the first one first.

    Errors: `LEDGER_UNREADABLE`.
    """
    planned = settings.service(service).planned
    opened = planned_at(read_ledger(settings.ledger(service)).records, service, now, planned)
    to_come = (one for one in windows_between(planned, now, now + SHOWN) if one.started_at > now)
    return (*opened, *to_come)[:SHOWN_COUNT]


def _record(service: str, kind: str, now: datetime, summary: str, details: dict[str, object]) -> LedgerRecord:
    return LedgerRecord(
        timestamp=now, type=kind, service=service, source=Source.OPERATOR, summary=summary, details=details
    )
