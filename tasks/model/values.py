"""The base of every value that crosses a boundary."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen, typed value; unknown keys are refused, so that stored evidence is read back whole or not at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")
