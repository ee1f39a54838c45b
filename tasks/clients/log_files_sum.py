"""Sum up what was read of a log: the scan that is reported, and the checkpoint that the next scan starts from."""

from dataclasses import replace
from pathlib import Path

from tasks.clients.log_files_events import NUMBERS_LIMIT, Events
from tasks.clients.log_files_part import Part
from tasks.model.log_checkpoint import KnownTemplate, LogCheckpoint
from tasks.model.log_findings import LogFinding, LogScan, ScanQuestion
from tasks.rules.log_groups import Known, finding_of, remember
from tasks.rules.log_report import close_group, ordered

KNOWN_TEMPLATES_LIMIT = 500
FINISHED_LIMIT = 64
NUMBERS_KEPT = 100


def scan_of(path: Path, question: ScanQuestion, parts: list[Part], known: dict[str, Known]) -> LogScan:
    """Sum the parts, less what was told before of the lines that were read again."""
    return LogScan(
        file=str(path),
        lines=sum(part.end.line - part.begun.lines - part.begun.reported_lines for part in parts),
        bytes=sum(part.end.offset - part.from_offset for part in parts),
        error_lines=sum(max(0, part.events.error_lines - part.begun.reported_error_lines) for part in parts),
        error_line_numbers=tuple(number for part in parts for number in _new_numbers(part)),
        findings=ordered([finding for part in parts for finding in _findings(part, question, known)]),
        complete=all(part.complete for part in parts),
        notes=tuple(note for part in parts for note in (*part.notes, *_bounds(part.events))),
        from_offset=parts[-1].from_offset,
        to_offset=parts[-1].end.offset,
    )


def checkpoint_after(before: LogCheckpoint, parts: list[Part]) -> LogCheckpoint:
    """Make the checkpoint: the place before the last lines, and what was told of them."""
    part = parts[-1]
    finished = (*before.finished, *(each.mark for each in parts[:-1] if each.mark.head_bytes))
    told = {key: count - part.at_kept.counts.get(key, 0) for key, count in part.events.groups.counts().items()}
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
        reported_counts={key: count for key, count in told.items() if count > 0},
        known=_remembered(before, parts),
    )


def known_before(before: LogCheckpoint) -> dict[str, Known]:
    """Give what earlier scans saw of each template."""
    return {each.key: Known(each.first_at, dict(each.minutes)) for each in before.known}


def _new_numbers(part: Part) -> list[int]:
    told = set(part.begun.reported_error_numbers)
    return [number for number in part.events.numbers_in_order if number not in told]


def _findings(part: Part, question: ScanQuestion, known: dict[str, Known]) -> list[LogFinding]:
    told = part.begun.reported_counts
    groups = [replace(group, count=group.count - told.get(group.key, 0)) for group in part.events.groups.all()]
    end = close_group(groups, question.now)
    return [finding_of(group, known.get(group.key), question, end) for group in groups if group.count > 0]


def _bounds(events: Events) -> list[str]:
    notes = []
    if events.groups.overflowed:
        notes.append("BOUNDED: more kinds of messages than are kept apart; the rest is counted as one finding")
    if len(events.error_numbers) >= NUMBERS_LIMIT:
        notes.append(f"BOUNDED: the first {NUMBERS_LIMIT} error line numbers are listed; error_lines counts all")
    return notes


def _remembered(before: LogCheckpoint, parts: list[Part]) -> tuple[KnownTemplate, ...]:
    known = known_before(before)
    for part in parts:
        for key, each in part.at_kept.known.items():
            known[key] = remember(known.pop(key, None), each)
    kept = list(known.items())[-KNOWN_TEMPLATES_LIMIT:]
    return tuple(
        KnownTemplate(key=key, first_at=each.first_at, minutes=tuple(sorted(each.minutes.items())))
        for key, each in kept
    )
