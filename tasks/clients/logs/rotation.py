"""Know a log file again after rotation: by its number, its first bytes, and the bytes before the place read to."""

import gzip
import hashlib
import os
import zlib
from io import BufferedReader
from math import inf
from pathlib import Path
from time import monotonic
from typing import IO, cast

from tasks.clients.files.regular_file import open_regular
from tasks.clients.logs.utf16 import SAMPLE_BYTES, Utf16File, utf_16_of
from tasks.model.logs.checkpoint import FileMark

HEAD_BYTES = 1024
TAIL_BYTES = 256
SIBLINGS_LIMIT = 64
# What reading a damaged or cut gzip file raises besides OSError.
BROKEN_ARCHIVE = (OSError, EOFError, zlib.error)
STEP_BYTES = 1_048_576


class OutOfTime(Exception):
    """An archive had to be unpacked further than the time allowed."""


def open_log(path: Path) -> IO[bytes]:
    """Open a log without a buffer of its own; a gzip file by what it holds, and UTF-16 as UTF-8.

    Errors: `OSError` when the file cannot be opened, or is no plain file.
    """
    file = open_regular(path)
    magic = file.read(3)
    file.seek(0)
    opened = cast("IO[bytes]", file)
    if magic == b"\x1f\x8b\x08" and _is_archive(path):
        # A buffer, because small reads of an archive are slow; closing it closes the file.
        opened = cast("IO[bytes]", _Archive(BufferedReader(file)))
    encoding = _encoding_of(opened)
    return cast("IO[bytes]", Utf16File(opened, encoding)) if encoding else opened


def is_unpacked(file: IO[bytes]) -> bool:
    """Say whether a place in the file is only found by reading up to it."""
    return isinstance(cast("object", file), gzip.GzipFile | Utf16File)


def _encoding_of(file: IO[bytes]) -> str | None:
    try:
        encoding = utf_16_of(file.read(SAMPLE_BYTES))
        file.seek(0)
    except BROKEN_ARCHIVE:
        return None
    return encoding


class _Archive(gzip.GzipFile):
    """A packed file that closes what it reads."""

    def __init__(self, packed: BufferedReader) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


def _is_archive(path: Path) -> bool:
    """Say whether at least the beginning of a file can be unpacked; what cannot is read as it is."""
    try:
        with open_regular(path) as packed, gzip.GzipFile(fileobj=packed, mode="rb") as file:
            file.read(1)
    except BROKEN_ARCHIVE:
        return False
    return True


def go_to(file: IO[bytes], offset: int, ends_at: float) -> None:
    """Go to a place in a file. An archive is unpacked up to there, and nobody knows before how long that takes.

    Errors: `OutOfTime`.
    """
    packed = is_unpacked(file)
    if not packed or offset < file.tell():
        file.seek(offset)
    while packed and file.tell() < offset:
        if monotonic() > ends_at:
            raise OutOfTime(f"byte={file.tell()} of the {offset} that were read before")
        if not file.read(min(STEP_BYTES, offset - file.tell())):
            return


def mark_of(file: IO[bytes], read_to: int, ends_at: float = inf) -> FileMark:
    """Take the marks of an open file of which `read_to` bytes were read; the file may have another name by now.

    Errors: `OSError`, what a damaged archive raises, and `OutOfTime`.
    """
    status = os.fstat(file.fileno())
    head = _read_exactly(file, 0, min(HEAD_BYTES, read_to), ends_at)
    tail = _read_exactly(file, max(0, read_to - TAIL_BYTES), min(TAIL_BYTES, read_to), ends_at)
    return FileMark(
        device=status.st_dev,
        inode=status.st_ino,
        head_bytes=len(head),
        head_hash=_digest(head),
        tail_bytes=len(tail),
        tail_hash=_digest(tail),
        written_ns=status.st_mtime_ns,
        read_to=read_to,
    )


def is_same_content(path: Path, mark: FileMark, ends_at: float = inf) -> bool:
    """Say whether the file holds, up to the place read to, what was read then; an unreadable file does not.

    Errors: `OutOfTime` where it is an archive whose end is far.
    """
    try:
        with open_log(path) as file:
            if _digest(_read_exactly(file, 0, mark.head_bytes, ends_at)) != mark.head_hash:
                return False
            tail = _read_exactly(file, mark.read_to - mark.tail_bytes, mark.tail_bytes, ends_at)
    except BROKEN_ARCHIVE:
        return False
    return len(tail) == mark.tail_bytes and _digest(tail) == mark.tail_hash


def is_same_file(path: Path, mark: FileMark) -> bool:
    """Say whether the file has the number it had then; always true where files have none."""
    status = path.stat()
    return (status.st_ino, status.st_dev) == (mark.inode, mark.device)


def files_since(
    path: Path, mark: FileMark, finished: tuple[FileMark, ...], ends_at: float = inf
) -> list[tuple[Path, bool]] | None:
    """List the rotated files to be read before the log itself, oldest first; true marks the one that was begun.

    Errors: `OutOfTime` where archives must be unpacked that take too long.
    None when the file that was begun is not to be found: what stood in it after the place read to is lost to us.
    Steps: 1. list the siblings by age. 2. find the one begun, by content. 3. those written later were never read.
    """
    siblings = [
        each for each in _siblings(path, mark) if not any(is_same_content(each, done, ends_at) for done in finished)
    ]
    by_number = [index for index, each in enumerate(siblings) if is_same_file(each, mark)]
    begun = next(
        (index for index in (*by_number, *range(len(siblings))) if is_same_content(siblings[index], mark, ends_at)),
        None,
    )
    if begun is None:
        return None
    return [(siblings[begun], True), *((each, False) for each in siblings[begun + 1 :])]


def _siblings(path: Path, mark: FileMark) -> list[Path]:
    """List the older files of this log, oldest first; a packed file gives way to its plain one."""
    stem = path.name.removesuffix(path.suffix) if path.suffix else path.name
    found: list[tuple[int, str, Path]] = []
    with os.scandir(path.parent) as entries:
        for entry in entries:
            if (
                entry.name == path.name
                or not entry.name.startswith((path.name, f"{stem}-", f"{stem}."))
                or not entry.is_file()
            ):
                continue
            if (
                _is_rotated_name(entry.name, path)
                and (written := entry.stat().st_mtime_ns) >= mark.written_ns - 1_000_000_000
            ):
                found.append((written, entry.name, Path(entry.path)))
    plain = {name for _, name, _ in found}
    # Files of one age are ordered by their number: log.2 is older than log.1.
    ordered = sorted((each for each in found if each[1].removesuffix(".gz") not in plain - {each[1]}), key=_age)
    return [each for _, _, each in ordered][-SIBLINGS_LIMIT:]


def _is_rotated_name(name: str, path: Path) -> bool:
    bare = name.removesuffix(".gz")
    rest = (
        bare.removeprefix(path.name)
        if bare.startswith(path.name)
        else bare.removesuffix(path.suffix).removeprefix(path.name.removesuffix(path.suffix))
    )
    return any(letter.isdigit() for letter in rest) or rest in (".old", ".bak", "")


def _age(entry: tuple[int, str, Path]) -> tuple[int, int]:
    digits = "".join(letter for letter in entry[1].removesuffix(".gz").rpartition(".")[2] if letter.isdigit())
    return entry[0], -int(digits) if digits and len(digits) < 5 else 0


def _read_exactly(file: IO[bytes], offset: int, count: int, ends_at: float) -> bytes:
    go_to(file, max(0, offset), ends_at)
    parts: list[bytes] = []
    while count > 0 and (part := file.read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
