"""The fields that the forms of several flows share, each with the words that a person reads beside it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from tasks.model.control import visible_line
from tasks.model.verdicts import GuardCode
from tasks.rules.planning.proposal import a_name


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


Empty = Literal[""]
Name = Annotated[str, Field(max_length=64)]
Service = Annotated[
    str | None,
    Field(max_length=100),
    Help("Which watched service, as named in runbook.toml; empty where it is the only one."),
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
    Help("Guards to pass by, each by its name; it is recorded and told. Leave empty to obey all of them."),
]
