"""Read one file of a log, the log itself or one that it was rotated into, and keep what the next scan must know."""

import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple, cast

from tasks.clients.log_files_engine import Engine
from tasks.clients.log_files_events import Events
from tasks.clients.log_files_progress import CountedSource, size_of
from tasks.clients.log_files_rotation import BROKEN_ARCHIVE, OutOfTime, go_to, mark_of, open_log
from tasks.clients.log_files_scan import Place, Scanner, Source
from tasks.model.errors import CannotLook, Code
from tasks.model.log_checkpoint import FileMark, LogCheckpoint
from tasks.model.log_findings import ScanQuestion
from tasks.model.progress import Report, unheard
from tasks.rules.log_groups import Known

# Marks are taken after the reading, whose time may be up; without marks the next scan would begin at the beginning.
MARKING_S = 2.0


class ToRead(NamedTuple):
    """A file to read: from where, and whether it is the log itself, whose last line may still be written."""

    file: Path
    start: LogCheckpoint
    is_log: bool
    report: Report = unheard


@dataclass(slots=True)
class Told:
    """What was counted up to a place: lines, error lines, and each template with its minutes."""

    lines: int
    error_lines: int
    counts: dict[str, int]
    known: dict[str, Known]


@dataclass(slots=True)
class Part:
    """What was read of one file, from `start` to `end`; the next scan reads again from `kept`."""

    begun: LogCheckpoint
    events: Events
    kept: Place
    at_kept: Told
    end: Place
    complete: bool = False
    taken: tuple[int, ...] = ()
    mark: FileMark = field(default_factory=FileMark)
    notes: tuple[str, ...] = ()

    @property
    def from_offset(self) -> int:
        """The first byte that was not told of before."""
        return self.begun.reported_offset or self.begun.offset


def read_part(wanted: ToRead, question: ScanQuestion, engine: Engine, *, marked: bool) -> Part:
    """Read a file from its place on; `marked` takes the marks by which it is known again.

    Errors: `CannotLook` when it cannot be opened or read.
    """
    events = Events(question)
    events.taken = set(wanted.start.taken_lines)
    try:
        with open_log(wanted.file) as file:
            go_to(file, wanted.start.offset, events.ends_at)
            # Plain and packed files both have readinto, which IO does not promise.
            size_bytes = size_of(wanted.file, packed=isinstance(file, gzip.GzipFile))
            source = CountedSource(cast("Source", file), wanted.report, wanted.start.offset, size_bytes)
            scanner = Scanner(source, engine, events, Place(wanted.start.offset, wanted.start.lines))
            part = _read(scanner, events, wanted)
            if marked:
                part.mark = _mark_of(file, scanner.read_to, wanted, events.ends_at)
    except BROKEN_ARCHIVE as error:
        raise cannot_look(wanted.file, error) from error
    except OutOfTime as error:
        return _passed_over(wanted, events, str(error))
    return part


def _mark_of(file: IO[bytes], read_to: int, wanted: ToRead, ends_at: float) -> FileMark:
    """Take the marks; an archive that takes too long for that is known again by its beginning as before."""
    try:
        return mark_of(file, read_to, ends_at + MARKING_S)
    except OutOfTime:
        return wanted.start.mark


def _passed_over(wanted: ToRead, events: Events, how_far: str) -> Part:
    """Let an archive go that takes longer to unpack than a scan lasts: it must not stop every later scan."""
    place = Place(wanted.start.offset, wanted.start.lines)
    note = f"GAP: expected {wanted.file.name} unpacked in time, it came to {how_far}; its last lines are not read"
    told = _told(place.line, events)
    return Part(wanted.start, events, place, told, place, complete=not wanted.is_log, notes=(note,))


def cannot_look(path: Path, error: Exception) -> CannotLook:
    """Say that a log could not be read, and why."""
    reason = getattr(error, "strerror", None) or error
    detail = f"expected a log that can be read was {reason} path={path}; check the path and its permissions"
    return CannotLook(Code.FILE_UNREADABLE, detail)


def _read(scanner: Scanner, events: Events, wanted: ToRead) -> Part:
    notes = _read_source(scanner)
    kept = scanner.place
    part = Part(
        wanted.start, events, kept, _told(kept.line, events), kept, taken=tuple(sorted(events.taken)), notes=notes
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


def _told(lines: int, events: Events) -> Told:
    groups = events.groups.all()
    known = {group.key: Known(group.first_at, dict(group.minutes)) for group in groups if group.count > 0}
    return Told(lines, events.error_lines, events.groups.counts(), known)
