"""Every secret that the settings hold, so that none of them is told to anybody."""

from collections.abc import Iterator

from pydantic import BaseModel, SecretStr


def secret_values(settings: BaseModel) -> tuple[str, ...]:
    """List the secrets of the settings, or of a table of them, wherever they stand."""
    return tuple(_secrets(settings))


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict):
        for one in value.values():
            yield from _secrets(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _secrets(one)
