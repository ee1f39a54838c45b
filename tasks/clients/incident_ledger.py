"""The incident ledger `incidents.jsonl`: append-only, written by both sides, read leniently."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tasks.clients.file_lock import file_locked
from tasks.clients.jsonl import LOCK_TIMEOUT_S, write_lines
from tasks.clients.ledger_spool import keep, let_out
from tasks.model.errors import CannotAct, CannotLook, Code, RunbookError
from tasks.model.incident import Ledger, LedgerRecord
from tasks.model.ledger_file import LedgerPlace, Recorded
from tasks.rules.ledger_lines import parse_lines

# A ledger beyond this is read from its end; what is older no longer bears on a budget or a timer.
READ_LIMIT_BYTES = 64 * 1_048_576
CHUNK_BYTES = 8 * 1_048_576


def read_ledger(ledger: LedgerPlace | Path, *, from_line_1: bool = False) -> Ledger:
    """Read every record that can be read; count and name the lines that cannot. A missing file is an empty ledger.

    Runbook: §1.4 Recent incidents.
    Units: the lines of a ledger that is read from its end count from there, unless they shall count `from_line_1`.
    Errors: `LEDGER_UNREADABLE` when the file is there and cannot be read: then nothing may be concluded from it.
    """
    path = _place(ledger).path
    try:
        _refuse_device(path)
        with path.open("rb") as file:
            start = max(0, os.fstat(file.fileno()).st_size - READ_LIMIT_BYTES)
            lines_before = _lines_before(file, start) if from_line_1 else 0
            file.seek(start)
            return parse_lines(file.read(READ_LIMIT_BYTES), cut=start > 0, lines_before=lines_before)
    except FileNotFoundError:
        return Ledger()
    except OSError as error:
        raise CannotLook(
            Code.LEDGER_UNREADABLE, f"expected a readable file was {error.strerror} path={path}; mend its permissions"
        ) from None


def append(ledger: LedgerPlace | Path, records: Sequence[LedgerRecord]) -> None:
    """Append records: one locked, fsynced write, with what waited before it; a torn last line is healed first.

    Errors: `LEDGER_UNWRITABLE`; what cannot be recorded must not be done.
    """
    place = _place(ledger)
    with _locked(place):
        _write(place, records)


def append_or_keep(
    ledger: LedgerPlace | Path, records: Sequence[LedgerRecord], patience_s: float = LOCK_TIMEOUT_S
) -> Recorded:
    """Append records, or keep them beside the state until the next append that succeeds; each is appended once.

    For what is done whether or not it can be recorded: what tightens, and the end of what was begun.
    Units: `patience_s` for a lock that somebody else holds.
    Errors: none; where neither is possible, the answer says so.
    """
    place = _place(ledger)
    try:
        with _locked(place, patience_s):
            _write(place, records)
    except RunbookError as error:
        return _kept(place, records, str(error))
    return Recorded(appended=True)


def transact(
    ledger: LedgerPlace | Path, decide: Callable[[Ledger], Sequence[LedgerRecord]]
) -> tuple[LedgerRecord, ...]:
    """Read, decide and append under one lock, so that two runs never open one incident twice.

    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`.
    """
    place = _place(ledger)
    with _locked(place):
        records = tuple(decide(read_ledger(place)))
        if records:
            _write(place, records)
        return records


@contextmanager
def _locked(place: LedgerPlace, patience_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    try:
        place.path.parent.mkdir(parents=True, exist_ok=True)
        with file_locked(place.path, patience_s):
            yield
    except OSError as error:
        raise _unwritable(place.path, error.strerror or str(error)) from None


def _write(place: LedgerPlace, records: Sequence[LedgerRecord]) -> None:
    with let_out(place) as waited:
        write_lines(place.path, waited + b"".join(map(_line, records)))


def _kept(place: LedgerPlace, records: Sequence[LedgerRecord], why: str) -> Recorded:
    try:
        kept = keep(place, b"".join(map(_line, records)))
    except RunbookError as error:
        return Recorded(appended=False, detail=f"{why}; nor could it be kept: {error}")
    return Recorded(appended=False, kept=kept, detail=why)


def _place(ledger: LedgerPlace | Path) -> LedgerPlace:
    return LedgerPlace(path=ledger) if isinstance(ledger, Path) else ledger


def _lines_before(file: BinaryIO, end: int) -> int:
    count = 0
    while left := min(end - file.tell(), CHUNK_BYTES):
        count += file.read(left).count(b"\n")
    return count


def _refuse_device(path: Path) -> None:
    # A pipe would block for ever and a device never end; neither is a ledger.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file")


def _line(record: LedgerRecord) -> bytes:
    table = record.model_dump(mode="json")
    try:
        return orjson.dumps(table, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # Half a character, out of a name that is no text: what cannot be recorded would not be done, nor told.
        return orjson.dumps(_as_text(table), option=orjson.OPT_APPEND_NEWLINE)


def _as_text(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {_as_text(name): _as_text(one) for name, one in value.items()}
        case list():
            return [_as_text(one) for one in value]
        case _:
            return value


def _unwritable(path: Path, reason: str) -> CannotAct:
    return CannotAct(
        Code.LEDGER_UNWRITABLE,
        f"expected to append was {reason} path={path}; free the disk or mend permissions",
        retryable=True,
    )
