"""Read one file of a log, the log itself or one that it was rotated into, and keep what the next scan must know."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, NamedTuple, cast

from tasks.clients.logs.engine import Engine
from tasks.clients.logs.events import Events
from tasks.clients.logs.rotation import BROKEN_ARCHIVE, OutOfTime, go_to, is_unpacked, mark_of, open_log
from tasks.clients.logs.scanner import LogSource, Place, Scanner
from tasks.model.errors import CannotObserve, Code
from tasks.model.logs.checkpoint import FileMark, LogCheckpoint
from tasks.model.logs.findings import ScanQuestion
from tasks.model.reports.progress import LongStep, Progress, Report, Unit, unheard
from tasks.rules.logs.groups import Known

# Marks are taken after the reading, whose time may be up; without marks the next scan would begin at the beginning.
MARKING_S = 2.0


class ToRead(NamedTuple):
    """A file to read: from where, and whether it is the log itself, whose last line may still be written."""

    file: Path
    start: LogCheckpoint
    is_log: bool
    report: Report = unheard


@dataclass(slots=True)
class PartCounts:
    """What was counted up to a place: lines, error lines, and each template with its minutes."""

    lines: int
    error_lines: int
    counts: dict[str, int]
    known: dict[str, Known]


@dataclass(slots=True)
class LogPart:
    """What was read of one file, from `start` to `end`; the next scan reads again from `kept`."""

    begun: LogCheckpoint
    events: Events
    kept: Place
    at_kept: PartCounts
    end: Place
    complete: bool = False
    taken: tuple[int, ...] = ()
    mark: FileMark = field(default_factory=FileMark)
    notes: tuple[str, ...] = ()

    @property
    def from_offset(self) -> int:
        """The first byte that was not reported before."""
        return self.begun.reported_offset or self.begun.offset


def read_part(wanted: ToRead, question: ScanQuestion, engine: Engine, *, marked: bool) -> LogPart:
    """Read a file from its place on; `marked` takes the marks by which it is known again.

    Errors: `CannotObserve` when it cannot be opened or read.
    """
    events = Events(question)
    events.taken = set(wanted.start.taken_lines)
    try:
        with open_log(wanted.file) as file:
            go_to(file, wanted.start.offset, events.ends_at)
            # Plain and packed files both have readinto, which IO does not promise.
            size_bytes = size_of(wanted.file, packed=is_unpacked(file))
            source = CountedSource(cast("LogSource", file), wanted.report, wanted.start.offset, size_bytes)
            scanner = Scanner(source, engine, events, Place(wanted.start.offset, wanted.start.lines))
            part = _read(scanner, events, wanted)
            if marked:
                part.mark = _mark_of(file, scanner.read_to, wanted, events.ends_at)
    except BROKEN_ARCHIVE as error:
        raise unreadable(wanted.file, error) from error
    except OutOfTime as error:
        return _passed_over(wanted, events, str(error))
    return part


def _mark_of(file: IO[bytes], read_to: int, wanted: ToRead, ends_at: float) -> FileMark:
    """Take the marks; an archive that takes too long for that is known again by its beginning as before."""
    try:
        return mark_of(file, read_to, ends_at + MARKING_S)
    except OutOfTime:
        return wanted.start.mark


def _passed_over(wanted: ToRead, events: Events, how_far: str) -> LogPart:
    """Let an archive go that takes longer to unpack than a scan lasts: it must not stop every later scan."""
    place = Place(wanted.start.offset, wanted.start.lines)
    note = f"GAP: expected {wanted.file.name} unpacked in time, it came to {how_far}; its last lines are not read"
    counted = _counted(place.line, events)
    return LogPart(wanted.start, events, place, counted, place, complete=not wanted.is_log, notes=(note,))


def unreadable(path: Path, error: Exception) -> CannotObserve:
    """Say that a log could not be read, and why."""
    reason = getattr(error, "strerror", None) or error
    detail = f"expected a log that can be read was {reason} path={path}; check the path and its permissions"
    return CannotObserve(Code.FILE_UNREADABLE, detail)


def _read(scanner: Scanner, events: Events, wanted: ToRead) -> LogPart:
    notes = _read_source(scanner)
    kept = scanner.place
    part = LogPart(
        wanted.start, events, kept, _counted(kept.line, events), kept, taken=tuple(sorted(events.taken)), notes=notes
    )
    if scanner.complete:
        scanner.finish(with_partial=not wanted.is_log)
    part.end, part.complete = scanner.place, scanner.complete
    return part


def _read_source(scanner: Scanner) -> tuple[str, ...]:
    """Read to the end; a damaged archive ends where its damage begins, and says so."""
    try:
        scanner.read_all()
    except BROKEN_ARCHIVE as error:
        if isinstance(error, OSError) and error.errno:
            raise
        return (
            f"DAMAGED: expected a whole archive was {type(error).__name__} byte={scanner.read_to}; the rest is lost",
        )
    return ()


def counted_at_end(part: LogPart) -> LogPart:
    """Count what was read to the end, where the next scan does not read the last lines again."""
    return replace(part, at_kept=_counted(part.end.line, part.events))


def _counted(lines: int, events: Events) -> PartCounts:
    groups = events.groups.all()
    known = {group.key: Known(group.first_at, dict(group.minutes)) for group in groups if group.count > 0}
    return PartCounts(lines, events.error_lines, events.groups.counts(), known)


class CountedSource:
    """A source that reports how far it was read. Units: `of_bytes` is 0 where nobody knows the whole."""

    def __init__(self, source: LogSource, report: Report, done_bytes: int, of_bytes: int) -> None:
        self._source = source
        self._report = report
        self._done_bytes = done_bytes
        self._of_bytes = of_bytes

    def readinto(self, buffer: memoryview, /) -> int | None:
        count = self._source.readinto(buffer) or 0
        self._done_bytes += count
        self._report(Progress(step=LongStep.READ_LOGS, done=self._done_bytes, of=self._of_bytes, unit=Unit.BYTES))
        return count


def size_of(file: Path, *, packed: bool) -> int:
    """Say how many bytes there are to read; of an archive nobody knows before it is unpacked."""
    try:
        return 0 if packed else file.stat().st_size
    except OSError:
        return 0
