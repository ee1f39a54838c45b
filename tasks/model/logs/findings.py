"""What a log scan found, as values: findings with their exception, and the whole of one scan."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

from tasks.model.setting_types import TimeZone
from tasks.model.values import Value


class Severity(IntEnum):
    """Rank of a log line, comparable; the numbers are those of Python's logging."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50

    @property
    def label(self) -> str:
        return self.name.lower()


class LogKind(StrEnum):
    """What an error in a log is about."""

    TIMEOUT = "timeout"
    DEPENDENCY = "dependency"
    STACK_TRACE = "stack_trace"
    REJECT = "reject"
    STORAGE = "storage"
    OTHER = "other"


# What an exception says, cut to what a person reads.
Said = Annotated[str, AfterValidator(lambda text: text.strip()[:500])]


class TraceCause(Value):
    """An exception that led to another one."""

    type: str
    message: Said
    frame: str | None = None


class ExceptionSeen(Value):
    """The exception of a stack trace as it left the program; `root_cause` is the first one of its chain."""

    type: str
    message: Said
    frame: str | None = None
    language: str = "unknown"
    root_cause: TraceCause | None = None


class Rate(Value):
    """How often a finding came in the last hour of the log, and in the hour before it."""

    last_hour_count: int = 0
    hour_before_count: int = 0
    ratio: float | None = None


class LogFinding(Value):
    """Lines that say the same, as one. Line numbers start at 1 in the file they stand in."""

    kind: LogKind
    severity: Severity
    template: str
    count: int
    first_line: int
    last_line: int
    first_at: AwareDatetime | None = None
    last_at: AwareDatetime | None = None
    sample: str = ""
    exception: ExceptionSeen | None = None
    is_new: bool = False
    rate: Rate = Rate()


class LogScan(Value):
    """One scan of one log.

    `complete` is false when the deadline ended it; `notes` name what was bounded or could not be found.
    `from_offset` to `to_offset` are the bytes this scan answers for, which makes a repeated report recognizable.
    """

    file: str
    lines: int = 0
    bytes: int = 0
    error_lines: int = 0
    error_line_numbers: tuple[int, ...] = ()
    findings: tuple[LogFinding, ...] = ()
    complete: bool = True
    notes: tuple[str, ...] = ()
    engine: str = ""
    from_offset: int = 0
    to_offset: int = 0


class LogCheck(Value):
    """The new lines of all logs of a service; `blind` says for each log that could not be read why."""

    scans: tuple[LogScan, ...] = ()
    blind: tuple[str, ...] = ()


class ScanQuestion(Value):
    """What is asked of a scan: errors `since` a time, which are new after a release, and by when to answer.

    `time_zone` is that of lines whose time names none.
    Units: `deadline_s` seconds of wall time from the start of the scan.
    """

    now: AwareDatetime
    since: AwareDatetime | None = None
    released_at: AwareDatetime | None = None
    deadline_s: float = 30.0
    line_numbers: bool = False
    time_zone: TimeZone = "UTC"


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)
