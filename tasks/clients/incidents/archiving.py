"""Move old lines of a ledger into the archive beside it; whoever is killed in between loses none and doubles none.

The order service opens the ledger again for each line, under the same lock, so it goes on in the file that takes the
ledger's place. Whoever calls here holds that lock.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import NamedTuple

from tasks.clients.files.regular_file import open_regular, regular_descriptor
from tasks.clients.incidents.ledger_memory import SNAPSHOT, extended, is_still, lost, opened, remember
from tasks.clients.incidents.ledger_spool import memory_folder
from tasks.model.incidents.ledger_file import Archiving, LedgerPlace, Memory, Prefix
from tasks.rules.incidents.ledger_fold import archived_lines
from tasks.rules.incidents.parse import parse_lines

# A smaller ledger is read in no time.
ARCHIVE_OVER_BYTES = 1_048_576
TIDY_EVERY = timedelta(hours=1)
# What is archived must be worth the rewriting: one part in so many of the file.
WORTH_A_PART = 8
LARGE_BYTES = 16 * 1_048_576
KEPT_OF_A_LARGE_ONE = timedelta(days=2)


def archive_path(path: Path) -> Path:
    """Name the archive of a ledger."""
    target = Path(os.path.realpath(path))
    return target.with_name(f"{target.stem}.archive{target.suffix}")


def is_due(memory: Memory | None, now: datetime) -> bool:
    """Say whether a ledger is so large, and the last time so long ago, that archiving is worth a check."""
    if memory is None or memory.prefix.size_bytes < ARCHIVE_OVER_BYTES:
        return False
    return memory.tidied_at is None or not timedelta(0) <= now - memory.tidied_at < TIDY_EVERY


class Choice(NamedTuple):
    """The lines that may go, by their numbers, of a ledger that began like this; and the incidents they are of."""

    prefix: Prefix
    lines: frozenset[int]
    incidents: frozenset[str]


def chosen(place: LedgerPlace, memory: Memory, keep_for: timedelta, now: datetime) -> Choice:
    """Choose what is older than `keep_for`; of a large ledger, what is older than two days. It takes no lock.

    Errors: `OSError`.
    """
    keep_for = min(keep_for, KEPT_OF_A_LARGE_ONE) if memory.prefix.size_bytes > LARGE_BYTES else keep_for
    with BufferedReader(open_regular(place.path)) as file:
        records = parse_lines(file.read(memory.prefix.size_bytes)).records
    old = archived_lines(records, memory.prefix.line_count, now - keep_for, now)
    return Choice(memory.prefix, old, frozenset(one.incident_id or "" for one in records if one.line in old))


def archive_chosen(place: LedgerPlace, memory: Memory, choice: Choice, now: datetime) -> int:
    """Move what was chosen, where it is worth it and nothing came to these incidents since; say how many lines moved.

    Errors: `OSError`, `SINK_UNWRITABLE`. The ledger was proven under the lock that the caller holds.
    """
    with open_regular(place.path) as file:
        content = file.readall()
    whole = choice.prefix.size_bytes
    since = parse_lines(content[whole:]).records
    lines = BytesIO(content[:whole]).readlines()
    moved = [line for number, line in enumerate(lines, start=1) if number in choice.lines]
    seen = memory.model_copy(update={"tidied_at": now})
    came_back = any(one.incident_id in choice.incidents for one in since if one.incident_id)
    if came_back or not moved or sum(map(len, moved)) * WORTH_A_PART < len(content):
        remember(place, seen)
        return 0
    stay = b"".join(line for number, line in enumerate(lines, start=1) if number not in choice.lines)
    return len(moved) if move_lines(place, seen, moved, stay + content[whole:]) is not None else 0


def move_lines(place: LedgerPlace, memory: Memory, moved: Sequence[bytes], kept: bytes) -> Memory | None:
    """Move lines into the archive, and let what is kept take the ledger's place; None where that may not be done.

    Errors: `OSError`, `SINK_UNWRITABLE`; then everything is as it was, or is put right by the next one (`settle`).
    Steps: 1. write what is kept beside the ledger 2. note what is about to happen 3. append to the archive
    4. let what is kept take the ledger's place 5. note that it did
    """
    archive, staged = archive_path(place.path), _staged(place.path)
    following = _stage(place.path, staged, kept)
    if following is None:
        return None
    size = archive.stat().st_size if archive.exists() else 0
    remember(place, memory.model_copy(update={"archiving": Archiving(archive_bytes=size, next=following)}))
    _append(archive, b"".join(moved), like=staged)
    staged.replace(os.path.realpath(place.path))
    _sync_folder(archive.parent)
    return _committed(place, memory, following)


def settle(place: LedgerPlace, memory: Memory | None) -> Memory | None:
    """Put right what a killed archiver left: where the ledger is whole, the archive becomes what it was before.

    Errors: `LEDGER_UNREADABLE` when the ledger is neither, `OSError`.
    """
    if memory is None or memory.archiving is None:
        return memory
    with opened(place, memory) as file:
        if file is not None and is_still(file, memory.prefix):
            return _undone(place, memory, memory.archiving)
        if file is not None and is_still(file, memory.archiving.next):
            return _committed(place, memory, memory.archiving.next)
    raise lost(place, memory, "another")


def _undone(place: LedgerPlace, memory: Memory, archiving: Archiving) -> Memory:
    archive = archive_path(place.path)
    if archive.exists() and archive.stat().st_size > archiving.archive_bytes:
        os.truncate(archive, archiving.archive_bytes)
    _staged(place.path).unlink(missing_ok=True)
    settled = memory.model_copy(update={"archiving": None, "stamp": None})
    remember(place, settled)
    return settled


def _committed(place: LedgerPlace, memory: Memory, following: Prefix) -> Memory:
    settled = memory.model_copy(update={"prefix": following, "archiving": None, "stamp": None, "snapshot": None})
    remember(place, settled)
    if folder := memory_folder(place):
        (folder / SNAPSHOT).unlink(missing_ok=True)
    return settled


def _staged(path: Path) -> Path:
    target = Path(os.path.realpath(path))
    return target.with_name(f".{target.name}.kept")


def _stage(path: Path, staged: Path, kept: bytes) -> Prefix | None:
    """Write what is kept, as the ledger's owner has it; None where it cannot be made the same."""
    found = path.stat()
    # Another name of the same file would go on in the old one.
    if found.st_nlink > 1:
        return None
    staged.unlink(missing_ok=True)
    with staged.open("wb") as file:
        file.write(kept)
        file.flush()
        try:
            os.fchmod(file.fileno(), found.st_mode & 0o7777)
            os.fchown(file.fileno(), found.st_uid, found.st_gid)
        except PermissionError:
            staged.unlink(missing_ok=True)
            return None
        os.fsync(file.fileno())
    with BufferedReader(open_regular(staged)) as file:
        return extended(file, Prefix(), kept.rfind(b"\n") + 1)


def _append(archive: Path, text: bytes, *, like: Path) -> None:
    found = like.stat()
    descriptor = regular_descriptor(archive, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fchmod(descriptor, found.st_mode & 0o7777)
        with suppress(PermissionError):
            os.fchown(descriptor, found.st_uid, found.st_gid)
        view = memoryview(text)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
