"""The fields that the forms of several flows share, each with the words that a person reads beside it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from tasks.model.verdicts import GuardCode


@dataclass(frozen=True)
class Help:
    """What a form says beside one field.

    Prefect writes a field of its own around each parameter, and with it drops the description of pydantic's.
    """

    words: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Put the words into the schema that the form is made from."""
        return {**handler(core), "description": self.words}


Name = Annotated[str, Field(max_length=64)]
Service = Annotated[
    str | None,
    Field(max_length=100),
    Help("Which watched service, as named in runbook.toml; empty where it is the only one."),
]
Reason = Annotated[
    str, Field(pattern=r"\S", max_length=500), Help("Why; it goes into the ledger and into every message.")
]
By = Annotated[str, Field(pattern=r"\S", max_length=100), Help("Your name, for the ledger and the messages.")]
Override = Annotated[
    tuple[GuardCode, ...],
    Help("Guards to pass by, each by its name; it is recorded and told. Leave empty to obey all of them."),
]
