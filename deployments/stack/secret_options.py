"""Options that hold a password: taken off our own command line, which everybody on the machine can read in `ps`."""

import os
import sys
from collections.abc import Mapping, Sequence


def hide_secret_options(variables: Mapping[str, str]) -> None:
    """Start this very command again, with the options in its environment instead; does nothing where none is given.

    The process keeps its pid. Windows has no such exchange, and shows a command line to its owner alone.
    """
    words, found = without_options(sys.orig_argv[1:], variables)
    if found and os.name == "posix":
        os.execve(sys.executable, [sys.executable, *words], {**os.environ, **found})  # noqa: S606 - no shell is wanted


def without_options(words: Sequence[str], variables: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Split a command line into what may be seen, and the variables for what may not.

    Errors: none; an option without its value is left for the command itself to refuse.
    """
    kept: list[str] = []
    found: dict[str, str] = {}
    waiting = iter(words)
    for word in waiting:
        option, equals, value = word.partition("=")
        # The command takes either.
        option = option.replace("_", "-")
        if option not in variables:
            kept.append(word)
            continue
        given = value if equals else next(waiting, None)
        if given is None:
            kept.append(word)
        else:
            found[variables[option]] = given
    return kept, found
