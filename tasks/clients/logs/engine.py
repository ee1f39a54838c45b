"""Find the places in a block of bytes that may matter: with hyperscan where it has a wheel, else with `re`."""

import contextlib
import hashlib
import os
import platform
import re
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

try:
    import hyperscan

    HYPERSCAN_ERRORS: tuple[type[Exception], ...] = (hyperscan.error,)
except ImportError:  # no wheel for this platform: the same lines are found more slowly
    HYPERSCAN_ERRORS = ()

from tasks.clients.files.atomic import open_private, private_folder
from tasks.clients.files.regular_file import read_regular
from tasks.rules.logs.patterns import PATTERNS, Pattern

_CANNOT_RUN: tuple[type[Exception], ...] = (ImportError, *HYPERSCAN_ERRORS)
_CANNOT_LOAD: tuple[type[Exception], ...] = (OSError, *HYPERSCAN_ERRORS)
_OWN, _COMPILING = threading.local(), threading.Lock()
# How often a stem is tried in one line, before the line is read properly.
TRIES_COUNT = 200
DATABASE_LIMIT_BYTES = 64 * 1_048_576

Hits = tuple[list[int], list[int], list[int], list[int]]


class Engine(Protocol):
    """Find hits by kind; each hit is the offset of a byte in the line that it belongs to."""

    name: str

    def find(self, block: memoryview, /) -> Hits:
        """Find all hits in a block that ends with a newline; however many a line has, a few of them are given."""


class HyperscanEngine:
    """All patterns in one pass over the bytes. For one thread at a time; the hits are valid until the next `find`."""

    name = "hyperscan"

    def __init__(self, patterns: tuple[Pattern, ...] = PATTERNS, kept_in: Path | None = None) -> None:
        if not HYPERSCAN_ERRORS:
            raise ImportError("hyperscan has no wheel here")
        self._hits: Hits = ([], [], [], [])
        self._database = _kept_database(patterns, kept_in) if kept_in else _database(patterns)
        self._on_match = self._recorder()

    def find(self, block: memoryview, /) -> Hits:
        """Find the end of each line with a hit."""
        for found in self._hits:
            found.clear()
        self._database.scan(block, match_event_handler=self._on_match)
        return self._hits

    def _recorder(self) -> Callable[[int, int, int, int, Any], None]:
        """Build the callback: it runs once a match, so it does one append and no look-up of attributes."""
        appends = tuple(found.append for found in self._hits)

        def record(kind: int, _start: int, end: int, _flags: int, _context: Any) -> None:
            appends[kind](end - 1)

        return record


class RegexEngine:
    """Look for the stems of each pattern first, and ask `re` only about the lines that have one."""

    name = "re"

    def __init__(self, patterns: tuple[Pattern, ...] = PATTERNS) -> None:
        self._patterns = [
            (each, _compiled(each), [_with_pairs(stem.encode()) for stem in each.stems]) for each in patterns
        ]

    @property
    def expressions(self) -> tuple[re.Pattern[bytes], ...]:
        return tuple(expression for _, expression, _ in self._patterns)

    def find(self, block: memoryview, /) -> Hits:
        """Find at most one hit for each line and stem."""
        text = b"\n" + bytes(block)
        lowered = text.lower()
        seen = _pairs_seen(lowered)
        hits: Hits = ([], [], [], [])
        for pattern, expression, stems in self._patterns:
            possible = [stem for stem, pairs in stems if seen[pairs].all()]
            ends = _at_stems if pattern.stem_first else _in_lines
            hits[pattern.sought].extend(ends(text, lowered, expression, possible))
        for found in hits:
            found.sort()
        return hits


def _with_pairs(stem: bytes) -> tuple[bytes, npt.NDArray[np.uint16]]:
    return stem, np.frombuffer(b"".join(stem[at : at + 2] for at in range(len(stem) - 1)), dtype=np.uint16)


