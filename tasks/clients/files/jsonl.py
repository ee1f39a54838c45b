"""Append to a JSON-lines file: one fsynced write; a torn last line is repaired by the next append."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

LOCK_TIMEOUT_S = 5.0


def write_lines(path: Path, text: bytes) -> None:
    """Write whole lines at the end of the file; the caller holds the lock. It costs the same whatever the file's size.

    Errors: `OSError`, also for a short write; what was written of it is taken back, so that it can be written again.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o640)
    try:
        found = os.fstat(descriptor)
        # What goes into a pipe is gone when its reader is.
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISCHR(found.st_mode)):
            raise OSError(errno.EINVAL, "not a regular file")
        _write(descriptor, found.st_size, text)
    finally:
        os.close(descriptor)


def _write(descriptor: int, size_bytes: int, text: bytes) -> None:
    if size_bytes:
        os.lseek(descriptor, size_bytes - 1, os.SEEK_SET)
        text = text if os.read(descriptor, 1) == b"\n" else b"\n" + text
    try:
        written_bytes = os.write(descriptor, text)
        os.fsync(descriptor)
    except OSError:
        _take_back(descriptor, size_bytes)
        raise
    if written_bytes != len(text):
        _take_back(descriptor, size_bytes)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _take_back(descriptor: int, size_bytes: int) -> None:
    with suppress(OSError):
        os.ftruncate(descriptor, size_bytes)
