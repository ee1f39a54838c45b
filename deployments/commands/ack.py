"""`runbook ack`: a person takes an incident, and its pages stop for a while."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from deployments.clock_check import warn_of_clock
from deployments.commands.looking import JsonOutput
from deployments.views.json_document import say_json
from deployments.views.words import say
from tasks.clients.acknowledge import acknowledge
from tasks.model.errors import Code, RunbookError
from tasks.model.incident import IncidentState
from tasks.rules.durations import parse_duration_s
from tasks.rules.times import utc_text
from tasks.settings import load_settings


def ack(
    incident_id: str = "",
    /,
    *,
    by: str | None = None,
    for_: Annotated[str | None, Parameter(name="--for")] = None,
    json_output: JsonOutput = False,
) -> None:
    """Take an incident: nobody is paged for it again until the time is over, or it is.

    Parameters
    ----------
    incident_id
        Which incident; may be left out where one is open.
    by
        Your name; default the user's.
    for_
        For how long: 30m, 2h. Default as the limits say, 30m.
    json_output
        Print one JSON document.
    """
    now, who = datetime.now(UTC), getpass.getuser() if by is None else by
    settings, wanted_s = load_settings(), duration_s(for_) if for_ is not None else None
    warn_of_clock(settings, sorted(settings.services), now)
    taken = acknowledge(settings, incident_id, who, now, wanted_s)
    if json_output:
        say_json(as_json(taken))
    else:
        say(_words(taken))


def duration_s(text: str) -> int:
    """Read a duration of the command line.

    Errors: `BAD_ARGUMENT`.
    """
    seconds = parse_duration_s(text)
    if seconds is None:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a time like 30m or 2h was {text[:40]!r}; correct --for")
    return seconds


def as_json(taken: IncidentState) -> dict[str, object]:
    """Lay out who has the incident until when."""
    names = {"incident_id", "service", "state", "tier", "acknowledged_by"}
    until = taken.acknowledged_until
    return {**taken.model_dump(mode="json", include=names), "acknowledged_until": utc_text(until) if until else None}


def _words(taken: IncidentState) -> str:
    until = utc_text(taken.acknowledged_until) if taken.acknowledged_until else "its time is over"
    return f"{taken.incident_id} is with {taken.acknowledged_by} until {until}."
