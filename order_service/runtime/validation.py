"""The first thing that is wrong with a document, for the one line that a person reads."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError


def problems_of(error: ValidationError) -> list[Any]:
    """List what is wrong; never what was given, since that may be a secret."""
    return error.errors(include_url=False, include_context=False, include_input=False)


def first_problem(error: ValidationError, nowhere: str = "") -> tuple[str, str]:
    first = problems_of(error)[0]
    return place_of(first["loc"]) or nowhere, str(first["msg"])


def place_of(location: Iterable[object]) -> str:
    return ".".join(map(str, location))
