"""Read a log in large blocks through one buffer, and hand whole lines on; memory does not grow with the file."""

from time import monotonic
from typing import NamedTuple, Protocol

from tasks.clients.logs.block import NEWLINE, LogBlock
from tasks.clients.logs.engine import Engine
from tasks.clients.logs.events import Events

READ_BYTES = 1_048_576
# Lines kept back from every block, so that a trace can begin in one block and be named in the next.
HELD_LINES = 16
HELD_BYTES = 262_144
OPEN_TRACE_BYTES = 524_288
LINE_LIMIT_BYTES = 1_048_576
END_BYTES = 65_536
OVERLAP_BYTES = 256


class LogSource(Protocol):
    """Where the bytes come from: a file, or what a gzip file holds."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read as the standard library's files do; 0 at the end."""


class Place(NamedTuple):
    """A place between two lines: its offset, and the number of lines before it."""

    offset: int
    line: int


class Scanner:
    """Read one source to its end, or until time is up.

    `place` is how far lines were read. After `read_all`, the last lines are still to be read: a trace may go on there.
    """

    def __init__(self, source: LogSource, engine: Engine, events: Events, start: Place) -> None:
        self._source = source
        self._engine = engine
        self._events = events
        self._buffer = bytearray(READ_BYTES + LINE_LIMIT_BYTES + OPEN_TRACE_BYTES + 1)
        self._view = memoryview(self._buffer)
        self._size = 0
        self._giant: _GiantLine | None = None
        self._held: LogBlock | None = None
        self.place = start
        self.read_to = start.offset
        self.complete = True

    def read_all(self) -> None:
        """Read until the end of the source, all but the lines that must be kept back."""
        while self.complete and self._fill():
            if self._giant:
                self._read_giant(self._giant)
            end = self._buffer.rfind(b"\n", 0, self._size) + 1
            if end:
                self._read_block(end, final=not self._has_room())
            if not self._has_room():
                self._giant = _GiantLine(bytes(self._buffer[:END_BYTES]))
                self._read_giant(self._giant)

    def finish(self, *, with_partial: bool) -> None:
        """Read the lines that were kept back; with `with_partial` also a last one without its newline."""
        if self._giant:
            if with_partial and self.complete:
                self._end_giant(self._giant, 0)
            return
        if with_partial and self._size and self._buffer[self._size - 1] != NEWLINE:
            self._buffer[self._size] = NEWLINE
            self._size += 1
        end = self._buffer.rfind(b"\n", 0, self._size) + 1
        if end:
            self._read_block(end, final=True)
        self.place = Place(min(self.place.offset, self.read_to), self.place.line)

    def _has_room(self) -> bool:
        return self._size + READ_BYTES < len(self._buffer)

    def _fill(self) -> bool:
        if monotonic() > self._events.ends_at:
            self.complete = False
            return False
        count = self._source.readinto(self._view[self._size : self._size + READ_BYTES]) or 0
        self._size += count
        self.read_to += count
        return count > 0

    def _read_block(self, end: int, *, final: bool) -> None:
        block = self._found_in(end)
        safe = len(block) if final else max(0, len(block) - HELD_LINES, block.lines_before(end - HELD_BYTES))
        done = self._events.read(block, self.place.line + 1, safe, final=final)
        self.complete = self.complete and monotonic() <= self._events.ends_at
        self.place = Place(self.place.offset + block.start(done), self.place.line + done)
        self._drop(block.start(done))
        self._held = block if not done else None

    def _found_in(self, end: int) -> LogBlock:
        """Find what matters before `end`; a long line that was held back whole is not searched twice."""
        if self._held and self._held.start(len(self._held)) == end:
            return self._held
        block = LogBlock(self._view, end)
        block.find(self._engine, self._events.shapes)
        return block

    def _drop(self, count: int) -> None:
        rest = max(0, self._size - count)
        self._buffer[:rest] = self._buffer[count : count + rest]
        self._size = rest
        self._held = None

    def _read_giant(self, line: "_GiantLine") -> None:
        """Read on in a line longer than the buffer: keep its two ends, search all of it for words."""
        end = self._buffer.find(b"\n", 0, self._size)
        stop = self._size if end < 0 else end
        line.hit = line.hit or bool(self._engine.find(self._view[: stop + (end >= 0)])[0])
        line.tail = (line.tail + bytes(self._buffer[max(0, stop - END_BYTES) : stop]))[-END_BYTES:]
        # A word may have begun in the last bytes: they are searched again with the next ones.
        kept = 0 if end >= 0 else min(OVERLAP_BYTES, stop)
        line.length += stop - kept
        if end < 0:
            line.tail = line.tail[: max(0, len(line.tail) - kept)]
            self._drop(stop - kept)
            return
        self._end_giant(line, 1)
        self._drop(stop + 1)

    def _end_giant(self, line: "_GiantLine", newline_count: int) -> None:
        rest = bytes(self._buffer[: self._size]) if not newline_count else b""
        ends = bytearray(line.head + line.tail + rest)[: 2 * END_BYTES] + b"\n"
        block = LogBlock(memoryview(ends), len(ends))
        block.take_hits(([0] if line.hit else [], [], [], []))
        self._events.read(block, self.place.line + 1, 1, final=True)
        self.place = Place(self.place.offset + line.length + len(rest) + newline_count, self.place.line + 1)
        self._giant = None


class _GiantLine:
    """What is kept of a line that does not fit the buffer."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.tail = b""
        self.length = 0
        self.hit = False
