"""The options that commands share, each with its help, and how they are read."""

import getpass
from typing import Annotated

from cyclopts import Parameter

from tasks.model.errors import Code, RunbookError
from tasks.rules.formats.time import parse_duration_s
from tasks.settings import RunbookSettings, ServiceSettings, load_settings

# A switch that has no `--no-…`.
SWITCH = Parameter(negative=(), show_default=False)
JsonOutput = Annotated[bool, Parameter(name="--json", negative=(), show_default=False, help="Print one JSON document.")]
Service = Annotated[str | None, Parameter(help="The monitored service; optional where only one is configured.")]
By = Annotated[str | None, Parameter(help="Your name; default: your user name.")]
Reason = Annotated[str, Parameter(help="Why. It goes into the ledger and into every message.")]
Orders = Annotated[
    bool,
    Parameter(
        name="--orders", negative="--no-orders", help="Send test orders; without them, whether orders fill is unknown."
    ),
]


def person(by: str | None) -> str:
    """Name who gives the command."""
    return getpass.getuser() if by is None else by


def duration_s(text: str) -> int:
    """Read a duration of the command line.

    Errors: `BAD_ARGUMENT`.
    """
    seconds = parse_duration_s(text)
    if seconds is None:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a time like 30m or 2h, found {text[:40]!r}; correct --for")
    return seconds


def monitored_service(service: str | None) -> tuple[RunbookSettings, str, ServiceSettings]:
    """Find the service that is meant; it may be left out where there is one.

    Errors: `BAD_SETTING`, `UNKNOWN_SERVICE`.
    """
    settings = load_settings()
    name = service or settings.only_service()
    return settings, name, settings.service(name)


def one_of(first: tuple[str, object], second: tuple[str, object]) -> None:
    """Refuse two options of which either is enough.

    Errors: `BAD_ARGUMENT`.
    """
    if first[1] is not None and second[1] is not None:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected {first[0]} or {second[0]}, found both; leave one out")
