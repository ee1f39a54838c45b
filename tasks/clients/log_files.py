"""The door to log files: look at a whole log, or at what is new in it since the last look."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from tasks.clients.log_files_checkpoint import CHECKPOINT_FOLDER, checkpoint_path, load_checkpoint, save_checkpoint
from tasks.clients.log_files_engine import Engine, best_engine
from tasks.clients.log_files_events import NUMBERS_LIMIT, Events
from tasks.clients.log_files_rotation import (
    BROKEN_ARCHIVE,
    files_since,
    is_same_content,
    is_same_file,
    mark_of,
    open_log,
)
from tasks.clients.log_files_scan import Place, Scanner
from tasks.model.errors import CannotLook, Code
from tasks.model.log_checkpoint import FileMark, KnownTemplate, LogCheckpoint
from tasks.model.log_findings import LogFinding, LogScan, ScanQuestion
from tasks.rules.log_groups import Group, Known, finding_of, remember
from tasks.rules.log_report import close_group, ordered

KNOWN_TEMPLATES_LIMIT = 500
FINISHED_LIMIT = 64
START = Place(0, 0)


@dataclass(slots=True)
class _Told:
    """What was counted up to a place: lines, error lines, and each template with its minutes."""

    lines: int
    error_lines: int
    counts: dict[str, int]
    known: dict[str, Known]


@dataclass(slots=True)
class _Part:
    """What was read of one file: of the log itself, or of a file that it was rotated into."""

    events: Events
    start: Place
    kept: Place
    end: Place
    complete: bool
    at_kept: _Told
    notes: list[str] = field(default_factory=list)
    mark: FileMark = field(default_factory=FileMark)


def look_at_log(path: Path, question: ScanQuestion, engine: Engine | None = None) -> LogScan:
    """Look at a whole log, a gzip'd one too.

    Runbook: §1.4 Recent logs and incidents.
    Errors: `CannotLook` when the file is missing or may not be read; no content of a file raises.
    """
    engine = engine or best_engine()
    part = _read(path, question, engine, LogCheckpoint(), with_partial=True, marked=False)
    return _scan(path, question, engine, [(part, LogCheckpoint())])


def look_at_new_lines(path: Path, state_dir: Path, question: ScanQuestion, engine: Engine | None = None) -> LogScan:
    """Look at the lines that were written since the last look, also across rotation and truncation.

    Runbook: §1.4 Recent logs and incidents.
    Errors: `CannotLook` as in `look_at_log`, and when the checkpoint cannot be kept. A crash before the checkpoint is
    kept repeats the same report, with the same `from_offset`.
    Steps: 1. finish the file that the log was rotated into. 2. read those in between. 3. read the log. 4. keep the place.
    """
    engine = engine or best_engine(state_dir / CHECKPOINT_FOLDER)
    kept_in = checkpoint_path(state_dir, path)
    before = load_checkpoint(kept_in) or LogCheckpoint()
    ends_at = monotonic() + question.deadline_s
    parts: list[tuple[_Part, LogCheckpoint]] = []
    notes: list[str] = []
    for file, begun, last in _to_read(path, before, notes):
        left = question.model_copy(update={"deadline_s": max(0.0, ends_at - monotonic())})
        start = before if begun else LogCheckpoint()
        parts.append((_read(file, left, engine, start, with_partial=not last), start))
        if not parts[-1][0].complete:
            break
    scan = _scan(path, question, engine, parts, known=_known(before), notes=notes)
    save_checkpoint(kept_in, _after(before, parts))
    return scan


def _to_read(path: Path, before: LogCheckpoint, notes: list[str]) -> list[tuple[Path, bool, bool]]:
    """List the files to read: path, whether it was begun before, whether it is the log itself."""
    try:
        if not before.mark.head_hash:
            return [(path, False, True)]
        if is_same_content(path, before.mark) and (is_same_file(path, before.mark) or not before.mark.inode):
            return [(path, True, True)]
        older = files_since(path, before.mark, before.finished)
    except OSError as error:
        raise _cannot_look(path, error) from error
    if older is None:
        notes.append(
            f"GAP: expected the rest of the rotated log after byte {before.mark.read_to}, was not found; lines may be missing"
        )
    return [*((file, begun, False) for file, begun in older or []), (path, False, True)]


def _read(
    path: Path, question: ScanQuestion, engine: Engine, start: LogCheckpoint, *, with_partial: bool, marked: bool = True
) -> _Part:
    events = Events(question)
    events.taken = set(start.taken_lines)
    place = Place(start.offset, start.lines)
    try:
        with open_log(path) as file:
            file.seek(start.offset)
            scanner = Scanner(file, engine, events, place)  # type: ignore[arg-type] # raw files and gzip both have readinto
            notes = _read_source(scanner)
            told = _told(scanner.place.line, events)
            part = _Part(events, place, scanner.place, scanner.place, complete=False, at_kept=told, notes=notes)
            taken = tuple(sorted(events.taken))
            if scanner.complete:
                scanner.finish(with_partial=with_partial)
            events.taken = set(taken)
            part.end, part.complete = scanner.place, scanner.complete
            if marked:
                part.mark = mark_of(file, scanner.read_to)
    except BROKEN_ARCHIVE as error:
        raise _cannot_look(path, error) from error
    return part


def _told(lines: int, events: Events) -> _Told:
    groups = events.groups.all()
    known = {group.key: Known(group.first_at, dict(group.minutes)) for group in groups if group.count > 0}
    return _Told(lines, events.error_lines, events.groups.counts(), known)


def _read_source(scanner: Scanner) -> list[str]:
    """Read to the end; a damaged archive ends where its damage begins, and says so."""
    try:
        scanner.read_all()
    except (EOFError, *BROKEN_ARCHIVE[2:]) as error:
        return [
            f"DAMAGED: expected a whole gzip file, was {type(error).__name__} byte={scanner.read_to}; what follows was not read"
        ]
    return []


def _scan(
    path: Path, question: ScanQuestion, engine: Engine, parts: list[tuple[_Part, LogCheckpoint]],
    *, known: dict[str, Known] | None = None, notes: list[str] | None = None,
) -> LogScan:  # fmt: skip
    findings: list[LogFinding] = []
    for part, start in parts:
        groups = [_less(group, start.reported_counts.get(group.key, 0)) for group in part.events.groups.all()]
        end = close_group(groups, question.now)
        findings += [
            finding_of(group, (known or {}).get(group.key), question, end) for group in groups if group.count > 0
        ]
    return LogScan(
        file=str(path),
        lines=sum(part.end.line - part.start.line - start.reported_lines for part, start in parts),
        bytes=sum(part.end.offset - (start.reported_offset or part.start.offset) for part, start in parts),
        error_lines=sum(max(0, part.events.error_lines - start.reported_error_lines) for part, start in parts),
        error_line_numbers=tuple(
            number
            for part, start in parts
            for number in part.events.error_numbers
            if number not in start.reported_error_numbers
        ),
        findings=ordered(findings),
        complete=all(part.complete for part, _ in parts),
        notes=(*(notes or []), *(note for part, _ in parts for note in (*part.notes, *_bounds(part.events)))),
        engine=engine.name,
        from_offset=(parts[-1][1].reported_offset or parts[-1][0].start.offset),
        to_offset=parts[-1][0].end.offset,
    )


def _less(group: Group, reported: int) -> Group:
    return replace(group, count=group.count - reported)


def _bounds(events: Events) -> list[str]:
    notes = []
    if events.groups.overflowed:
        notes.append("BOUNDED: more kinds of messages than are kept apart; the rest is counted as one finding")
    if len(events.error_numbers) >= NUMBERS_LIMIT:
        notes.append(f"BOUNDED: only the first {NUMBERS_LIMIT} error line numbers are listed; error_lines counts all")
    return notes


def _after(before: LogCheckpoint, parts: list[tuple[_Part, LogCheckpoint]]) -> LogCheckpoint:
    """Make the checkpoint: the place before the last lines, and what was told of them."""
    part = parts[-1][0]
    told = part.at_kept
    finished = (*before.finished, *(each.mark for each, _ in parts[:-1] if each.mark.head_bytes))
    counts = {key: count - told.counts.get(key, 0) for key, count in part.events.groups.counts().items()}
    return LogCheckpoint(
        mark=part.mark, finished=finished[-FINISHED_LIMIT:], offset=part.kept.offset, lines=part.kept.line,
        taken_lines=tuple(sorted(number for number in part.events.taken if number > part.kept.line)),
        reported_offset=part.end.offset, reported_lines=part.end.line - told.lines,
        reported_error_lines=part.events.error_lines - told.error_lines,
        reported_error_numbers=tuple(number for number in part.events.error_numbers[-100:] if number > part.kept.line),
        reported_counts={key: count for key, count in counts.items() if count > 0},
        known=_remembered(before, parts),
    )  # fmt: skip


def _known(before: LogCheckpoint) -> dict[str, Known]:
    return {each.key: Known(each.first_at, dict(each.minutes)) for each in before.known}


def _remembered(before: LogCheckpoint, parts: list[tuple[_Part, LogCheckpoint]]) -> tuple[KnownTemplate, ...]:
    known = _known(before)
    for part, _ in parts:
        for key, each in part.at_kept.known.items():
            known[key] = remember(known.pop(key, None), each)
    kept = list(known.items())[-KNOWN_TEMPLATES_LIMIT:]
    return tuple(
        KnownTemplate(key=key, first_at=each.first_at, minutes=tuple(sorted(each.minutes.items())))
        for key, each in kept
    )


def _cannot_look(path: Path, error: Exception) -> CannotLook:
    return CannotLook(
        Code.FILE_UNREADABLE,
        f"expected a log that can be read, was {getattr(error, 'strerror', None) or error} path={path}; check the path and its permissions",
    )
