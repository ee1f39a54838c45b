"""Prove that a file still begins as it did: a chain of hashes over its blocks, which an append extends in no time."""

import hashlib
import os
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from tasks.clients.regular_file import open_regular
from tasks.model.ledger_file import Prefix, Stamp

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
