"""Small files under the state directory that a run and a person may touch at once: whole or not at all."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from filelock import FileLock, Timeout

from tasks.clients.files.file_lock import LOCK_MODE
from tasks.clients.files.regular_file import read_regular, regular_descriptor
from tasks.model.errors import CannotAct, CannotObserve, Code

LOCK_TIMEOUT_S = 10.0
READ_LIMIT_BYTES = 16 * 1_048_576


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; one that is there already stays as a person set it up.

    Errors: `OSError`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_private(path: Path, mode: str) -> IO[bytes]:
    """Open a file for writing bytes; a new one is its owner's alone: evidence holds what services say of themselves.

    Errors: `OSError`, also where something stands there that is no file.
    """
    return cast("IO[bytes]", open(path, mode, opener=_owner_s_alone))


def _owner_s_alone(path: str, flags: int) -> int:
    return regular_descriptor(path, flags)


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all: a reader, and a run after a crash, sees the old one or the new one.

    The caller holds the lock, so that what a killed writer left half done is written over. One that is not `durable`
    outlives its writer, and a loss of power only as the one before it.
    Errors: `SINK_UNWRITABLE`.
    """
    # A person may have linked the file to where it is read; the link stays.
    target = Path(os.path.realpath(path))
    staged = target.with_name(f".{target.name}.new")
    try:
        _refuse_device(target)
        private_folder(target.parent)
        with open_private(staged, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        staged.replace(target)
    except OSError as error:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
        raise unwritable(path, error.strerror or str(error)) from None


def _refuse_device(target: Path) -> None:
    # As root, a link to a device would have the machine's own device replaced by our file.
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = target.lstat().st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise OSError(errno.EINVAL, "a device")


def read_whole(path: Path, limit_bytes: int = READ_LIMIT_BYTES) -> bytes | None:
    """Read a file, or say None where there is none.

    Errors: `FILE_UNREADABLE` when it is there and cannot be read, is no file, or is too large.
    """
    try:
        content = read_regular(path, limit_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from None
    if len(content) > limit_bytes:
        raise unreadable(path, f"more than {limit_bytes} bytes")
    return content


@contextmanager
def one_writer(state_dir: Path, what: str) -> Iterator[None]:
    """Let one run or person at a time write files of one kind.

    Errors: `SINK_UNWRITABLE` when another one writes for too long.
    """
    folder = state_dir / "locks"
    lock = FileLock(folder / f"{what}.writing", timeout=LOCK_TIMEOUT_S, mode=LOCK_MODE)
    try:
        private_folder(folder)
        lock.acquire()
    except Timeout:
        raise unwritable(folder, f"another one writes {what} for {LOCK_TIMEOUT_S:g} s") from None
    except OSError as error:
        raise unwritable(folder, error.strerror or str(error)) from None
    try:
        yield
    finally:
        lock.release()


def unwritable(path: Path, reason: str) -> CannotAct:
    detail = f"expected to write {path}, found {reason}; free the disk or correct its permissions"
    return CannotAct(Code.SINK_UNWRITABLE, detail, retryable=True)


def unreadable(path: Path, reason: str) -> CannotObserve:
    detail = f"expected a readable file, found {reason} path={path}; repair or remove it"
    return CannotObserve(Code.FILE_UNREADABLE, detail)
