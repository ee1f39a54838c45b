"""What several flows' forms share: their fields with the words beside them, and which service a form or event means."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from prefect import State
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from tasks.model.errors import RunbookError
from tasks.model.probes.control import visible_line
from tasks.model.probes.orders import WELL_KNOWN, AssetClass, classes_in
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.report import RunState
from tasks.rules.remediation.planning.proposal import a_name
from tasks.rules.reports.run_names import run_name
from tasks.settings import load_settings

# Of the deployment that automations start, see prefect.yaml.
EVENT_TAG = "event"


@dataclass(frozen=True)
class Help:
    """What a form says beside one field.

    Prefect writes a field of its own around each parameter, and with it drops the description of pydantic's.
    """

    words: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Put the words into the schema that the form is made from; a text that a program may leave out is a text."""
        schema = handler(core)
        kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        return {**(kinds[0] if len(kinds) == 1 else schema), "description": self.words}


@dataclass(frozen=True)
class Choice(Help):
    """A drop-down that may stay empty: one closed list of words, or `Empty`, or none from a program.

    Prefect draws *a type or none* as two tabs, of which *none* is open and hides the words; and it sends what stays
    untouched as null, which a list of words alone refuses.
    """

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Write one list with the empty word first."""
        kinds = (handler.resolve_ref_schema(one) for one in handler(core)["anyOf"])
        words = [word for one in kinds for word in one.get("enum", ())]
        return {"type": "string", "enum": ["", *words], "description": self.words}


@dataclass(frozen=True)
class ClassChoice(Help):
    """A drop-down of the asset classes: the well-known ones, and those that the services' descriptions name.

    Any other class is still taken from a program or a shell: the set is open.
    """

    may_be_empty: bool = True

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Write one list, with the empty word first where the field may stay empty."""
        del core, handler
        first = [""] if self.may_be_empty else []
        return {"type": "string", "enum": [*first, *_described_classes()], "description": self.words}


def _described_classes() -> tuple[AssetClass, ...]:
    try:
        described = [one.known_classes for one in load_settings().services.values()]
    except RunbookError:
        # The flow itself reports what is wrong with the settings.
        described = []
    return classes_in(WELL_KNOWN, *described)


Empty = Literal[""]
Name = Annotated[str, Field(max_length=64)]
Service = Annotated[
    str | None,
    Field(max_length=100),
    Help("Which monitored service, as named in runbook.toml; empty where it is the only one."),
]
Reason = Annotated[
    str,
    Field(pattern=r"\S", max_length=500),
    AfterValidator(visible_line),
    Help("Why; it goes into the ledger and into every message."),
]
By = Annotated[
    str,
    Field(pattern=r"\S", max_length=100),
    AfterValidator(a_name),
    Help("Your name, for the ledger and the messages."),
]
Override = Annotated[
    tuple[GuardCode, ...],
    Help("Guards to override, each by its name; it is recorded and notified. Leave empty to obey all of them."),
]


def services_asked(service: str | None) -> tuple[str, ...]:
    """Name the services to check; none where an event names one that is not monitored here.

    Errors: `UNKNOWN_SERVICE` for a person's typing error, `NOT_CONFIGURED` where nothing is monitored.
    """
    try:
        return load_settings().asked(service)
    except RunbookError:
        if service and EVENT_TAG in (flow_run.tags or []):
            return ()
        raise


def one_service(service: str | None) -> str:
    """Name the service that an action is for; it may be left out where only one is monitored, and is never guessed.

    Errors: `UNKNOWN_SERVICE` names the ones there are.
    """
    return load_settings().named(service)


def not_watched_here(service: str | None) -> State[Any]:
    """End a run that an event of somebody else's service started: nothing of ours is broken."""
    return Completed(message=f"{service} is not monitored here; nothing was checked")


def completed_as(state: RunState, line: str) -> State[Any]:
    """End a triage that went through: what it found is the state's name and its message; its type is *Completed*."""
    return Completed(name=state.value, message=line, data=line)


def refused_as(words: str) -> State[Any]:
    """End a manual action that its person may not order, or not alone: nothing of ours is broken."""
    return Completed(name="Refused", message=words, data=words)


def name_of(service: str | None) -> str:
    """Name what a run is about for the list of runs, whatever is wrong with the settings."""
    try:
        names = load_settings().asked(service)
    except RunbookError:
        return service or "no service"
    return names[0] if len(names) == 1 else f"all {len(names)} services"


def run_named(words: str) -> Callable[[], str]:
    """Name a run by its parameters; a service that was left out is the one that is monitored."""

    def name() -> str:
        given = flow_run.parameters
        return run_name(words.format(**{**given, "service": name_of(given.get("service"))}))

    return name
