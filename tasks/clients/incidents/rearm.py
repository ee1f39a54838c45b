"""A person's word that the automation may act again: one line of the ledger."""

from datetime import datetime

from tasks.clients.incidents.ledger import append, append_accepting
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.rules.incidents.action_history import REARMED_TYPE
from tasks.settings import RunbookSettings


def rearm_automation(settings: RunbookSettings, service: str, by: str, reason: str, now: datetime) -> None:
    """Let the automation of a service act again, by a name and for a reason.

    Runbook: §2, after a person checked.
    Errors: `BAD_ARGUMENT` for a blank name or reason, `UNKNOWN_SERVICE`, `LEDGER_UNWRITABLE`, and `LEDGER_UNREADABLE`
    where the ledger is not what it was: that is accepted by its own word (`rearm_with_ledger`).
    """
    append(settings.ledger(service), [_rearmed(service, by, reason, now)])


def rearm_with_ledger(settings: RunbookSettings, service: str, by: str, reason: str, now: datetime) -> str:
    """Take the ledger as it is from now on, and let the automation act again; say what was wrong with it, or nothing.

    Runbook: §2, after a person checked.
    Errors: `BAD_ARGUMENT`, `UNKNOWN_SERVICE`, `LEDGER_UNWRITABLE`.
    """
    record = _rearmed(service, by, reason, now)

    def accepted(wrong: str) -> LedgerRecord:
        return record.model_copy(update={"details": {**record.details, "ledger_accepted": wrong or "as it was"}})

    return append_accepting(settings.ledger(service), accepted)


def _rearmed(service: str, by: str, reason: str, now: datetime) -> LedgerRecord:
    who = by.strip()
    if not reason.strip() or not who:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a reason and a name was blank; say what you checked, and who")
    return LedgerRecord(
        timestamp=now,
        type=REARMED_TYPE,
        service=service,
        event=Event.ACKNOWLEDGED,
        source=Source.OPERATOR,
        summary=f"automation re-armed by {who}: {reason}",
        details={"by": who, "reason": reason},
    )
