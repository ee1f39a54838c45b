"""A person's word that the automation may act again: one line of the ledger."""

from datetime import datetime

from tasks.clients.incident_ledger import append
from tasks.model.errors import Code, RunbookError
from tasks.model.incident import Event, LedgerRecord, Source
from tasks.rules.action_history import REARMED_TYPE
from tasks.settings import RunbookSettings


def rearm_automation(settings: RunbookSettings, service: str, by: str, reason: str, now: datetime) -> None:
    """Let the automation of a service act again, by a name and for a reason.

    Runbook: §2, after a person looked.
    Errors: `BAD_ARGUMENT` for a blank name or reason, `UNKNOWN_SERVICE`, `LEDGER_UNWRITABLE`.
    """
    who = by.strip()
    if not reason.strip() or not who:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a reason and a name was blank; say what you looked at, and who")
    record = LedgerRecord(
        timestamp=now,
        type=REARMED_TYPE,
        service=service,
        event=Event.ACKNOWLEDGED,
        source=Source.OPERATOR,
        summary=f"automation re-armed by {who}: {reason}",
        details={"by": who, "reason": reason},
    )
    append(settings.ledger(service), [record])
