"""`runbook mode`, `rearm`, `maintenance`: how far the automation may go, and when it acts again."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from cyclopts import App, Parameter

from deployments.commands.answer import Answer, end_with
from deployments.commands.operators import operator
from deployments.commands.options import (
    SWITCH,
    By,
    JsonOutput,
    Reason,
    Service,
    duration_s,
    monitored_service,
)
from deployments.stack.clock_check import warn_of_clock
from deployments.views.words import say
from tasks.clients.incidents.maintenance import end_window, open_window, planned_windows, window_of
from tasks.clients.incidents.mode import current_mode, set_mode
from tasks.clients.incidents.rearm import rearm_automation, rearm_with_ledger
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.incidents.modes import Mode
from tasks.model.people.person import Right
from tasks.rules.formats.time import utc_text
from tasks.rules.people.permissions import right_of_mode
from tasks.settings import RunbookSettings, load_settings

_SHOWN = ("started_at", "until", "reason", "by")
maintenance = App(name="maintenance", help="Open, end or show a maintenance window, and what is planned.")
Wanted = Annotated[Mode | None, Parameter(help="observe: check and report; propose: ask first; act.")]
AcceptLedger = Annotated[
    bool, SWITCH, Parameter(help="The ledger is gone, shorter or another one than it was: go on with it as it is now.")
]


def mode(wanted: Wanted = None, /) -> None:
    """Show the mode, or set it; every run reads it before each action."""
    settings = load_settings().watching()
    if wanted:
        operator(settings, right_of_mode(current_mode(settings), wanted), None)
        set_mode(settings, wanted)
    say(current_mode(settings).value)


def rearm(*, reason: Reason, service: Service = None, by: By = None, accept_ledger: AcceptLedger = False) -> None:
    """Let the automation act again: after a spent restart budget, or an action whose outcome is unknown."""
    settings, name, _ = monitored_service(service)
    now, who = datetime.now(UTC), operator(settings, Right.REARM, by, name)
    if not accept_ledger:
        rearm_automation(settings, name, who, reason, now)
        say(f"Re-armed {name}.")
        return
    wrong = rearm_with_ledger(settings, name, who, reason, now)
    before = f"accepted: {wrong.partition('; ')[0]}" if wrong else "nothing was wrong with it before"
    say(f"Re-armed {name}. Its ledger counts as it is from now on; {before}.")


@maintenance.command
def start(
    *,
    for_: Annotated[str, Parameter(name="--for", help="For how long: 30m, 2h; a day at most.")],
    reason: Reason,
    service: Service = None,
    by: By = None,
    json_output: JsonOutput = False,
) -> None:
    """Open a window: checks go on, nothing is done and nobody is paged; a recovery is still reported."""
    settings, name, now = _checked(service)
    until, who = now + timedelta(seconds=duration_s(for_)), operator(settings, Right.MAINTENANCE, by, name)
    open_window(settings, name, Maintenance(started_at=now, until=until, reason=reason, by=who))
    _show(settings, name, json_output=json_output)


@maintenance.command
def end(*, service: Service = None, by: By = None, json_output: JsonOutput = False) -> None:
    """End the window, and the planned ones that are open: actions and pages go on from now."""
    settings, name, now = _checked(service)
    end_window(settings, name, operator(settings, Right.MAINTENANCE, by, name), now)
    _show(settings, name, json_output=json_output)


@maintenance.command
def show(*, service: Service = None, json_output: JsonOutput = False) -> None:
    """Show the window that is open, and what is planned in the next 35 days."""
    settings, name, _ = monitored_service(service)
    _show(settings, name, json_output=json_output)


def _checked(service: str | None) -> tuple[RunbookSettings, str, datetime]:
    settings, name, _ = monitored_service(service)
    now = datetime.now(UTC)
    warn_of_clock(settings, [name], now)
    return settings, name, now


def _show(settings: RunbookSettings, service: str, *, json_output: bool) -> None:
    now = datetime.now(UTC)
    window, planned = window_of(settings, service, now), planned_windows(settings, service, now)
    known = window.model_dump(mode="json", include=set(_SHOWN)) if window else dict.fromkeys(_SHOWN)
    words = f"{service} is not in maintenance."
    if window:
        words = f"{service} is in maintenance until {utc_text(window.until)}, by {window.by}: {window.reason}"
    document = {"service": service, "open": window is not None, **known}
    if settings.service(service).planned:
        document["planned"] = [{**one.model_dump(mode="json"), "open": one.started_at <= now} for one in planned]
    end_with(Answer(document, [words, *(_planned_line(one, service, now) for one in planned)]), json_output=json_output)


def _planned_line(window: Maintenance, service: str, now: datetime) -> str:
    what, at = ", ".join(window.concerns) or service, "OPEN since" if window.started_at <= now else "from"
    return f"{what}: {window.reason}, {at} {utc_text(window.started_at)} until {utc_text(window.until)}"
