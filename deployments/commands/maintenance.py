"""`runbook maintenance`: open, end or show a window in which looking goes on, and acting and paging stop."""

import getpass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from cyclopts import App, Parameter

from deployments.clock_check import warn_of_clock
from deployments.commands.ack import duration_s
from deployments.commands.looking import JsonOutput
from deployments.views.json_document import say_json
from deployments.views.words import say
from tasks.clients.maintenance import end_window, open_window, window_of
from tasks.model.maintenance import Maintenance
from tasks.rules.times import utc_text
from tasks.settings import load_settings

app = App(name="maintenance", help="Open, end or show a maintenance window.")


@app.command
def start(
    *,
    for_: Annotated[str, Parameter(name="--for")],
    reason: str,
    service: str | None = None,
    by: str | None = None,
    json_output: JsonOutput = False,
) -> None:
    """Open a window: looking goes on, nothing is done and nobody is paged; a recovery is still told.

    Parameters
    ----------
    for_
        For how long: 30m, 2h; a day at most.
    reason
        What is worked on; it goes into the ledger and into every report.
    service
        Which watched service; may be left out where there is one.
    by
        Your name; default the user's.
    json_output
        Print one JSON document.
    """
    settings, now = load_settings(), datetime.now(UTC)
    name, who = service or settings.only_service(), getpass.getuser() if by is None else by
    warn_of_clock(settings, [name], now)
    until = now + timedelta(seconds=duration_s(for_))
    open_window(settings, name, Maintenance(started_at=now, until=until, reason=reason, by=who))
    _show(name, json_output=json_output)


@app.command
def end(*, service: str | None = None, by: str | None = None, json_output: JsonOutput = False) -> None:
    """End the window that is open: actions and pages go on from now.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    by
        Your name; default the user's.
    json_output
        Print one JSON document.
    """
    settings = load_settings()
    name, who = service or settings.only_service(), getpass.getuser() if by is None else by
    now = datetime.now(UTC)
    warn_of_clock(settings, [name], now)
    end_window(settings, name, who, now)
    _show(name, json_output=json_output)


@app.command
def show(*, service: str | None = None, json_output: JsonOutput = False) -> None:
    """Show the window that is open, if there is one.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    json_output
        Print one JSON document.
    """
    _show(service or load_settings().only_service(), json_output=json_output)


def _show(service: str, *, json_output: bool) -> None:
    window = window_of(load_settings(), service, datetime.now(UTC))
    if json_output:
        facts = {"started_at": None, "until": None, "reason": None, "by": None}
        known = window.model_dump(mode="json") if window else facts
        say_json({"service": service, "open": window is not None, **known})
    elif window:
        say(f"{service} is in maintenance until {utc_text(window.until)}, by {window.by}: {window.reason}")
    else:
        say(f"{service} is not in maintenance.")
