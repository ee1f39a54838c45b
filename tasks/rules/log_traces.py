"""Gather the lines of one stack trace, also where other threads wrote between them, and name its exception."""

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from tasks.model.log_findings import ExceptionSeen
from tasks.model.log_levels import Severity
from tasks.rules.log_json import looks_like_json
from tasks.rules.log_levels import level_of
from tasks.rules.log_trace_frames import FRAME, FramesReader, named
from tasks.rules.log_trace_native import (
    GO_START,
    RUBY_START,
    RUST_START,
    SANITIZER_START,
    TERMINATE_START,
    UNDEFINED_START,
    AbortReader,
    GoReader,
    RubyReader,
    SanitizerReader,
)  # fmt: skip
from tasks.rules.log_trace_python import START as PYTHON_START
from tasks.rules.log_trace_python import PythonReader
from tasks.rules.log_trace_reader import HEADLINE_LIMIT_COUNT, TraceReader

# Bounds of one trace: more lines than this are cut, more lines of other threads in a row end it.
TRACE_LINES = 1500
OTHER_THREADS_LINES = 40
LOOK_BACK_LINES = 12
# Lines around a trace are read more than once; with many threads at once, many times.
READS_A_LINE = 40
# What a logger, a container or syslog puts before a line is never longer.
PREFIX_CHARACTERS = 400

_TIME_FIRST = re.compile(
    r"[\[(<]?(?:\d{4}[-/]\d\d[-/]\d\d[T ]|\d\d:\d\d:\d\d|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d|"
    r"[IWEF]\d{4,8} \d\d:|<?\d{1,3}>|\d\d-\d\d \d\d:)|"
    r"[DIWEF], \[|\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)(?:[\]:|]| {1,5}[\[\d])|"
    r"(?:time|ts|level|lvl)=",
    re.ASCII,
)
_WRITTEN_TIME = re.compile(r"\d+")
_STARTS: tuple[tuple[re.Pattern[str], Callable[[str], TraceReader]], ...] = (
    (PYTHON_START, PythonReader), (SANITIZER_START, SanitizerReader), (UNDEFINED_START, SanitizerReader),
    (RUST_START, AbortReader), (TERMINATE_START, AbortReader), (GO_START, GoReader), (RUBY_START, RubyReader),
)  # fmt: skip


