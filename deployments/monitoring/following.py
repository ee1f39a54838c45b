"""Follow a file of lines: what it gained since the last time, across rotation, truncation and replacement."""

import errno
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 4 * 1_048_576
HEAD_BYTES = 512


class Follower:
    """Give each whole line of a growing file once, in pieces that fit into memory.

    `replaced_count` counts how often another file stood in its place; who folds the whole file restarts then. With
    `rotated`, the rest of the old file is read there first, and nothing is lost.
    Errors: `OSError` when the file is there and cannot be read; a missing one has no lines.
    """

    def __init__(self, path: Path, *, rotated: Path | None = None) -> None:
        self._path = path
        self._rotated = rotated
        self._offset = 0
        self._head = b""
        self.replaced_count = 0

    def skip(self) -> None:
        """Leave out what is there already."""
        for _ in self.new_lines():
            pass

    def new_lines(self) -> Iterator[bytes]:
        """Read on to the end of the last whole line; the caller reads all of it."""
        try:
            file = _open_file(self._path)
        except FileNotFoundError:
            return
        with file:
            if not self._is_the_same(file):
                yield from self._rest_of_the_old()
                self._offset, self._head, self.replaced_count = 0, b"", self.replaced_count + 1
            yield from self._read_on(file)

    def _is_the_same(self, file: BinaryIO) -> bool:
        # By content: a file system hands the number of a removed file to the next one.
        return file.seek(0, 2) >= self._offset and file.seek(0) == 0 and file.read(len(self._head)) == self._head

    def _rest_of_the_old(self) -> Iterator[bytes]:
        if self._rotated is None:
            return
        try:
            file = _open_file(self._rotated)
        except FileNotFoundError:
            return
        with file:
            if self._is_the_same(file):
                yield from self._read_on(file)

    def _read_on(self, file: BinaryIO) -> Iterator[bytes]:
        while True:
            file.seek(self._offset)
            data = file.read(CHUNK_BYTES)
            whole = data.rfind(b"\n") + 1
            if not whole:
                if len(data) < CHUNK_BYTES:
                    return
                # A line of this length is no record; it is given in pieces, which are counted as unreadable.
                whole = len(data)
            if self._offset < HEAD_BYTES:
                self._head = (self._head + data[:whole])[:HEAD_BYTES]
            self._offset += whole
            yield data[:whole]


def _open_file(path: Path) -> BinaryIO:
    # A pipe would block for ever, and a device never ends.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return path.open("rb")
