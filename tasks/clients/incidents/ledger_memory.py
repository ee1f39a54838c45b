"""What is remembered of a ledger, in the state directory: what it was, and the fold of its older part.

A ledger that is shorter than it was, gone, or begins otherwise has lost budgets, half-done actions and maintenance
windows: it is unreadable until a person accepts it (`runbook rearm`). Whoever writes here holds the ledger's lock.
That a file still begins as it did is proven by a chain of hashes over its blocks, which an append extends in no time.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import orjson
from pydantic import ValidationError

from tasks.clients.files.atomic import read_whole, write_whole
from tasks.clients.files.regular_file import open_regular
from tasks.clients.incidents.ledger_spool import memory_folder
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.incidents.ledger_file import FoldSnapshot, LedgerPlace, Memory, Prefix, Stamp

MEMORY, SNAPSHOT = "memory.json", "fold.json"
# Ten thousand incidents of a month, each with an action, take 20 MB; without their fold each run reads all their lines.
FOLD_LIMIT_BYTES = 512 * 1_048_576
CURE = "bring it back, or accept it as it is now: `runbook rearm --accept-ledger --reason …`"


def recall(place: LedgerPlace) -> Memory | None:
    """Say what a ledger was; None where it was never read.

    Errors: `LEDGER_UNREADABLE` when that cannot be known any more.
    """
    folder = memory_folder(place)
    if folder is None:
        return None
    try:
        content = read_whole(folder / MEMORY)
        return Memory.model_validate_json(content) if content is not None else None
    except (CannotObserve, ValidationError):
        raise _lost(place, "expected to know what the ledger was", f"was a damaged memory={folder / MEMORY}") from None


def remember(place: LedgerPlace, memory: Memory, *, durable: bool = True) -> None:
    """Note what a ledger is now.

    Errors: `SINK_UNWRITABLE`.
    """
    if folder := memory_folder(place):
        write_whole(folder / MEMORY, memory.model_dump_json().encode(), durable=durable)


def forget(place: LedgerPlace) -> None:
    """Forget what a ledger was, since a person accepts it as it is.

    Errors: `OSError`.
    """
    if folder := memory_folder(place):
        for name in (MEMORY, SNAPSHOT):
            (folder / name).unlink(missing_ok=True)


def keep_fold(place: LedgerPlace, snapshot: FoldSnapshot) -> None:
    """Keep the fold of a ledger's older part, under a checksum.

    Errors: `SINK_UNWRITABLE`.
    """
    if folder := memory_folder(place):
        table = snapshot.model_dump(mode="json")
        lines = [one.line for one in snapshot.fold.records]
        table["fold"]["records"] = [
            {**record, "line": line} for record, line in zip(table["fold"]["records"], lines, strict=True)
        ]
        content = orjson.dumps(table)
        write_whole(folder / SNAPSHOT, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def kept_fold(place: LedgerPlace, wanted: Prefix | None) -> FoldSnapshot | None:
    """Find the fold of exactly these lines; None where there is none, or it is damaged: the file says it all again."""
    folder = memory_folder(place)
    if folder is None or wanted is None:
        return None
    try:
        checksum, _, content = (read_whole(folder / SNAPSHOT, FOLD_LIMIT_BYTES) or b"").partition(b"\n")
        snapshot = FoldSnapshot.model_validate_json(content)
    except (RunbookError, ValidationError):
        return None
    is_whole = hashlib.sha256(content).hexdigest().encode() == checksum
    return snapshot if is_whole and snapshot.prefix == wanted else None


@contextmanager
def opened(place: LedgerPlace, memory: Memory | None) -> Iterator[BinaryIO | None]:
    """Open a ledger; None where there is none and never was one.

    Errors: `LEDGER_UNREADABLE` when it is gone; `OSError` when it is there and cannot be read, or is no regular file.
    """
    try:
        found = BufferedReader(open_regular(place.path))
    except FileNotFoundError:
        if memory is not None and memory.prefix.size_bytes:
            raise lost(place, memory, "gone") from None
        yield None
        return
    with found as file:
        yield file


def prove(place: LedgerPlace, memory: Memory, file: BinaryIO) -> None:
    """Hold a ledger against what it was; where nobody wrote since, it is what it was.

    Errors: `LEDGER_UNREADABLE`, `OSError`.
    """
    stamp, was = stamp_of(file), memory.prefix
    if stamp == memory.stamp:
        return
    if stamp.size_bytes < was.size_bytes:
        raise lost(place, memory, f"one of {stamp.size_bytes} bytes")
    if not is_still(file, was, *([memory.snapshot] if memory.snapshot else [])):
        raise lost(place, memory, "another, or altered within them")


def lost(place: LedgerPlace, memory: Memory, found: str) -> CannotObserve:
    was = memory.prefix
    expected = f"expected the ledger of {was.line_count} lines, {was.size_bytes} bytes, that was read before"
    return _lost(place, expected, f"was {found}")


def _lost(place: LedgerPlace, expected: str, found: str) -> CannotObserve:
    detail = f"{expected} {found} path={place.path}; its budgets and half-done actions are not known: {CURE}"
    return CannotObserve(Code.LEDGER_UNREADABLE, detail)


BLOCK_BYTES = 65_536


def extended(file: BinaryIO, prefix: Prefix, size_bytes: int) -> Prefix:
    """Extend a proven prefix; only what lies beyond its last whole block is read.

    Errors: `OSError`.
    """
    file.seek(prefix.chained_bytes)
    chain, at, lines = prefix.chain, prefix.chained_bytes, prefix.line_count
    while True:
        block = file.read(min(BLOCK_BYTES, size_bytes - at))
        lines += block[max(0, prefix.size_bytes - at) :].count(b"\n")
        if len(block) < BLOCK_BYTES:
            digest = hashlib.sha256(f"{chain} rest ".encode() + block).hexdigest()
            return Prefix(size_bytes=at + len(block), line_count=lines, chained_bytes=at, chain=chain, digest=digest)
        chain, at = hashlib.sha256(chain.encode() + block).hexdigest(), at + BLOCK_BYTES


def is_still(file: BinaryIO, *known: Prefix) -> bool:
    """Say whether a file still begins with each of some prefixes; it is read once.

    Errors: `OSError`.
    """
    proven = Prefix()
    for one in sorted(known, key=lambda prefix: prefix.size_bytes):
        proven = extended(file, proven, one.size_bytes)
        if proven != one:
            return False
    return True


def is_still_at(path: Path, known: Prefix) -> bool:
    """Say whether the file at a path still begins with a prefix.

    Errors: `OSError`.
    """
    with BufferedReader(open_regular(path)) as file:
        return is_still(file, known)


def stamp_of(file: BinaryIO) -> Stamp:
    """Read what the file system says of an open file.

    Errors: `OSError`.
    """
    return _stamp(os.fstat(file.fileno()))


def stamp_at(path: Path) -> Stamp | None:
    """Read what the file system says of a file; None where there is none.

    Errors: `OSError`.
    """
    try:
        return _stamp(path.stat())
    except FileNotFoundError:
        return None


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(
        device=found.st_dev,
        inode=found.st_ino,
        size_bytes=found.st_size,
        modified_ns=found.st_mtime_ns,
        changed_ns=found.st_ctime_ns,
    )
