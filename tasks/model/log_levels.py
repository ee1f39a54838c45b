"""How bad a log line says it is, and what was read of one line."""

from datetime import datetime
from enum import IntEnum
from typing import NamedTuple


class Severity(IntEnum):
    """Rank of a log line, comparable; the numbers are those of Python's logging."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50

    @property
    def label(self) -> str:
        """Give the word that reports use."""
        return self.name.lower()


class LevelSeen(NamedTuple):
    """A level found in a line: `end` is the offset just past it; `by_shape` says that no digit before it matters."""

    severity: Severity
    end: int
    by_shape: bool


class LineRead(NamedTuple):
    """What one line says of itself: its message without the head, its time, and a trace inside one of its fields."""

    severity: Severity
    leveled: bool
    message: str
    at: datetime | None = None
    trace_text: str = ""
