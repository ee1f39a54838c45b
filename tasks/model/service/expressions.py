"""Kinds of values in a service's description: JMESPath, linear regular expressions, templates with `${name}`."""

import re
from string import Template
from typing import Annotated

import jmespath
import re2  # type: ignore[import-untyped]
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, StringConstraints

NAME = re.compile(r"[a-z_][a-z0-9_]*")
LONGEST = 4000


def _compiles(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        said = str(error).splitlines()[0][:160]
        raise ValueError(f"a JMESPath expression is expected, see https://jmespath.org: {said}") from None
    return text


def _is_linear(text: str) -> str:
    try:
        re2.compile(text)
    except re2.error as error:
        said = error.args[0] if error.args else "it is none"
        said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(
            f"a regular expression of RE2 is expected (no back-references, no look-around): {said}"
        ) from None
    return text


def _names_only(text: str) -> str:
    template = Template(text)
    if not template.is_valid():
        raise ValueError("a template is expected: ${name} for a value, $$ for a dollar sign")
    if wrong := [name for name in template.get_identifiers() if not NAME.fullmatch(name)]:
        raise ValueError(f"names of values in small letters are expected was ${{{wrong[0]}}}")
    return text


Expression = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_compiles)]
LinearPattern = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_is_linear)]
# Which names a template may hold is said where it is used.
TextTemplate = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_names_only)]


def names_in(template: str) -> frozenset[str]:
    """Name the values that a template asks for."""
    return frozenset(Template(template).get_identifiers())
