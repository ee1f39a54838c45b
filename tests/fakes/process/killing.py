"""Kill a piece of code between any two of its lines, as SIGKILL would, without a process for each."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any

from tests.house.source import REPOSITORY


class KilledHere(BaseException):
    """The process is gone; nothing catches this."""


@contextmanager
def killed_at_line(number: int, *parts: str) -> Iterator[list[int]]:
    """Kill at the given line, counted over all lines run in files whose path holds one of the parts.

    Gives the count of lines that were run. Ends quietly, whether or not the line was reached.
    Errors: `AssertionError` for a part that names no file of ours: then nothing would be killed, and nothing proven.
    """
    assert [part for part in parts if not any(part in name for name in _sources())] == []
    count = [0]

    def step(_: FrameType, event: str, __: Any) -> Any:
        if event == "line":
            count[0] += 1
            if count[0] == number:
                raise KilledHere
        return step

    def enter(frame: FrameType, _: str, __: Any) -> Any:
        return step if any(part in frame.f_code.co_filename for part in parts) else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield count
    except KilledHere:
        pass
    finally:
        sys.settrace(before)


@cache
def _sources() -> tuple[str, ...]:
    return tuple(map(str, (REPOSITORY / "tasks").rglob("*.py")))
