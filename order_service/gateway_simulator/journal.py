"""The venue's memory on disk: one JSON line an event, appended, so that a killed gateway still knows its orders."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson


class Journal:
    """Append events to a file and read them back.

    Errors: OSError when the file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.skipped_count = 0
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Open for appending; a torn last line was never answered for, so it is cut off."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: what is written is with the kernel, and outlives a kill of this process.
        self._file = self._path.open("ab", buffering=0)
        self._file.truncate(_whole_lines_bytes(self._path))

    def append(self, event: Mapping[str, Any]) -> None:
        """Write one event."""
        if self._file is None:
            raise OSError("JOURNAL_CLOSED: expected an open journal, was closed; call open first")
        self._file.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))

    def read(self) -> Iterator[dict[str, Any]]:
        """Read all events; a line that is no JSON object is counted and left out."""
        if not self._path.exists():
            return
        with self._path.open("rb") as lines:
            for line in lines:
                event = _parse(line)
                if event is None:
                    self.skipped_count += 1
                else:
                    yield event

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _whole_lines_bytes(path: Path, step_bytes: int = 65_536) -> int:
    """Give the length of the file up to its last line end."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        while end > 0:
            start = max(0, end - step_bytes)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0
