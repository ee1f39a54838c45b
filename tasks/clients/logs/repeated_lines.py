"""Count lines that differ from one already read in their numbers alone: two microseconds a line instead of twenty."""

import re
from collections.abc import Callable
from datetime import datetime

from tasks.clients.logs.block import LogBlock
from tasks.model.logs.findings import Severity
from tasks.rules.logs.groups import Group, collapsed, count_minute, minute_of, nearly_collapsed

KNOWN_LIMIT = 20_000
LINE_LIMIT_BYTES = 4096

_ISO_MINUTE = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?=:\d\d(?:[.,]\d+)?(?:( ?(?:Z|UTC|GMT))|[^\d+\-Z]))")

TimeOf = Callable[[bytes], datetime | None]


class Repeated:
    """Lines of one group that differ in numbers alone; no group means that they are harmless."""

    __slots__ = ("count", "group", "last_line", "last_raw", "minutes", "place", "zone")

    def __init__(self, group: Group | None, written: re.Match[bytes] | None) -> None:
        self.group = group
        self.place = written.start() if written else -1
        self.zone = b":00Z" if written and written[1] else b":00"
        self.count = self.last_line = 0
        self.last_raw = b""
        self.minutes: dict[bytes, int] = {}


class KnownLines:
    """All lines known so far, by their bytes with every number made equal."""

    def __init__(self, time_of_line: TimeOf) -> None:
        self._known: dict[bytes, Repeated] = {}
        self._quick: dict[bytes, Repeated] = {}
        self._minute_numbers: dict[bytes, int | None] = {}
        self._time_of_line = time_of_line

    def learn(self, raw: bytes, group: Group | None) -> None:
        """Remember a line with its group; None for a harmless one."""
        if len(raw) < LINE_LIMIT_BYTES and len(self._known) < KNOWN_LIMIT:
            found = _ISO_MINUTE.search(raw, 0, 160)
            self._known[collapsed(raw)] = Repeated(group, found)

    def count(self, block: LogBlock, first: int, lines: list[int]) -> tuple[list[int], list[int]]:
        """Count the known lines; give those that are not known, and the numbers of the error lines among the known."""
        unknown, errors = [], []
        touched: set[Repeated] = set()
        for index in lines:
            raw = block.raw(index)
            known = self._quick.get(nearly_collapsed(raw)) if len(raw) < LINE_LIMIT_BYTES else None
            known = known or self._find(raw)
            if known is None:
                unknown.append(index)
            elif known.group is not None:
                known.count += 1
                known.last_line, known.last_raw = first + index, raw
                minute = raw[known.place : known.place + 16] if known.place >= 0 else raw
                known.minutes[minute] = known.minutes.get(minute, 0) + 1
                touched.add(known)
                if known.group.severity >= Severity.ERROR:
                    errors.append(first + index)
        for known in touched:
            self._settle(known)
        return unknown, errors

    def _find(self, raw: bytes) -> Repeated | None:
        known = self._known.get(collapsed(raw)) if len(raw) < LINE_LIMIT_BYTES else None
        if known and len(self._quick) < KNOWN_LIMIT:
            self._quick[nearly_collapsed(raw)] = known
        return known

    def _settle(self, known: Repeated) -> None:
        """Hand what was counted in this block to the group."""
        group = known.group
        if group is None:
            return
        group.count += known.count
        if known.last_line > group.last_line:
            group.last_line, group.last_raw = known.last_line, known.last_raw
        for text, count in known.minutes.items():
            minute = self._minute(text, known)
            if minute is not None:
                count_minute(group, minute, count)
        known.count = 0
        known.minutes.clear()

    def _minute(self, text: bytes, known: Repeated) -> int | None:
        """Read the minute of a time; a text of another length than usual is read from the whole line."""
        whole = text if known.place < 0 else text + known.zone
        if whole in self._minute_numbers:
            return self._minute_numbers[whole]
        at = self._time_of_line(whole)
        at = at or self._time_of_line(known.last_raw)
        minute = minute_of(at) if at else None
        if known.place >= 0 and len(self._minute_numbers) < KNOWN_LIMIT:
            self._minute_numbers[whole] = minute
        return minute
