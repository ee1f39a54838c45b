"""Open a file only where it is a regular one: a FIFO, a socket or a device would hold us up for ever."""

import errno
import os
import stat
from io import FileIO
from pathlib import Path

NEVER_WAIT = 0
for _flag in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
    NEVER_WAIT |= getattr(os, _flag, 0)


def open_regular(path: Path) -> FileIO:
    """Open a file for reading, without a buffer and without ever waiting for somebody at the other end.

    Errors: `OSError` as `open` raises it, and `EINVAL` where the path leads to anything but a regular file.
    """
    return FileIO(regular_descriptor(path, os.O_RDONLY), "rb")


def regular_descriptor(path: Path | str, flags: int, mode: int = 0o600) -> int:
    """Open a file as `os.open` does, and never wait; `mode` is that of a file that is made.

    Errors: `OSError`, `EINVAL` where the path leads to anything but a regular file, or can lead nowhere.
    """
    try:
        descriptor = os.open(path, flags | NEVER_WAIT, mode)
    except ValueError as error:
        # A NUL, or half a character.
        raise OSError(errno.EINVAL, str(error), str(path)) from None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
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


def read_tail(path: Path, limit_bytes: int) -> tuple[bytes, bool]:
    """Read the last bytes of a regular file, and say whether something stands before them.

    Errors: `OSError` as in `open_regular`.
    """
    with open_regular(path) as file:
        start = max(0, file.seek(0, os.SEEK_END) - limit_bytes)
        file.seek(start)
        return file.read(limit_bytes), start > 0
