"""Gather the lines of one stack trace, also where other threads wrote between them, and name its exception."""

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from tasks.model.logs.findings import ExceptionSeen, Severity
from tasks.rules.logs.json_line import looks_like_json
from tasks.rules.logs.level import level_of
from tasks.rules.logs.line import MESSAGE_CHARACTERS
from tasks.rules.logs.traces.go_rust_cpp_ruby import (
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
from tasks.rules.logs.traces.jvm_dotnet_node import FRAME, FramesReader, named
from tasks.rules.logs.traces.php_dart_beam import (
    DART_START,
    ELIXIR_START,
    ERLANG_START,
    NUMBERED_FRAME,
    PHP_START,
    ElixirReader,
    ErlangReader,
    PhpReader,
)
from tasks.rules.logs.traces.python import START as PYTHON_START
from tasks.rules.logs.traces.python import PythonReader

# Bounds of one trace: more lines than this are cut, more lines of other threads in a row end it.
TRACE_LINES = 1500
OTHER_THREADS_LINES = 40
LOOK_BACK_LINES = 12
# Lines around a trace are read more than once; with many threads at once, many times.
READS_A_LINE = 40
# What a logger, a container or syslog puts before a line is never longer.
PREFIX_CHARACTERS = 400


class TraceReader(Protocol):
    """Take the lines of one trace, in order; the first one is given when the reader is made."""

    def take(self, line: str) -> bool:
        """Take one line, or say that it does not belong to this trace."""

    @property
    def finished(self) -> bool:
        """Say whether the trace may end here."""

    def result(self) -> ExceptionSeen | None:
        """Name the exception; None when what was taken is no trace."""


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
    (RUST_START, AbortReader), (TERMINATE_START, AbortReader), (PHP_START, PhpReader), (DART_START, PhpReader),
    (GO_START, GoReader), (RUBY_START, RubyReader), (ELIXIR_START, ElixirReader), (ERLANG_START, ErlangReader),
)  # fmt: skip


class Lines(Protocol):
    """Lines by number, decoded when asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> str: ...


class BoundedLines:
    """Lines as traces are read from: short ones, and only so many of them, however many traces are begun.

    Lines that begin a trace and never end one (`goroutine 1 [`, thousands of times) are followed from each of them
    again, and would cost the square of their count.
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
            prefix = line[: found.start()]
            if reader is PhpReader and index + 1 < len(lines) and not prefix_pattern(prefix).match(lines[index + 1]):
                prefix = ""  # Its logger writes a head once, and the frames below it bare.
            made = _follow(lines, index, prefix, _made(reader, lines, index, line[found.start() :]))
            return _with_name_above(lines, index, made) if made and reader is RubyReader else made
    return _trace_with_numbered_frame(lines, index) if line.startswith("#0") else None


def _made(reader: Callable[..., TraceReader], lines: Lines, index: int, first: str) -> TraceReader:
    """Begin to read; Ruby, and Python in a fuzzer, name the exception in the lines above."""
    if reader in (RubyReader, PythonReader):
        above = [lines[each] for each in range(index - 1, max(-1, index - 4), -1)]
        return reader(first, next((each for each in above if each.strip()), ""))
    return reader(first)


def _with_name_above(lines: Lines, index: int, found: TraceFound) -> TraceFound:
    """Rails leaves a blank line between the exception and its frames; both belong to the trace."""
    is_apart = index > 1 and not lines[index - 1].strip() and found.exception.type in lines[index - 2]
    return found._replace(taken=(index - 2, index - 1, *found.taken)) if is_apart else found


def _trace_with_numbered_frame(lines: Lines, index: int) -> TraceFound | None:
    """PHP logs an exception as text, and Dart prints one: the frames begin below it."""
    if not NUMBERED_FRAME.match(lines[index]):
        return None
    for above in range(index - 1, max(-1, index - LOOK_BACK_LINES), -1):
        line = lines[above]
        if line.startswith(("Stack trace:", "[stacktrace]")):
            continue
        reader = PhpReader(line)
        head = f"{line[: -len(line.lstrip())] if line[:1].isspace() else ''}"
        found = _follow(lines, above, head, reader) if line.strip() else None
        return found if found and index in found.taken else None
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
    written = [line[:MESSAGE_CHARACTERS] for line in text.splitlines()[:TRACE_LINES]]
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
        if not body.strip() and above and named(_body(lines[above - 1], pattern) or ""):
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
    if len(bodies) > 1 and "Uncaught Python exception" in bodies[-2]:
        return above[-2:]
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
