"""Keep the checkpoint of a log in one small file, replaced whole, so that a crash leaves the old one or the new one."""

import contextlib
import hashlib
import os
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from tasks.clients.files.atomic import open_private, private_folder
from tasks.clients.files.regular_file import read_regular
from tasks.clients.logs.events import NUMBERS_LIMIT, Events
from tasks.clients.logs.part import LogPart
from tasks.model.errors import CannotObserve, Code
from tasks.model.logs.checkpoint import KnownTemplate, LogCheckpoint
from tasks.model.logs.findings import LogFinding, LogScan, ScanQuestion
from tasks.rules.logs.groups import Known, finding_of, remember
from tasks.rules.logs.log_report import close_group, ordered

CHECKPOINT_FOLDER = "log-checkpoints"
SIZE_LIMIT_BYTES = 16 * 1_048_576


def checkpoint_path(state_dir: Path, log: Path) -> Path:
    """Name the checkpoint file of a log: its name for people, a hash of its whole path for uniqueness."""
    return (
        state_dir
        / CHECKPOINT_FOLDER
        / f"{log.name[:60]}-{hashlib.sha256(os.fsencode(log.absolute())).hexdigest()[:16]}.json"
    )


def load_checkpoint(path: Path) -> LogCheckpoint | None:
    """Load a checkpoint; None when there is none, or it is damaged: the log is then read from its beginning.

    Errors: `CannotObserve` when there is one and it may not be read.
    """
    try:
        return LogCheckpoint.model_validate_json(read_regular(path, SIZE_LIMIT_BYTES))
    except FileNotFoundError:
        return None
    except ValidationError:
        return None
    except OSError as error:
        raise _cannot(path, error) from error


def save_checkpoint(path: Path, checkpoint: LogCheckpoint) -> None:
    """Replace the checkpoint as one step.

    Errors: `CannotObserve` when the state directory cannot be written; the same lines are then reported again.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        private_folder(path.parent)
        with open_private(fresh, "wb") as file:
            file.write(checkpoint.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise _cannot(path, error) from error


def _cannot(path: Path, error: OSError) -> CannotObserve:
    return CannotObserve(
        Code.FILE_UNREADABLE,
        f"expected a checkpoint that can be kept was {error.strerror} path={path}; check the state directory",
        retryable=True,
    )


KNOWN_TEMPLATES_LIMIT = 500
FINISHED_LIMIT = 64
NUMBERS_KEPT = 100


def scan_of(path: Path, question: ScanQuestion, parts: list[LogPart], known: dict[str, Known]) -> LogScan:
    """Sum the parts, less what was reported before of the lines that were read again."""
    return LogScan(
        file=str(path),
        lines=sum(part.end.line - part.begun.lines - part.begun.reported_lines for part in parts),
        bytes=sum(part.end.offset - part.from_offset for part in parts),
        error_lines=sum(max(0, part.events.error_lines - part.begun.reported_error_lines) for part in parts),
        error_line_numbers=tuple(number for part in parts for number in _new_numbers(part)),
        findings=ordered(finding for part in parts for finding in _findings(part, question, known)),
        complete=all(part.complete for part in parts),
        notes=tuple(note for part in parts for note in (*part.notes, *_bounds(part.events))),
        from_offset=parts[-1].from_offset,
        to_offset=parts[-1].end.offset,
    )


def checkpoint_after(before: LogCheckpoint, parts: list[LogPart]) -> LogCheckpoint:
    """Make the checkpoint: the place before the last lines, and what was reported of them."""
    part = parts[-1]
    finished = (*before.finished, *(each.mark for each in parts[:-1] if each.mark.head_bytes))
    reported = {key: count - part.at_kept.counts.get(key, 0) for key, count in part.events.groups.counts().items()}
    return LogCheckpoint(
        mark=part.mark,
        finished=finished[-FINISHED_LIMIT:],
        offset=part.kept.offset,
        lines=part.kept.line,
        taken_lines=tuple(number for number in part.taken if number > part.kept.line),
        reported_offset=part.end.offset,
        reported_lines=part.end.line - part.at_kept.lines,
        reported_error_lines=part.events.error_lines - part.at_kept.error_lines,
        reported_error_numbers=tuple(n for n in part.events.numbers_in_order[-NUMBERS_KEPT:] if n > part.kept.line),
        reported_counts={key: count for key, count in reported.items() if count > 0},
        known=_remembered(before, parts),
    )


def known_before(before: LogCheckpoint) -> dict[str, Known]:
    """Give what earlier scans saw of each template."""
    return {each.key: Known(each.first_at, dict(each.minutes)) for each in before.known}


def _new_numbers(part: LogPart) -> list[int]:
    reported = set(part.begun.reported_error_numbers)
    return [number for number in part.events.numbers_in_order if number not in reported]


def _findings(part: LogPart, question: ScanQuestion, known: dict[str, Known]) -> list[LogFinding]:
    reported = part.begun.reported_counts
    groups = [replace(group, count=group.count - reported.get(group.key, 0)) for group in part.events.groups.all()]
    end = close_group(groups, question)
    return [finding_of(group, known.get(group.key), question, end) for group in groups if group.count > 0]


def _bounds(events: Events) -> list[str]:
    notes = []
    if events.groups.overflowed:
        notes.append("BOUNDED: more kinds of messages than are kept apart; the rest is counted as one finding")
    if len(events.error_numbers) >= NUMBERS_LIMIT:
        notes.append(f"BOUNDED: the first {NUMBERS_LIMIT} error line numbers are listed; error_lines counts all")
    return notes


def _remembered(before: LogCheckpoint, parts: list[LogPart]) -> tuple[KnownTemplate, ...]:
    known = known_before(before)
    for part in parts:
        for key, each in part.at_kept.known.items():
            known[key] = remember(known.pop(key, None), each)
    kept = list(known.items())[-KNOWN_TEMPLATES_LIMIT:]
    return tuple(
        KnownTemplate(key=key, first_at=each.first_at, minutes=tuple(sorted(each.minutes.items())))
        for key, each in kept
    )
