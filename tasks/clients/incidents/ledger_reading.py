"""Read a ledger on from where it was read before: the fold of its older part lies beside the state.

What was read is proven first: a ledger that is not what it was is unreadable (`ledger_memory`).
"""

import errno
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from tasks.clients.files.file_lock import file_locked
from tasks.clients.incidents.archiving import settle
from tasks.clients.incidents.ledger_memory import (
    extended,
    forget,
    keep_fold,
    kept_fold,
    lost,
    opened,
    prove,
    recall,
    remember,
    stamp_at,
    stamp_of,
)
from tasks.model.errors import CannotObserve, RunbookError
from tasks.model.incidents.incident import Ledger
from tasks.model.incidents.ledger_file import FoldSnapshot, LedgerPlace, Memory, Prefix, Stamp
from tasks.rules.incidents.ledger_fold import folded
from tasks.rules.incidents.parse import parse_lines

CHUNK_BYTES = 8 * 1_048_576
LINE_LIMIT_BYTES = 64 * 1_048_576
# So many lines are read again at the start of a run; what is older is folded.
FOLD_OVER_COUNT = 2500
LOCK_TIMEOUT_S = 5.0
KNOWN_LIMIT_COUNT = 1000


class KnownLedger(NamedTuple):
    """What this process read: `noted` is the memory on the disk that it began from, `memory` what is known since.

    `saved_count` are the lines in the fold that was kept.
    """

    noted: Memory | None
    memory: Memory
    ledger: Ledger
    saved_count: int = 0


_known: dict[LedgerPlace, KnownLedger] = {}


def read_remembered(place: LedgerPlace, *, locked: bool = False, patience_s: float = LOCK_TIMEOUT_S) -> Ledger:
    """Read what is new, and give the whole ledger: its fold, and the records since.

    Errors: `LEDGER_UNREADABLE` when it is not what it was, `OSError` when it cannot be read. Before it is called lost,
    it is read once more under its lock: it may just have been archived.
    """
    noted = recall(place)
    if noted is None or noted.archiving is None:
        try:
            return _read(place, noted, locked=locked)
        except CannotObserve:
            if locked:
                raise
    with ExitStack() as stack:
        if not locked:
            stack.enter_context(file_locked(place.path, patience_s))
        settle(place, recall(place))
        return _read(place, recall(place), locked=True)


def accept(place: LedgerPlace) -> str:
    """Take a ledger as it is from now on; say what is wrong with it, or nothing. The caller holds the lock.

    Errors: `OSError`.
    """
    try:
        read_remembered(place, locked=True)
    except CannotObserve as error:
        forget(place)
        _known.pop(place, None)
        return error.detail
    return ""


def stamp_before(place: LedgerPlace) -> Stamp | None:
    """See before an append whether the ledger can be what it was, without reading it; the caller holds the lock.

    Errors: `LEDGER_UNREADABLE`, `OSError`.
    """
    noted = recall(place)
    memory = _memory(place, noted)
    if noted is not None and noted.archiving is not None:
        memory = settle(place, noted)
    stamp = stamp_at(place.path)
    if memory is None or not memory.prefix.size_bytes or memory.stamp == stamp:
        return stamp
    if stamp is None or stamp.size_bytes < memory.prefix.size_bytes:
        raise lost(place, memory, "gone" if stamp is None else f"one of {stamp.size_bytes} bytes")
    if memory.stamp is None or (stamp.device, stamp.inode) != (memory.stamp.device, memory.stamp.inode):
        with opened(place, memory) as file:
            if file is not None:
                prove(place, memory, file)
    return stamp


def note_append(place: LedgerPlace, before: Stamp | None) -> None:
    """Take an append of our own for known: only what it wrote is read. The caller holds the lock.

    Errors: none; what cannot be taken for known is proven by the next read.
    """
    known = _known.get(place)
    if known is None or before is None or known.memory.stamp != before:
        return
    with suppress(OSError, CannotObserve), opened(place, known.memory) as file:
        if file is not None:
            stamp = stamp_of(file)
            prefix, ledger, _ = _read_on(file, known.memory.prefix, known.ledger, stamp.size_bytes)
            memory = known.memory.model_copy(update={"prefix": prefix, "stamp": stamp})
            _known[place] = known._replace(memory=memory, ledger=ledger)


def _memory(place: LedgerPlace, noted: Memory | None) -> Memory | None:
    known = _known.get(place)
    return known.memory if known is not None and known.noted == noted else noted


