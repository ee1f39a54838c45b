"""One block of a log in memory: where its lines are, and which of them were hit. No line is touched that was not."""

import numpy as np
import numpy.typing as npt

from tasks.clients.logs.engine import Engine, Hits
from tasks.rules.logs.envelopes.opened import trace_line
from tasks.rules.logs.level import MARK
from tasks.rules.logs.line import text_of_line

NEWLINE = 10
HEAD_BYTES = 4096
CARRIED_BYTES = 32_768
BRACE = ord("{")
SHAPE_BYTES = 160
SHAPES_LIMIT = 16

Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class LogBlock:
    """Whole lines at the start of a buffer; a line is decoded when it is asked for."""

    def __init__(self, view: memoryview, size: int) -> None:
        self._view = view
        self._bytes = np.frombuffer(view, dtype=np.uint8, count=size)
        self.newlines: Numbers = np.flatnonzero(self._bytes == NEWLINE)
        self.word_lines = self.frame_lines = self.trace_lines = self.piece_lines = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.newlines)

    def __getitem__(self, index: int) -> str:
        return text_of_line(self.raw(index))

    def trace_line(self, index: int) -> str:
        """Decode a line as a stack trace has it: out of what carries it as JSON, and without colours."""
        return trace_line(self.head(index)).replace(MARK, "")

    def start(self, index: int) -> int:
        """Give the offset at which a line starts; that of the line after the last is the end of the block."""
        return int(self.newlines[index - 1]) + 1 if index else 0

    def raw(self, index: int) -> bytes:
        """Take the bytes of a line without its newline."""
        return bytes(self._view[self.start(index) : int(self.newlines[index])])

    def head(self, index: int) -> str:
        """Decode as much of a line as a stack trace has on one line."""
        start = self.start(index)
        end = min(int(self.newlines[index]), start + (HEAD_BYTES if self._bytes[start] != BRACE else CARRIED_BYTES))
        return text_of_line(bytes(self._view[start:end]))

    def lines_before(self, offset: int) -> int:
        """Count the lines that end before an offset."""
        return int(np.searchsorted(self.newlines, offset))

    def find(self, engine: Engine, shapes: "Shapes") -> None:
        """Find the lines that matter: among all bytes, or among the lines that are not known to be harmless."""
        if shapes.go_first:
            rest = np.flatnonzero(~self.harmless(np.arange(len(self.newlines)), shapes))
            shapes.judge(len(rest), len(self.newlines))
            self._take_hits(engine.find(memoryview(self._packed(rest))), self.newlines_of(rest), rest)
        else:
            self._take_hits(engine.find(self._view[: len(self._bytes)]), self.newlines, None)
            shapes.judge(len(self.word_lines), len(self.newlines))

    def take_hits(self, hits: Hits) -> None:
        """Take hits that were found elsewhere."""
        self._take_hits(hits, self.newlines, None)

    def harmless(self, lines: Numbers, shapes: "Shapes") -> Flags:
        """Say of each line whether its head is known to carry a harmless level."""
        starts = np.where(lines > 0, self.newlines[lines - 1] + 1, 0)
        known = np.zeros(len(lines), dtype=bool)
        inside = starts + shapes.width <= len(self._bytes)
        if shapes.width and inside.any():
            places = (len(self._bytes) - shapes.width + 1,)
            windows: npt.NDArray[np.void] = np.ndarray(
                places, dtype=f"V{shapes.width}", buffer=self._bytes.data, strides=(1,)
            )
            known[inside] = shapes.match(windows[starts[inside]].view(np.uint64).reshape(-1, shapes.width // 8))
        return known

    def newlines_of(self, lines: Numbers) -> Numbers:
        """Give where the newlines of some lines stand when only these are packed together."""
        starts = np.where(lines > 0, self.newlines[lines - 1] + 1, 0)
        return np.cumsum(self.newlines[lines] - starts + 1) - 1

    def _packed(self, lines: Numbers) -> bytes:
        """Copy some lines together; lines that stand side by side are copied at once."""
        if not len(lines):
            return b""
        breaks = np.flatnonzero(np.diff(lines) != 1)
        firsts, lasts = np.concatenate((lines[:1], lines[breaks + 1])), np.concatenate((lines[breaks], lines[-1:]))
        return b"".join(
            self._view[self.start(first) : int(self.newlines[last]) + 1]
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        )

    def _take_hits(self, hits: Hits, newlines: Numbers, lines: Numbers | None) -> None:
        found = [_lines_of(offsets, newlines) for offsets in hits]
        self.word_lines, self.frame_lines, self.trace_lines, self.piece_lines = (
            found if lines is None else [lines[each] for each in found]
        )


class Shapes:
    """Heads of lines, digits made equal, of which it is known that they carry a level below warning.

    Where most lines were hit for nothing, they are asked first, and the engine sees only the lines they do not know.
    """

    def __init__(self) -> None:
        self._heads: set[bytes] = set()
        self._shapes: list[tuple[Words, Words, Words, Words]] = []
        self.width = 0
        self.go_first = False
        self._pause_blocks = 0

    def learn(self, raw: bytes, end: int) -> None:
        """Remember the head of a line up to `end` and one byte further; too long or too many heads are not learned."""
        head = raw[: end + 1].translate(_DIGITS_EQUAL)
        if (
            end >= min(len(raw), SHAPE_BYTES)
            or len(self._heads) >= SHAPES_LIMIT
            or head in self._heads
            or not head.isascii()
        ):
            return
        self._heads.add(head)
        self.width = max(self.width, -(-len(head) // 8) * 8)
        self._shapes = [_shape(each, self.width) for each in self._heads]

    def match(self, heads: Words) -> Flags:
        """Say for each head, eight bytes a word, whether it is known.

        A digit has the high half 3, and 6 more does not change it; where that carries over, another byte has failed.
        """
        known = np.zeros(len(heads), dtype=bool)
        high, more = heads & _HIGH, (heads + _SIX) & _HIGH
        for exact, wanted, digits, threes in self._shapes:
            same = ((heads & exact) == wanted) & ((high & digits) == threes) & ((more & digits) == threes)
            known |= same.all(axis=1)
        return known

    def judge(self, left_count: int, lines_count: int) -> None:
        """Decide who goes first in the next block, by how many lines were left for Python in this one."""
        if self.go_first:
            self.go_first = left_count < 0.5 * lines_count
            self._pause_blocks = 0 if self.go_first else PAUSE_BLOCKS
        elif self._pause_blocks:
            self._pause_blocks -= 1
        else:
            self.go_first = bool(self._heads) and left_count > DENSE_RATIO * lines_count


PAUSE_BLOCKS = 16
DENSE_RATIO = 0.03

_DIGITS_EQUAL = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_HIGH = np.uint64(0xF0F0F0F0F0F0F0F0)
_SIX = np.uint64(0x0606060606060606)


def _shape(head: bytes, width: int) -> tuple[Words, Words, Words, Words]:
    """Lay out a head as masks: which bytes must be exact and what they are, which must be digits."""
    text = head.ljust(width, b"\xff")
    digits = bytes(0xF0 if byte == 48 else 0 for byte in text)
    exact = bytes(0 if byte in (48, 255) else 0xFF for byte in text)
    wanted = bytes(byte if mask else 0 for byte, mask in zip(text, exact, strict=True))
    threes = bytes(0x30 if mask else 0 for mask in digits)
    layers = [np.frombuffer(layer, dtype=np.uint64) for layer in (exact, wanted, digits, threes)]
    return layers[0], layers[1], layers[2], layers[3]


def _lines_of(offsets: list[int], newlines: Numbers) -> Numbers:
    """Give the line of each offset, each line once."""
    if not offsets:
        return np.empty(0, dtype=np.int64)
    lines = np.sort(np.searchsorted(newlines, np.asarray(offsets, dtype=np.int64)))
    return lines[np.flatnonzero(np.diff(lines, prepend=-1))]
