"""Turn the hit lines of a block into events: read the level, join traces to their records, count errors exactly."""

from array import array
from collections.abc import Iterator
from datetime import datetime
from time import monotonic
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tasks.clients.logs.block import LogBlock, Shapes
from tasks.clients.logs.joined_lines import Records
from tasks.clients.logs.repeated_lines import KnownLines
from tasks.model.logs.findings import ScanQuestion, Severity
from tasks.rules.logs.envelopes.carrier import Opened
from tasks.rules.logs.envelopes.console import INDENT, LINES_BELOW, console_severity
from tasks.rules.logs.envelopes.opened import open_line, records_of
from tasks.rules.logs.groups import SAMPLE_CHARACTERS, Group, Groups, LineEvent
from tasks.rules.logs.level import LevelSeen
from tasks.rules.logs.line import (
    Clock,
    LineRead,
    is_cut,
    level_seen,
    read_record,
    severity_of,
    severity_of_record,
    shape_in_line,
    time_of_raw,
)
from tasks.rules.logs.traces.gather import (
    BoundedLines,
    TraceFound,
    exception_in,
    has_own_head,
    trace_at,
    trace_with_frame,
)

NUMBERS_LIMIT = 500_000
DENSE_LINES = 64
BATCH_LINES, BATCH_BYTES = 128, 65_536
# A record may stand this many lines above its trace, when other threads write between them.
RECORD_ABOVE_LINES = 3
TIME_ABOVE_LINES = 20


class _Around(NamedTuple):
    """A block with the number of its first line, the traces in it by their first line, and its records."""

    block: LogBlock
    first: int
    traces: dict[int, TraceFound]
    records: Records


