"""`runbook mode`: read or set the one switch, how far the automation may go."""

from deployments.views.words import say
from tasks.clients.mode_switch import current_mode, set_mode
from tasks.model.modes import Mode
from tasks.settings import load_settings


def mode(wanted: Mode | None = None, /) -> None:
    """Show the mode, or set it: observe (look and report), propose (ask first), act.

    Parameters
    ----------
    wanted
        The mode from now on; every run reads it before each action.
    """
    settings = load_settings().watching()
    if wanted:
        set_mode(settings, wanted)
    say(current_mode(settings).value)
