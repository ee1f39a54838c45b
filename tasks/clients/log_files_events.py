"""Turn the hit lines of a block into events: read the level, join traces to their records, count errors exactly."""

from array import array
from collections.abc import Iterator
from datetime import datetime
from time import monotonic

from tasks.clients.log_files_block import Block, Shapes
from tasks.clients.log_files_known import KnownLines
from tasks.model.log_findings import ScanQuestion
from tasks.model.log_levels import LevelSeen, LineRead, Severity
from tasks.rules.log_groups import SAMPLE_CHARACTERS, Event, Group, Groups
from tasks.rules.log_lines import LINE_BYTES, read_line, severity_of, text_of_line
from tasks.rules.log_times import time_of
from tasks.rules.log_traces import BoundedLines, TraceFound, exception_in, has_own_head, trace_at, trace_with_frame

NUMBERS_LIMIT = 500_000
DENSE_LINES = 64
BATCH_LINES, BATCH_BYTES = 128, 65_536
# A record may stand this many lines above its trace, when other threads write between them.
RECORD_ABOVE_LINES = 3
TIME_ABOVE_LINES = 20


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
        self._known = KnownLines(lambda raw: time_of(text_of_line(raw), question.now))
        self._record: tuple[int, LineRead, str] | None = None

    def read(self, block: Block, first: int, safe: int, *, final: bool) -> int:
        """Read the lines of a block below `safe`; `first` is the number of its first line.

        Give the count of lines that were read: fewer than `safe` when a trace goes on past the block, or time is up.
        """
        traces = self._traces(block, first)
        for start, found in sorted(traces.items(), reverse=True):
            # A record is read together with its trace, and a trace that goes on past the block with the next block.
            if not final and start - RECORD_ABOVE_LINES < safe and (start >= safe or found.open):
                safe = max(0, start - RECORD_ABOVE_LINES)
        return self._read_lines(block, first, safe, traces)

    def _read_lines(self, block: Block, first: int, safe: int, traces: dict[int, TraceFound]) -> int:
        lines = block.word_lines[block.word_lines < safe]
        if len(lines) > DENSE_LINES:
            lines = lines[~block.harmless(lines, self.shapes)]
        todo = sorted({*lines.tolist(), *(start for start in traces if start < safe)}) if traces else lines.tolist()
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
            self._read_batch(block, first, batch, (traces, apart))
        self._flush()
        self.taken = {number for number in self.taken if number >= first + safe} if self.taken else self.taken
        return safe

    def _read_batch(
        self, block: Block, first: int, lines: list[int], around: tuple[dict[int, TraceFound], set[int]]
    ) -> None:
        traces, apart = around
        for index in self._count_known(block, first, lines, apart):
            if index in traces:
                self._add_trace(block, first, index, traces[index])
            elif first + index not in self.taken:
                near_trace = (
                    any(index + below in traces for below in range(1, RECORD_ABOVE_LINES + 1)) if apart else False
                )
                self._add_line(block, first, index, near_trace=near_trace)

    def _traces(self, block: Block, first: int) -> dict[int, TraceFound]:
        """Find all traces that start in the block, each line in one trace only."""
        found: dict[int, TraceFound] = {}
        own: set[int] = set()
        bounded = BoundedLines(block.head, len(block))
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

    def _count_known(self, block: Block, first: int, lines: list[int], apart: set[int]) -> list[int]:
        """Count what is known; lines in or beside a trace are read in full, and all when only recent ones count."""
        if self.question.since is not None:
            return lines
        kept = [line for line in lines if line in apart or first + line in self.taken] if apart or self.taken else []
        unknown, errors = self._known.count(block, first, sorted(set(lines) - set(kept)) if kept else lines)
        self.error_lines += len(errors)
        self._number(errors)
        return sorted(unknown + kept) if kept else unknown

    def _add_line(self, block: Block, first: int, index: int, *, near_trace: bool) -> None:
        raw = block.raw(index)
        text = text_of_line(raw)
        severity, seen = severity_of(text)
        if severity is None and len(raw) >= LINE_BYTES:
            severity = Severity.ERROR
        if severity is None or severity < Severity.WARNING:
            self._learn_harmless(raw, text, seen)
            return
        read = self._with_time(read_line(text, severity, seen, self.question.now), block, index)
        if near_trace:
            self._flush()
            self._record = (first + index, read, text)
            return
        group = self._add_event(_event(first + index, read, text))
        if group and seen and seen.by_shape:
            self._known.learn(raw, group)

    def _learn_harmless(self, raw: bytes, text: str, seen: LevelSeen | None) -> None:
        if seen and seen.by_shape:
            if raw[: seen.end + 1] == text[: seen.end + 1].encode():
                self.shapes.learn(raw, seen.end)
            self._known.learn(raw, None)

    def _add_trace(self, block: Block, first: int, index: int, found: TraceFound) -> None:
        """Count a trace once: with the record just above it, or alone."""
        record = self._take_record(first + index)
        sample = "\n".join(block[line] for line in found.taken[:60])[:SAMPLE_CHARACTERS]
        own = block[index]
        severity, seen = severity_of(own) if found.prefix.strip() or has_own_head(own) else (None, None)
        read = read_line(own, severity if seen and severity else Severity.ERROR, seen, self.question.now)
        self.taken.update(first + line for line in found.taken)
        if record:
            number, above, text = record
            self._add_event(
                Event(number, above.severity, above.message, above.at, f"{text}\n{sample}", found.exception)
            )
        else:
            read = self._with_time(read, block, index)
            self._add_event(
                Event(first + index, read.severity, read.message if seen else "", read.at, sample, found.exception)
            )
        self._count_taken(block, first, found, index if not record else None)

    def _count_taken(self, block: Block, first: int, found: TraceFound, counted: int | None) -> None:
        """Lines of a trace that carry a level of their own are error lines each."""
        if not found.prefix.strip():
            return
        for line in found.taken:
            severity, seen = severity_of(block[line])
            if line != counted and seen and severity and self._is_wanted(None):
                self._count_error(severity, first + line)

    def _take_record(self, trace_line: int) -> tuple[int, LineRead, str] | None:
        record, self._record = self._record, None
        if record is None or trace_line - record[0] > (RECORD_ABOVE_LINES if record[1].leveled else 1):
            self._record = record
            self._flush()
            return None
        return record

    def _flush(self) -> None:
        if self._record:
            number, read, text = self._record
            self._record = None
            self._add_event(_event(number, read, text))

    def _add_event(self, event: Event) -> Group | None:
        if not self._is_wanted(event.at):
            return None
        self._count_error(event.severity, event.line)
        return self.groups.add(event)

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

    def _with_time(self, read: LineRead, block: Block, index: int) -> LineRead:
        """A line without a time has that of the nearest line above that has one."""
        above = index
        while read.at is None and above > max(0, index - TIME_ABOVE_LINES):
            above -= 1
            read = read._replace(at=time_of(block[above], self.question.now))
        return read


def _batches(block: Block, lines: list[int]) -> Iterator[list[int]]:
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


def _event(number: int, read: LineRead, text: str) -> Event:
    return Event(
        number,
        read.severity,
        read.message,
        read.at,
        text,
        exception_in(read.trace_text) if read.trace_text else None,
        read.leveled,
    )
