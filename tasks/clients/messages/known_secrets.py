"""Every secret that the settings hold, so that none of them is told to anybody."""

import weakref
from collections.abc import Iterator

from pydantic import BaseModel, SecretStr

from tasks.clients.service.access import secrets_of
from tasks.model.service.http_settings import HttpSettings

# What is written in the settings, and what a file that they name holds today.
Held = tuple[tuple[str, ...], tuple[HttpSettings, ...]]


def secret_values(settings: BaseModel) -> tuple[str, ...]:
    """List the secrets of the settings, or of a table of them, wherever they stand, also in files that these name."""
    written, in_files = _HELD.by(settings)
    return (*written, *(secret for one in in_files for secret in secrets_of(one)))


class _HeldSecrets:
    """Where the secrets of settings stand, which never change once they are loaded; files are read at each call.

    A thousand services have a hundred thousand settings, and each check of each service asks for all secrets.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[weakref.ref[BaseModel], Held]] = {}

    def by(self, settings: BaseModel) -> Held:
        """Give what is known of these very settings; those that are gone may have left their number to others."""
        number = id(settings)
        known = self._found.get(number)
        if known is None or known[0]() is not settings:
            known = weakref.ref(settings, lambda ref: self._forget(number, ref)), _held(settings)
            self._found[number] = known
        return known[1]

    def _forget(self, number: int, ref: weakref.ref[BaseModel]) -> None:
        if number in self._found and self._found[number][0] is ref:
            del self._found[number]


_HELD = _HeldSecrets()


def _held(settings: BaseModel) -> Held:
    found = list(_secrets(settings))
    in_files = {str(one.bearer_token_file): one for one in found if isinstance(one, HttpSettings)}
    return tuple(dict.fromkeys(one for one in found if isinstance(one, str))), tuple(in_files.values())


def _secrets(value: object) -> Iterator[str | HttpSettings]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, HttpSettings):
        if value.bearer_token_file is not None:
            yield value
        yield from secrets_of(value.model_copy(update={"bearer_token_file": None}))
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict | tuple | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _secrets(one)