def _read(place: LedgerPlace, noted: Memory | None, *, locked: bool) -> Ledger:
    memory = _memory(place, noted)
    with opened(place, memory) as file:
        if file is None:
            return Ledger()
        stamp = stamp_of(file)
        if memory is not None:
            prove(place, memory, file)
        prefix, ledger, saved = _base(place, memory, file)
        prefix, ledger, torn = _read_on(file, prefix, ledger, stamp.size_bytes)
        ledger, snapshot = _shortened(ledger, prefix, saved)
        is_settled = stamp_of(file) == stamp
    known = (memory or Memory(path=str(place.path), prefix=prefix)).model_copy(
        update={"prefix": prefix, "stamp": stamp if is_settled else None}
    )
    written = known if known == noted else _written(place, noted, known, snapshot, locked=locked)
    if len(_known) >= KNOWN_LIMIT_COUNT:
        _known.clear()
    saved = prefix.line_count if written is not None and snapshot is not None else saved
    _known[place] = KnownLedger(written or noted, written or known, ledger, saved)
    return _joined(ledger, parse_lines(torn, lines_before=prefix.line_count))


def _base(place: LedgerPlace, memory: Memory | None, file: BinaryIO) -> tuple[Prefix, Ledger, int]:
    """Begin with what this process has read of these very lines, else with the fold that was kept."""
    known = _known.get(place)
    if known is not None and memory is not None:
        was = known.memory.prefix
        if (
            was.size_bytes <= memory.prefix.size_bytes
            and extended(file, was, memory.prefix.size_bytes) == memory.prefix
        ):
            return was, known.ledger, known.saved_count
    snapshot = kept_fold(place, memory.snapshot if memory is not None else None)
    if snapshot is None:
        return Prefix(), Ledger(), 0
    fold = snapshot.fold
    return snapshot.prefix, Ledger(records=fold.records, before=fold), fold.line_count


def _read_on(file: BinaryIO, prefix: Prefix, ledger: Ledger, size_bytes: int) -> tuple[Prefix, Ledger, bytes]:
    """Read from the end of a prefix on; what is after the last whole line is given as it is."""
    torn = b""
    for lines, rest in _whole_lines(file, prefix.size_bytes, size_bytes):
        torn = rest
        ledger = _joined(ledger, parse_lines(lines, lines_before=prefix.line_count))
        prefix = extended(file, prefix, prefix.size_bytes + len(lines))
        if _is_long(ledger):
            ledger = _as_fold(ledger, prefix)
    return prefix, ledger, torn


def _whole_lines(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """Give the whole lines in pieces, each with what follows its last line."""
    rest = b""
    while start < end:
        file.seek(start)
        piece = file.read(min(CHUNK_BYTES, end - start))
        if not piece:
            return
        start += len(piece)
        lines, newline, rest = (rest + piece).rpartition(b"\n")
        if len(rest) > LINE_LIMIT_BYTES:
            # A file of nothing but zeros, as a full disk or a lost block leaves it, would be read for ever.
            raise OSError(errno.EFBIG, f"one line of more than {LINE_LIMIT_BYTES} bytes")
        if newline or start >= end:
            yield lines + newline, rest


def _joined(ledger: Ledger, more: Ledger) -> Ledger:
    return Ledger(
        records=(*ledger.records, *more.records),
        skipped=(*ledger.skipped, *more.skipped),
        read_count=ledger.read_count + more.read_count,
        before=ledger.before,
    )


def _shortened(ledger: Ledger, prefix: Prefix, saved_count: int) -> tuple[Ledger, FoldSnapshot | None]:
    """Fold a ledger whose end has become long, or that was folded while it was read."""
    if not _is_long(ledger) and ledger.before.line_count <= saved_count:
        return ledger, None
    shorter = _as_fold(ledger, prefix)
    return shorter, FoldSnapshot(prefix=prefix, fold=shorter.before)


def _is_long(ledger: Ledger) -> bool:
    return len(ledger.since) + len(ledger.skipped) > FOLD_OVER_COUNT


def _as_fold(ledger: Ledger, prefix: Prefix) -> Ledger:
    fold = folded(ledger, prefix.line_count, datetime.now(UTC))
    return Ledger(records=fold.records, before=fold)


def _written(
    place: LedgerPlace, noted: Memory | None, memory: Memory, snapshot: FoldSnapshot | None, *, locked: bool
) -> Memory | None:
    """Write down what is known now, unless somebody else is at it: the next one will."""
    with suppress(OSError, RunbookError), ExitStack() as stack:
        if not locked:
            stack.enter_context(file_locked(place.path, 0.0))
        if recall(place) != noted:
            return None
        if snapshot is not None:
            keep_fold(place, snapshot)
            memory = memory.model_copy(update={"snapshot": snapshot.prefix})
        remember(place, memory)
        return memory
    return None
