"""`runbook rearm`: a person lets the automation act again after it stopped itself."""

import getpass
from datetime import UTC, datetime

from deployments.views.words import say
from tasks.clients.rearm import rearm_automation
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
    settings = load_settings()
    name = service or settings.only_service()
    rearm_automation(settings, name, getpass.getuser() if by is None else by, reason, datetime.now(UTC))
    say(f"Re-armed {name}.")
