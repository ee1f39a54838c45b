"""Open a foreign file only where it is a regular one: a FIFO, a socket or a device would hold us up for ever."""

import errno
import os
import stat
from io import FileIO
from pathlib import Path


def open_regular(path: Path) -> FileIO:
    """Open a file for reading, without a buffer and without ever waiting for somebody at the other end.

    Errors: `OSError` as `open` raises it, and `EINVAL` where the path leads to anything but a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return FileIO(descriptor, "rb")
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file", str(path))


def read_regular(path: Path, limit_bytes: int) -> bytes:
    """Read a regular file up to a bound; what is larger is cut there.

    Errors: `OSError` as in `open_regular`.
    """
    parts: list[bytes] = []
    left = limit_bytes
    with open_regular(path) as file:
        while left > 0 and (part := file.read(left)):
            parts.append(part)
            left -= len(part)
    return b"".join(parts)
