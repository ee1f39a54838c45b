"""Which services a run is about: the one that a form or an event names, or those of runbook.toml."""

from collections.abc import Callable
from typing import Any

from prefect import State
from prefect.runtime import flow_run
from prefect.states import Completed

from tasks.model.errors import RunbookError
from tasks.rules.run_names import run_name
from tasks.settings import load_settings

# Of the deployment that automations start, see prefect.yaml.
EVENT_TAG = "event"


def services_asked(service: str | None) -> tuple[str, ...]:
    """Name the services to look at; none where an event names one that is not watched here.

    Errors: `UNKNOWN_SERVICE` for a person's typing error, `NOT_CONFIGURED` where nothing is watched.
    """
    try:
        return load_settings().asked(service)
    except RunbookError:
        if service and EVENT_TAG in (flow_run.tags or []):
            return ()
        raise


def one_service(service: str | None) -> str:
    """Name the service that an action is for; it may be left out where one is watched, and is never guessed.

    Errors: `UNKNOWN_SERVICE` names the ones there are.
    """
    return load_settings().named(service)


def not_watched_here(service: str | None) -> State[Any]:
    """End a run that an event of somebody else's service started: nothing of ours is broken."""
    return Completed(message=f"{service} is none of the services that are watched here; nothing was looked at")


def name_of(service: str | None) -> str:
    """Name what a run is about for the list of runs, whatever is wrong with the settings."""
    try:
        names = load_settings().asked(service)
    except RunbookError:
        return service or "no service"
    return names[0] if len(names) == 1 else f"all {len(names)} services"


def run_named(words: str) -> Callable[[], str]:
    """Name a run by its parameters; a service that was left out is the one that is watched."""

    def name() -> str:
        given = flow_run.parameters
        return run_name(words.format(**{**given, "service": name_of(given.get("service"))}))

    return name