class Lines(Protocol):
    """Lines by number, decoded when asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> str: ...


class BoundedLines:
    """Lines as traces are read from: short ones, and only so many of them, however often a trace is begun in vain.

    Lines that begin a trace and never end one (`goroutine 1 [`, thousands of times) are followed from each of them
    anew, and would cost the square of their count.
    """

    def __init__(self, line_at: Callable[[int], str], count: int) -> None:
        self._line_at = line_at
        self._count = count
        self._reads_left = READS_A_LINE * count + TRACE_LINES

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> str:
        self._reads_left -= 1
        return self._line_at(index)

    @property
    def spent(self) -> bool:
        """Say whether no further trace is to be begun."""
        return self._reads_left <= 0


class TraceFound(NamedTuple):
    """The numbers of the lines taken, the exception, and whether the lines ended before the trace did."""

    taken: tuple[int, ...]
    exception: ExceptionSeen
    open: bool
    prefix: str


def has_own_head(line: str) -> bool:
    """Say whether a line begins a record of its own: with a time, a level, or as JSON."""
    return bool(_TIME_FIRST.match(line)) or looks_like_json(line)


def trace_at(lines: Lines, index: int) -> TraceFound | None:
    """Read the trace that starts in this line; None when none does."""
    line = lines[index]
    if looks_like_json(line):
        return None
    for pattern, reader in _STARTS:
        found = pattern.search(line)
        if found and _may_start(line[: found.start()]):
            made = _ruby(lines, index, line[found.start() :]) if reader is RubyReader else reader(line[found.start() :])
            return _follow(lines, index, line[: found.start()], made)
    return None


def trace_with_frame(lines: Lines, index: int) -> TraceFound | None:
    """Read the trace whose first frame is this line; it starts at the line above that names the exception."""
    found = FRAME.search(lines[index])
    prefix = lines[index][: found.start()] if found else ""
    if found is None or not _may_start(prefix):
        return None
    start = _headline(lines, index, prefix)
    if start is None:
        return None
    body = lines[start][len(prefix) :] if prefix_pattern(prefix).match(lines[start]) else lines[start]
    return _follow(lines, start, prefix, FramesReader(body))


def exception_in(text: str) -> ExceptionSeen | None:
    """Read the trace inside a text with several lines, such as a field of a JSON line."""
    written = [line[:HEADLINE_LIMIT_COUNT] for line in text.splitlines()[:TRACE_LINES]]
    lines = BoundedLines(written.__getitem__, len(written))
    for index, line in enumerate(written):
        if lines.spent:
            break
        found = trace_with_frame(lines, index) if FRAME.match(line) else trace_at(lines, index)
        if found:
            return found.exception
    return None


def _may_start(prefix: str) -> bool:
    """A trace starts a line, or follows what a logger, a container or syslog puts before every line."""
    if len(prefix) > PREFIX_CHARACTERS:
        return False
    return not prefix.strip() or prefix.rstrip()[-1:] in ":]|>)-FP" or has_own_head(prefix)


def _ruby(lines: Lines, index: int, first: str) -> TraceReader:
    return RubyReader(first, lines[index - 1] if index else "")


def _headline(lines: Lines, index: int, prefix: str) -> int | None:
    """Find the line that names the exception, above its first frame; lines of other threads may stand between."""
    pattern = prefix_pattern(prefix) if prefix.strip() else None
    nearest: int | None = None
    for above in range(index - 1, max(-1, index - 1 - 2 * LOOK_BACK_LINES), -1):
        body = _body(lines[above], pattern)
        if body is None:
            if pattern is None and _is_record(lines[above]):
                return nearest if nearest is not None else above
            continue
        if FRAME.match(body) or not body.strip():
            break
        nearest = above
        if named(body) and not body.lstrip().startswith(("--->", "Caused by", "Suppressed")):
            break
    return nearest


def _is_record(line: str) -> bool:
    seen = level_of(line)
    return bool(seen and seen.severity >= Severity.WARNING)


def _preamble(lines: Lines, start: int, prefix: str) -> list[int]:
    """Find what Node and the sanitizers print above the line that names the defect: the source line, a rule."""
    pattern = prefix_pattern(prefix) if prefix.strip() else None
    above = [
        index for index in range(max(0, start - 2 * LOOK_BACK_LINES), start) if _body(lines[index], pattern) is not None
    ][-4:]
    bodies = [_body(lines[index], pattern) or "" for index in above]
    if bodies and re.match(r"={10,}\s*$", bodies[-1]):
        return above[-1:]
    is_source = len(bodies) == 4 and not bodies[3].strip() and bool(re.match(r"\s*\^+\s*$", bodies[2]))
    return above if is_source and re.match(r"\S.*:\d+\s*$", bodies[0]) else []


def _follow(lines: Lines, start: int, prefix: str, reader: TraceReader) -> TraceFound | None:
    """Give line after line to the reader; step over the lines of other threads.

    Steps: 1. a line with the same prefix, or with no head at all, goes to the reader. 2. what the reader does not take
    ends the trace. 3. a line with a head of its own is another thread's, and is left alone.
    """
    taken, others = [start], 0
    pattern = prefix_pattern(prefix)
    index = start + 1
    while index < len(lines) and len(taken) < TRACE_LINES and others <= (8 if reader.finished else OTHER_THREADS_LINES):
        body = _body(lines[index], pattern if prefix.strip() else None)
        if body is None:
            others += 1
        elif reader.take(body):
            taken.append(index)
            others = 0
        else:
            break
        index += 1
    exception = reader.result()
    above = _preamble(lines, start, prefix) if exception else []
    return TraceFound((*above, *taken), exception, index >= len(lines), prefix) if exception else None


def _body(line: str, pattern: re.Pattern[str] | None) -> str | None:
    """Take off the prefix; None for a line that some other thread wrote."""
    if pattern is None:
        return None if has_own_head(line) else line
    found = pattern.match(line)
    return line[found.end() :] if found else None


def prefix_pattern(prefix: str) -> re.Pattern[str]:
    """Match the same prefix at another time: numbers in its time may differ, those in names of threads may not."""
    cut = max((found.end() for found in _CLOCK.finditer(prefix)), default=0)
    return re.compile(
        _WRITTEN_TIME.sub(r"\\d+", re.escape(prefix[:cut])) + re.escape(prefix[cut:].rstrip()) + r" ?", re.ASCII
    )


_CLOCK = re.compile(r"\d\d:\d\d:\d\d[.,]?\d*", re.ASCII)