class Events:
    """What a scan has counted so far. Line numbers start at 1."""

    def __init__(self, question: ScanQuestion) -> None:
        self.question = question
        self.groups = Groups()
        self.error_lines = 0
        self.error_numbers: array[int] = array("Q")
        self.taken: set[int] = set()
        self.ends_at = monotonic() + question.deadline_s
        self.shapes = Shapes()
        self._clock = Clock(question.now, ZoneInfo(question.time_zone))
        self._known = KnownLines(lambda raw: time_of_raw(raw, self._clock))
        self._record: LineEvent | None = None

    def read(self, block: LogBlock, first: int, safe: int, *, final: bool) -> int:
        """Read the lines of a block below `safe`; `first` is the number of its first line.

        Give the count of lines that were read: fewer than `safe` when a trace goes on past the block, or time is up.
        """
        traces, records = self._traces(block, first), Records(block)
        for start, found in sorted(traces.items(), reverse=True):
            # A record is read together with its trace, and a trace that goes on past the block with the next block.
            if not final and start - RECORD_ABOVE_LINES < safe and (start >= safe or found.open):
                safe = max(0, start - RECORD_ABOVE_LINES)
        safe = safe if final or records.is_empty else records.whole_below(safe)
        return self._read_lines(_Around(block, first, traces, records), safe)

    def _read_lines(self, around: "_Around", safe: int) -> int:
        block, first, traces, records = around
        lines = block.word_lines[block.word_lines < safe]
        if len(lines) > DENSE_LINES:
            lines = lines[~block.harmless(lines, self.shapes)]
        wanted = lines.tolist() if records.is_empty else records.starts(lines.tolist())
        todo = sorted({*wanted, *(start for start in traces if start < safe)}) if traces else wanted
        apart = {
            line
            for found in traces.values()
            for line in range(found.taken[0] - RECORD_ABOVE_LINES, found.taken[-1] + 1)
        }
        for number, batch in enumerate(_batches(block, todo)):
            # The first one is always read: what takes all the time there is must not come again in the next scan.
            if number and monotonic() > self.ends_at:
                safe = batch[0]
                break
            self._read_batch(around, batch, apart)
        self._flush()
        self.taken = {number for number in self.taken if number >= first + safe} if self.taken else self.taken
        return safe

    def _read_batch(self, around: "_Around", lines: list[int], apart: set[int]) -> None:
        block, first, traces, records = around
        joined = apart if records.is_empty else apart.union(records.joined)
        for index in self._count_known(block, first, lines, joined):
            if index in traces:
                self._add_trace(block, first, index, traces[index])
            elif first + index not in self.taken:
                near_trace = (
                    any(index + below in traces for below in range(1, RECORD_ABOVE_LINES + 1)) if apart else False
                )
                self._add_line(around, index, near_trace=near_trace)

    def _traces(self, block: LogBlock, first: int) -> dict[int, TraceFound]:
        """Find all traces that start in the block, each line in one trace only."""
        found: dict[int, TraceFound] = {}
        own: set[int] = set()
        bounded = BoundedLines(block.trace_line, len(block))
        frames = block.frame_lines.tolist()
        firsts = [line for above, line in zip([-2, *frames], frames, strict=False) if line != above + 1]
        for lines, read in ((block.trace_lines.tolist(), trace_at), (firsts, trace_with_frame)):
            for index in lines:
                if index in own or first + index in self.taken:
                    continue
                if bounded.spent:
                    return found
                trace = read(bounded, index)
                if trace and not own.intersection(trace.taken) and first + trace.taken[0] not in self.taken:
                    found[trace.taken[0]] = trace
                    own.update(trace.taken)
        return found

    def _count_known(self, block: LogBlock, first: int, lines: list[int], apart: set[int]) -> list[int]:
        """Count what is known; lines in or beside a trace are read in full, and all when only recent ones count."""
        if self.question.since is not None:
            return lines
        kept = [line for line in lines if line in apart or first + line in self.taken] if apart or self.taken else []
        unknown, errors = self._known.count(block, first, sorted(set(lines) - set(kept)) if kept else lines)
        self.error_lines += len(errors)
        self._number(errors)
        return sorted(unknown + kept) if kept else unknown

    def _add_line(self, around: "_Around", index: int, *, near_trace: bool) -> None:
        """Read a line; of a batch of telemetry each record is a finding, and the line is one error line."""
        block, first, _, records = around
        raw, whole = block.raw(index), records_of(records.opened(index))
        judged = sorted(((each, *severity_of_record(each)) for each in whole), key=lambda each: -(each[1] or 0))
        opened, severity, seen = judged[0]
        if severity is None and is_cut(raw):
            severity = Severity.ERROR
        shape = shape_in_line(opened, seen) if len(whole) == 1 and index not in records.joined else None
        if seen is None and opened.text.startswith(INDENT) and _is_said_above(block, index):
            return
        if severity is None or severity < Severity.WARNING:
            self._learn_harmless(raw, block[index], shape)
            return
        event = self._event(opened, seen, severity, (block, first, index))
        if near_trace:
            self._flush()
            self._record = event
            return
        group = self._add_event(event)
        for other, level, seen_there in judged[1:]:
            if level is not None and level >= Severity.WARNING:
                self._add_to_group(self._event(other, seen_there, level, (block, first, index)))
        if group and shape:
            self._known.learn(raw, group)

    def _event(
        self, opened: Opened, seen: LevelSeen | None, severity: Severity, place: tuple[LogBlock, int, int]
    ) -> LineEvent:
        block, first, index = place
        read = self._with_time(read_record(opened, seen, severity, self._clock), block, index)
        exception = exception_in(read.trace_text) if read.trace_text else None
        sample = opened.text if opened.start < 0 else block[index]
        if index + 1 < len(block) and console_severity(opened.text) and block.trace_line(index + 1).startswith(INDENT):
            said = block.trace_line(index + 1)
            read, sample = read._replace(message=f"{read.message} {said.strip()}"), f"{sample}\n{said}"
        return LineEvent(first + index, severity, read.message, read.at, sample, exception, read.leveled)

    def _learn_harmless(self, raw: bytes, text: str, seen: LevelSeen | None) -> None:
        if seen:
            if seen.end and raw[: seen.end + 1] == text[: seen.end + 1].encode():
                self.shapes.learn(raw, seen.end)
            self._known.learn(raw, None)

    def _add_trace(self, block: LogBlock, first: int, index: int, found: TraceFound) -> None:
        """Count a trace once: with the record just above it, or alone."""
        record = self._take_record(first + index, block[index])
        sample = "\n".join(block.trace_line(line) for line in found.taken[:60])[:SAMPLE_CHARACTERS]
        self.taken.update(first + line for line in found.taken)
        if record:
            self._add_event(record._replace(sample=f"{record.sample}\n{sample}", exception=found.exception))
        else:
            opened = open_line(block[index])
            # What carries the line puts all that a process prints at one level, its last words too.
            seen = level_seen(opened.text) if found.prefix.strip() or has_own_head(opened.text) else None
            severity = seen.severity if seen else Severity.ERROR
            event = self._event(opened, seen, severity, (block, first, index))
            self._add_event(
                event._replace(message=event.message if seen else "", sample=sample, exception=found.exception)
            )
        self._count_taken(block, first, found, index if not record else None)

    def _count_taken(self, block: LogBlock, first: int, found: TraceFound, counted: int | None) -> None:
        """Lines of a trace that carry a level of their own are error lines each."""
        if not found.prefix.strip():
            return
        for line in found.taken:
            severity, seen = severity_of(block[line])
            if line != counted and seen and severity and self._is_wanted(None):
                self._count_error(severity, first + line)

    def _take_record(self, trace_line: int, text: str) -> LineEvent | None:
        """Take the record above a trace. A mere warning is not that of a trace which says by itself how bad it is."""
        record, self._record = self._record, None
        is_far = record is None or trace_line - record.line > (RECORD_ABOVE_LINES if record.leveled else 1)
        own = level_seen(text) if record and record.severity < Severity.ERROR else None
        if is_far or (own and own.severity >= Severity.ERROR):
            self._record = record
            self._flush()
            return None
        return record

    def _flush(self) -> None:
        record, self._record = self._record, None
        if record:
            self._add_event(record)

    def _add_event(self, event: LineEvent) -> Group | None:
        if not self._is_wanted(event.at):
            return None
        self._count_error(event.severity, event.line)
        return self.groups.add(event)

    def _add_to_group(self, event: LineEvent) -> None:
        if self._is_wanted(event.at):
            self.groups.add(event)

    def _is_wanted(self, at: datetime | None) -> bool:
        since = self.question.since
        return since is None or at is None or at >= since

    def _count_error(self, severity: Severity, number: int) -> None:
        if severity >= Severity.ERROR:
            self.error_lines += 1
            self._number([number])

    @property
    def numbers_in_order(self) -> list[int]:
        """Give the lines with errors from the top down; a trace within a trace is closed before the one around it."""
        return sorted(self.error_numbers)

    def _number(self, lines: list[int]) -> None:
        if self.question.line_numbers:
            self.error_numbers.extend(lines[: NUMBERS_LIMIT - len(self.error_numbers)])

    def _with_time(self, read: LineRead, block: LogBlock, index: int) -> LineRead:
        """A line without a time has that of the nearest line above that has one."""
        above = index
        while read.at is None and above > max(0, index - TIME_ABOVE_LINES):
            above -= 1
            read = read._replace(at=time_of_raw(block.raw(above), self._clock))
        return read


def _batches(block: LogBlock, lines: list[int]) -> Iterator[list[int]]:
    """Cut lines into batches that are read in a few milliseconds each, however long the lines are."""
    batch: list[int] = []
    size_bytes = 0
    for line in lines:
        batch.append(line)
        size_bytes += block.start(line + 1) - block.start(line)
        if len(batch) >= BATCH_LINES or size_bytes >= BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _is_said_above(block: LogBlock, index: int) -> bool:
    """Say whether a line without a level is the text of a head above it, which was judged by its level."""
    for above in range(index - 1, max(-1, index - LINES_BELOW), -1):
        line = block.trace_line(above)
        if not line.startswith(INDENT):
            return console_severity(line) is not None
    return False
