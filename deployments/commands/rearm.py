"""`runbook rearm`: a person lets the automation act again after it stopped itself."""

import getpass
from datetime import UTC, datetime

from deployments.views.words import say
from tasks.clients.rearm import rearm_automation, rearm_with_ledger
from tasks.settings import load_settings


def rearm(*, reason: str, service: str | None = None, by: str | None = None, accept_ledger: bool = False) -> None:
    """Let the automation act again: after a spent restart budget, or an action whose end nobody knows.

    Parameters
    ----------
    reason
        What you looked at and why it is safe; it goes into the ledger.
    service
        Which watched service; may be left out where there is one.
    by
        Your name; default the user's.
    accept_ledger
        The ledger is gone, shorter or another one than it was: go on with it as it is now.
    """
    settings = load_settings()
    name = service or settings.only_service()
    who = getpass.getuser() if by is None else by
    if not accept_ledger:
        rearm_automation(settings, name, who, reason, datetime.now(UTC))
        say(f"Re-armed {name}.")
        return
    wrong = rearm_with_ledger(settings, name, who, reason, datetime.now(UTC))
    before = f"accepted: {wrong.partition('; ')[0]}" if wrong else "nothing was wrong with it before"
    say(f"Re-armed {name}. Its ledger counts as it is from now on; {before}.")
