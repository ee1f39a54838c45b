"""How a command ends: it observes, prints one JSON document or lines, and exits with the code of what it saw."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple, NoReturn

from rich.text import Text

from deployments.views.terminal import printable, say_json, show
from deployments.views.words import complain
from tasks.model.errors import Code, RunbookError
from tasks.model.probes.probes import Seen

# A usage error is 2: it is raised, and the command line ends with it.
OK, FAILED, UNKNOWN = 0, 1, 3
USAGE_ERRORS = frozenset({Code.BAD_SETTING, Code.BAD_ARGUMENT, Code.UNKNOWN_SERVICE})


class Answer(NamedTuple):
    """What a command prints, as one JSON document or as lines for a person, and its exit code."""

    document: Any
    lines: Iterable[Text | str]
    exit_code: int = OK


Observing = Callable[[], Answer | Coroutine[Any, Any, Answer]]


def give(observe: Observing, *, json_output: bool, blind: Callable[[str], dict[str, Any]] | None = None) -> NoReturn:
    """Observe, print what was seen, and exit.

    Errors: exit 0 ok, 1 it failed, 3 unknown: one line on stderr, and with `--json` a document with the error and with
    what `blind` makes of it. A usage error is raised, and exits with 2.
    """
    answer = _answer_of(observe)
    if blind and "error" in answer.document:
        answer = answer._replace(document={**blind(answer.document["error"]["detail"]), **answer.document})
    end_with(answer, json_output=json_output)


def end_with(answer: Answer, *, json_output: bool) -> NoReturn:
    """Print an answer, and exit with its code."""
    try:
        say_json(answer.document) if json_output else show(answer.lines)
    except BrokenPipeError:
        # The reader has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(answer.exit_code)


def _answer_of(observe: Observing) -> Answer:
    try:
        found = observe()
        return found if isinstance(found, Answer) else asyncio.run(found)
    except RunbookError as error:
        if error.code in USAGE_ERRORS:
            raise
        return unknown(error.code, error.detail)
    except Exception as error:  # noqa: BLE001 - the outermost door: exit 1 would say that the service is unhealthy
        return unknown("UNEXPECTED", f"expected an answer, found {type(error).__name__}: {error}; please report it")


def unknown(code: str, detail: str) -> Answer:
    """Say on stderr that nothing was seen, which says nothing of the service."""
    complain(f"{code}: {printable(' '.join(detail.split()))}")
    return Answer({"error": {"code": str(code), "detail": detail}}, [], UNKNOWN)


def exit_code_of(seen: Iterable[Seen]) -> int:
    """Give the exit code of several probes: one that failed decides, then one that saw nothing."""
    found = set(seen)
    if Seen.FAILED in found:
        return FAILED
    return UNKNOWN if found & {Seen.BLIND, Seen.NOT_CONFIGURED} else OK
