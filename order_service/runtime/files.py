"""The two ways in which this side writes files: as a whole, or one line more. A crash leaves neither half done."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

PRIVATE_MODE = 0o600
LOCK_WAIT_S = 5.0
_NEW_FILE_MODE = 0o644
_OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def write_atomically(path: Path, content: bytes, mode: int | None = None) -> None:
    """Replace a file as a whole: readers see the old bytes or the new ones, also after a crash.

    Its folder is made if it is gone. Without a mode it keeps its permissions, since others read it too.
    Errors: OSError; the old file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode is None:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else _NEW_FILE_MODE
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def append_line(path: Path, line: bytes) -> None:
    """Append one line to a file that others write too, and move aside under the same lock: it is opened each time.

    A line that a crash tore is closed first, so that it costs itself alone.
    Errors: OSError, and filelock.Timeout, which is one; what was written of the line is then taken back, so that it
    can be tried again.
    """
    from filelock import FileLock  # noqa: PLC0415 - reading and running a release do without it

    path.parent.mkdir(parents=True, exist_ok=True)
    # Whoever may open a lock file may hold it: only its owner may.
    with FileLock(f"{path}.lock", timeout=LOCK_WAIT_S, mode=PRIVATE_MODE):
        handle = os.open(path, _OPEN_FLAGS, _NEW_FILE_MODE)
        try:
            _append(handle, line + b"\n")
        finally:
            os.close(handle)


def _append(handle: int, line: bytes) -> None:
    found = os.fstat(handle)
    # What goes into a pipe is gone when its reader is.
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    whole = _closing_newline(handle, found.st_size) + line
    try:
        written_bytes = os.write(handle, whole)
        os.fsync(handle)
    except OSError:
        _take_back(handle, found.st_size)
        raise
    if written_bytes != len(whole):
        _take_back(handle, found.st_size)
        raise OSError(errno.ENOSPC, "short write")


def _closing_newline(handle: int, size: int) -> bytes:
    if size == 0:
        return b""
    os.lseek(handle, size - 1, os.SEEK_SET)
    return b"" if os.read(handle, 1) == b"\n" else b"\n"


def _take_back(handle: int, size: int) -> None:
    with contextlib.suppress(OSError):
        os.ftruncate(handle, size)
