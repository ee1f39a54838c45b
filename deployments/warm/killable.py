"""Who goes first when the machine has no memory left: a run that leaks, and not the services beside it."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ADJUSTMENT = "/proc/{}/oom_score_adj"


def killable(pid: int | str = "self") -> None:
    """Take from a process what its worker has of protection against the kernel; what it starts inherits none either.

    Errors: none; nothing is done where there is no such file, or nothing was given.
    Source: proc(5), oom_score_adj.
    """
    file = Path(ADJUSTMENT.format(pid))
    with contextlib.suppress(OSError, ValueError):
        if int(file.read_text("ascii")) < 0:
            file.write_text("0", "ascii")


class Killable:
    """Hears of a process that Prefect's own worker has started, and hands on where it runs."""

    def __init__(self, started: Any) -> None:
        self._started: Callable[[Any], None] = started.started

    def started(self, value: Any = None) -> None:
        """Take a place as Prefect writes it, `host:pid`."""
        killable(str(value).rpartition(":")[2])
        self._started(value)
