"""The one door to a terminal and its streams: what foreign text would do there is shown, and never done.

An answer, a ledger line or a name may hold escape sequences that clear the screen, retitle the window or write *All is
well*, marks that reorder what is read, and characters that nobody sees. What is not plainly printable is written as an
escape, line breaks too: one text is one line.
"""

import re
import sys
from collections.abc import Iterable

# Letters and marks for Python, and blank to the eye: fillers, joiners, variation selectors.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
# A prompt that a person answers on the same line.
PROMPT_END = " "


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    say_lines((text,))


def say_lines(lines: Iterable[str]) -> None:
    """Print lines at once, each made safe by itself."""
    put("".join(f"{safe(line)}\n" for line in lines))


def complain(text: str, end: str = "\n") -> None:
    """Say on stderr what is wrong; the lines of a part's log, which a failed start quotes, stay lines."""
    sys.stderr.write("\n".join(map(safe, text.split("\n"))) + end)
    sys.stderr.flush()


def put(text: str) -> None:
    """Write to stdout what is safe already."""
    sys.stdout.write(text)
    sys.stdout.flush()


def safe(text: str) -> str:
    """Show what would act on a terminal, or is not to be seen there, as an escape."""
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(one if one.isprintable() else _escape(one) for one in text)
    return _BLANK.sub(lambda found: _escape(found.group()), shown)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
