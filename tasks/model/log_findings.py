"""What the log look found, as values: findings with their exception, and the whole of one scan."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from tasks.model.log_levels import Severity
from tasks.model.values import Value


class LogKind(StrEnum):
    """What an error in a log is about."""

    TIMEOUT = "timeout"
    DEPENDENCY = "dependency"
    STACK_TRACE = "stack_trace"
    REJECT = "reject"
    STORAGE = "storage"
    OTHER = "other"


class Cause(Value):
    """An exception that led to another one."""

    type: str
    message: str
    frame: str | None = None


class ExceptionSeen(Value):
    """The exception of a stack trace as it left the program; `root_cause` is the first one of its chain."""

    type: str
    message: str
    frame: str | None = None
    language: str = "unknown"
    root_cause: Cause | None = None


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


class LogsLook(Value):
    """The new lines of all logs of a service; `blind` tells for each log that could not be read why."""

    scans: tuple[LogScan, ...] = ()
    blind: tuple[str, ...] = ()


class ScanQuestion(Value):
    """What is asked of a scan: errors `since` a time, which are new after a release, and by when to answer.

    Units: `deadline_s` seconds of wall time from the start of the scan.
    """

    now: AwareDatetime
    since: AwareDatetime | None = None
    released_at: AwareDatetime | None = None
    deadline_s: float = 30.0
    line_numbers: bool = False


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Give the later of two times, either of which may be missing."""
    return max(filter(None, (one, other)), default=None)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """Give the earlier of two times, either of which may be missing."""
    return min(filter(None, (one, other)), default=None)
