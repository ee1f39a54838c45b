"""Append to a JSON-lines file: one locked, fsynced write; a torn last line is healed by the next append."""

import errno
import os
from pathlib import Path

from filelock import FileLock

LOCK_TIMEOUT_S = 5.0


def append_line(path: Path, line: bytes) -> None:
    """Append one line under the file's own lock.

    Errors: `OSError` when the disk is full or the file may not be written; `filelock.Timeout` is one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S):
        write_lines(path, line + b"\n")


def write_lines(path: Path, text: bytes) -> None:
    """Write whole lines at the end of the file; the caller holds the lock.

    Errors: `OSError`, also for a short write.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o640)
    try:
        size_bytes = os.fstat(descriptor).st_size
        if size_bytes:
            os.lseek(descriptor, size_bytes - 1, os.SEEK_SET)
            text = text if os.read(descriptor, 1) == b"\n" else b"\n" + text
        if os.write(descriptor, text) != len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