def _pairs_seen(text: bytes) -> npt.NDArray[np.bool_]:
    """Mark each pair of bytes that stands side by side: most stems have one that a block has not."""
    seen = np.zeros(65536, dtype=bool)
    for offset in (0, 1):
        seen[np.frombuffer(text, dtype=np.uint16, offset=offset, count=(len(text) - offset) // 2)] = True
    return seen


def _at_stems(text: bytes, lowered: bytes, expression: re.Pattern[bytes], stems: list[bytes]) -> Iterator[int]:
    """Give a byte in every line in which a match begins with a stem.

    A line with the stem many times and no match is given, too: it may be found too much, and must not cost too much.
    """
    for stem in stems:
        at, end, tried_count = lowered.find(stem), 0, 0
        while at >= 0:
            if at >= end:
                end, tried_count = lowered.find(b"\n", at) + 1 or len(text), 0
            tried_count += 1
            found = tried_count > TRIES_COUNT or expression.match(text, at, end) is not None
            if found:
                yield at - 1
            at = lowered.find(stem, end - 1 if found else at + 1)


def _in_lines(text: bytes, lowered: bytes, expression: re.Pattern[bytes], stems: list[bytes]) -> Iterator[int]:
    """Give the last byte of every line with a stem that has a match; each line is searched once."""
    lines: dict[int, int] = {}
    for stem in stems:
        at = lowered.find(stem)
        while at >= 0:
            inside = at + (stem[:1] == b"\n")
            end = lowered.find(b"\n", inside) + 1 or len(text)
            lines[end] = lowered.rfind(b"\n", 0, inside) + 1
            at = lowered.find(stem, end - 1)
    return (end - 2 for end, start in lines.items() if expression.search(text, start, end))


def best_engine(kept_in: Path | None = None) -> Engine:
    """Give this thread's engine, the fastest that runs here; `kept_in` keeps what it compiled for the next process.

    Errors: none; a hyperscan that does not load on this processor gives way to `re`.
    """
    engine: Engine | None = getattr(_OWN, "engine", None)
    if engine is None:
        try:
            # Several threads that compile at once hold each other up, and whoever waits for an answer besides.
            with _COMPILING:
                engine = HyperscanEngine(kept_in=kept_in)
        except _CANNOT_RUN:
            engine = RegexEngine()
        _OWN.engine = engine
    return engine


def _database(patterns: tuple[Pattern, ...]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern.for_hyperscan.encode() for pattern in patterns],
        ids=[int(pattern.sought) for pattern in patterns],
        elements=len(patterns),
        flags=[_hyperscan_flags(pattern) for pattern in patterns],
    )
    return database


def _kept_database(patterns: tuple[Pattern, ...], folder: Path) -> Any:
    """Load what was compiled before, in 0.1 ms for 130 ms; it is bound to the patterns and the machine."""
    name = hashlib.sha256(
        repr((patterns, version("hyperscan"), platform.machine(), sys.version_info[:2])).encode()
    ).hexdigest()[:16]
    file = folder / f"log-patterns-{name}.hyperscan"
    try:
        database = hyperscan.loadb(read_regular(file, DATABASE_LIMIT_BYTES), mode=hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except _CANNOT_LOAD:
        database = _database(patterns)
        _keep(file, bytes(hyperscan.dumpb(database)))
    return database


def _keep(file: Path, content: bytes) -> None:
    """Keep the compiled patterns; without a place to write they are compiled again next time."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    with contextlib.suppress(OSError):
        private_folder(file.parent)
        with open_private(fresh, "wb") as kept:
            kept.write(content)
        fresh.replace(file)


def _hyperscan_flags(pattern: Pattern) -> int:
    return int(hyperscan.HS_FLAG_MULTILINE) | (int(hyperscan.HS_FLAG_CASELESS) if pattern.caseless else 0)


def _compiled(pattern: Pattern) -> re.Pattern[bytes]:
    return re.compile(pattern.expression.encode(), re.MULTILINE | (re.IGNORECASE if pattern.caseless else 0))
