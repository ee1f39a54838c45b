"""`runbook rearm`: a person lets the automation act again after it stopped itself."""

import getpass
from datetime import UTC, datetime

from deployments.views.words import say
from tasks.clients.incident_ledger import append
from tasks.model.errors import Code, RunbookError
from tasks.model.incident import Event, LedgerRecord, Source
from tasks.rules.action_history import REARMED_TYPE
from tasks.settings import load_settings


def rearm(*, reason: str, service: str | None = None, by: str | None = None) -> None:
    """Let the automation act again: after a spent restart budget, or an action whose end nobody knows.

    Parameters
    ----------
    reason
        What you looked at and why it is safe; it goes into the ledger.
    service
        Which watched service; may be left out where there is one.
    by
        Your name; default the user's.
    """
    who = (getpass.getuser() if by is None else by).strip()
    if not reason.strip() or not who:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a reason and a name was blank; say what you looked at, and who")
    settings = load_settings()
    name = service or settings.only_service()
    record = LedgerRecord(
        timestamp=datetime.now(UTC),
        type=REARMED_TYPE,
        service=name,
        event=Event.ACKNOWLEDGED,
        source=Source.OPERATOR,
        summary=f"automation re-armed by {who}: {reason}",
        details={"by": who, "reason": reason},
    )
    append(settings.ledger_path(name), [record])
    say(f"Re-armed {name}.")
