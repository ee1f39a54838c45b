"""Lock a file by a file beside it, which only its owner can hold; whoever waits too long learns who does."""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

# Whoever may open a lock file may hold it: only its owner may.
LOCK_MODE = 0o600
KERNEL_LOCKS = Path("/proc/locks")


class LockHeld(TimeoutError):
    """Somebody else held a lock for the whole time; `strerror` says who, where that is known."""


@contextmanager
def file_locked(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock of a file: `PATH.lock`, taken by both sides with `flock`.

    Errors: `LockHeld`, an `OSError`, when it is not free in time; `OSError` when the lock file cannot be written.
    """
    place = Path(f"{path}.lock")
    _make_private(place)
    lock = FileLock(place, timeout=timeout_s, mode=LOCK_MODE)
    try:
        lock.acquire()
    except Timeout:
        detail = f"locked for {timeout_s:g} s by {holder_of_lock(place)}"
        raise LockHeld(errno.EWOULDBLOCK, detail) from None
    try:
        yield
    finally:
        lock.release()


def holder_of_lock(place: Path) -> str:
    """Name the process that holds a lock file, as far as the kernel tells."""
    with suppress(OSError, ValueError):
        inode = place.stat().st_ino
        for line in KERNEL_LOCKS.read_text("utf-8").splitlines():
            words = line.split()
            # 1: FLOCK  ADVISORY  WRITE 2077 fd:01:131 0 EOF; a line with "->" waits for the one above it.
            if len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
                return _process(int(words[4]))
    return "a process that the kernel does not name"


def _process(pid: int) -> str:
    import psutil  # noqa: PLC0415 - a command that only reads a ledger has no use for it

    try:
        process = psutil.Process(pid)
        return f"pid {pid} ({process.name()}, user {process.username()})"
    except (psutil.Error, ValueError):
        return f"pid {pid}"


def _make_private(place: Path) -> None:
    # One of an earlier version is open to all; a lock that somebody holds can still be closed to the next one.
    with suppress(OSError):
        mode = place.lstat().st_mode
        if stat.S_ISREG(mode) and stat.S_IMODE(mode) != LOCK_MODE:
            place.chmod(LOCK_MODE)
