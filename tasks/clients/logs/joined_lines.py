"""Join the records of a block that stand on several lines: what a container runtime cut, and the journal's export."""

from collections.abc import Collection, Iterable

from tasks.clients.logs.block import LogBlock
from tasks.rules.logs.envelopes.carrier import Opened
from tasks.rules.logs.envelopes.export import EXPORT_KEY, export_record, is_export_start
from tasks.rules.logs.envelopes.opened import open_line

# A line of 1 MB in pieces of 16 kB, and what the journal says of one message.
PIECES_LIMIT = 80
EXPORT_LINES = 120
# Lines of the other stream may stand between two pieces.
BETWEEN_LINES = 8


class Records:
    """Which lines of a block belong together; a line that stands alone is its own record."""

    def __init__(self, block: LogBlock) -> None:
        self._block = block
        self._start_of: dict[int, int] = {}
        self._lines_of: dict[int, tuple[int, ...]] = {}
        self._text_of: dict[int, Opened] = {}
        self._is_export = bool(len(block)) and is_export_start(block[0])
        for line in block.piece_lines.tolist():
            if line not in self._start_of:
                self._join(line)

    @property
    def is_empty(self) -> bool:
        """Say whether every line is a record of its own, as in most logs."""
        return not self._is_export and not self._start_of

    @property
    def joined(self) -> Collection[int]:
        """Give the lines under which records of several lines are counted."""
        return self._lines_of

    def starts(self, lines: Iterable[int]) -> list[int]:
        """Give the record of each line, each record once."""
        return sorted({self.start_of(line) for line in lines})

    def start_of(self, line: int) -> int:
        """Give the line under which a record is counted: its first one, or the message's in the journal's export."""
        if self._is_export and line not in self._start_of:
            self._read_export(line)
        return self._start_of.get(line, line)

    def lines_of(self, start: int) -> tuple[int, ...]:
        return self._lines_of.get(start, (start,))

    def opened(self, start: int) -> Opened:
        return self._text_of.get(start) or open_line(self._block[start])

    def whole_below(self, safe: int) -> int:
        """Give the last place at or above `safe` that does not part a record."""
        if self._is_export:
            return self._export_start(safe) if 0 < safe < len(self._block) else safe
        return min([safe, *(start for start, lines in self._lines_of.items() if start < safe <= lines[-1])])

    def _join(self, first: int) -> None:
        opened = open_line(self._block[first])
        lines, texts, stream = [first], [opened.text], opened.stream
        unfinished, index = opened.unfinished, first + 1
        while unfinished and index < len(self._block) and len(lines) < PIECES_LIMIT:
            piece = open_line(self._block[index])
            if piece.stream == stream and piece.at is not None:
                lines.append(index)
                texts.append(piece.text)
                unfinished = piece.unfinished
            elif index - lines[-1] > BETWEEN_LINES:
                break
            index += 1
        if len(lines) > 1:
            whole = open_line("".join(texts))
            self._keep(lines, Opened(whole.text, opened.at, whole.severity or opened.severity, -1))

    def _keep(self, lines: list[int], opened: Opened, counted: int | None = None) -> None:
        start = lines[0] if counted is None else counted
        self._start_of.update(dict.fromkeys(lines, start))
        self._lines_of[start] = tuple(lines)
        self._text_of[start] = opened

    def _export_start(self, line: int) -> int:
        """Go up to the line behind the blank one above; a blank line is the end of its record."""
        index = line
        while index > 0 and line - index < EXPORT_LINES and self._block.raw(index - 1):
            index -= 1
        return index

    def _read_export(self, line: int) -> None:
        first = self._export_start(line)
        end = first
        while end < len(self._block) and end - first < EXPORT_LINES and self._block.raw(end):
            end += 1
        raw = [self._block.raw(index) for index in range(first, end)]
        record = export_record(raw) if raw and EXPORT_KEY.match(raw[0]) else None
        if record is None:
            self._start_of[line] = line
            return
        message_at, opened = record
        self._keep(list(range(first, end)), opened, first + message_at)
