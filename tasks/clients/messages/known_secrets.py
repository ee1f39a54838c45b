"""Every secret that the settings hold, so that none of them is told to anybody."""

from collections.abc import Iterator

from pydantic import BaseModel, SecretStr

from tasks.clients.service.access import secrets_of
from tasks.model.service.http_settings import HttpSettings


def secret_values(settings: BaseModel) -> tuple[str, ...]:
    """List the secrets of the settings, or of a table of them, wherever they stand, also in files that these name."""
    return tuple(_secrets(settings))


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, HttpSettings):
        yield from secrets_of(value)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict | tuple | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _secrets(one)
