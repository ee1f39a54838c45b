"""The incident ledger `incidents.jsonl`: append-only, written by both sides, read leniently."""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tasks.clients.files.file_lock import file_locked
from tasks.clients.files.jsonl import LOCK_TIMEOUT_S, write_lines
from tasks.clients.files.regular_file import open_regular
from tasks.clients.incidents.archiving import archive_chosen, archive_path, chosen, is_due
from tasks.clients.incidents.ledger_memory import is_still_at, recall
from tasks.clients.incidents.ledger_reading import accept, note_append, read_remembered, stamp_before
from tasks.clients.incidents.ledger_spool import keep, let_out, waiting
from tasks.model.errors import CannotAct, CannotObserve, Code, RunbookError
from tasks.model.incidents.incident import Ledger, LedgerRecord
from tasks.model.incidents.ledger_file import LedgerPlace, Recorded
from tasks.rules.incidents.parse import parse_lines

# A ledger beyond this is read from its end; what is older no longer bears on a budget or a timer.
READ_LIMIT_BYTES = 64 * 1_048_576
CHUNK_BYTES = 8 * 1_048_576
# Whoever writes holds the lock for milliseconds.
PROBE_TIMEOUT_S = 3.0


def read_ledger(ledger: LedgerPlace | Path, *, from_line_1: bool = False, patience_s: float = LOCK_TIMEOUT_S) -> Ledger:
    """Read every record that can be read; count and name the lines that cannot. A missing file is an empty ledger.

    Runbook: §1.4 Recent incidents.
    Units: the lines of a ledger that is read from its end count from there, unless they shall count `from_line_1`;
    `patience_s` for the lock, which is waited for only where the ledger is not what it was.
    Errors: `LEDGER_UNREADABLE` when the file is there and cannot be read: then nothing may be concluded from it.
    """
    place = _place(ledger)
    path = place.path
    try:
        if place.state_dir is not None and not from_line_1:
            return read_remembered(place, patience_s=patience_s)
        with BufferedReader(open_regular(path)) as file:
            start = max(0, os.fstat(file.fileno()).st_size - READ_LIMIT_BYTES)
            lines_before = _lines_before(file, start) if from_line_1 else 0
            file.seek(start)
            return parse_lines(file.read(READ_LIMIT_BYTES), cut=start > 0, lines_before=lines_before)
    except FileNotFoundError:
        return Ledger()
    except OSError as error:
        raise CannotObserve(
            Code.LEDGER_UNREADABLE, f"expected a readable file was {error.strerror} path={path}; fix its permissions"
        ) from None


def read_everything(ledger: LedgerPlace) -> Ledger:
    """Read every record there ever was: those in the archive, numbered by its lines, and then those of the ledger.

    Errors: `LEDGER_UNREADABLE`.
    """
    read_ledger(ledger)
    archive = read_ledger(archive_path(ledger.path), from_line_1=True)
    live = read_ledger(ledger, from_line_1=True)
    return live.model_copy(update={"records": (*archive.records, *live.records)})


def append(ledger: LedgerPlace | Path, records: Sequence[LedgerRecord]) -> None:
    """Append records: one locked, fsynced write, with what waited before it; a torn last line is closed first.

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
        records = tuple(decide(_read_locked(place)))
        if records:
            _write(place, records)
        return records


def append_accepting(place: LedgerPlace, record_of: Callable[[str], LedgerRecord]) -> str:
    """Take a ledger as it is from now on, and write who said so; give what was wrong with it, or nothing.

    Errors: `LEDGER_UNWRITABLE`, also where it is there and cannot be read.
    """
    with _locked(place):
        wrong = accept(place)
        _write(place, [record_of(wrong)])
        return wrong


def write_fault(place: LedgerPlace) -> str:
    """Say why nothing could be appended at this moment, or nothing; not a byte is written.

    Errors: none.
    """
    if not place.path.parent.exists():
        return ""
    try:
        with file_locked(place.path, PROBE_TIMEOUT_S):
            if place.path.exists():
                os.close(os.open(place.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)))
            if _is_full(place.path.parent):
                return str(_unwritable(place.path, os.strerror(errno.ENOSPC)))
    except OSError as error:
        return str(_unwritable(place.path, error.strerror or str(error)))
    return ""


def _is_full(folder: Path) -> bool:
    return hasattr(os, "statvfs") and os.statvfs(folder).f_bfree == 0


def tidy(ledger: LedgerPlace, keep_for: timedelta, now: datetime) -> int:
    """Append what waits, and move old lines into the archive where there are enough; say how many were moved.

    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`, `SINK_UNWRITABLE`. Nothing is lost: the next one goes on.
    """
    read_ledger(ledger)
    memory = recall(ledger)
    choice = chosen(ledger, memory, keep_for, now) if memory is not None and is_due(memory, now) else None
    if choice is None and not waiting(ledger):
        return 0
    with _locked(ledger):
        if waiting(ledger):
            _write(ledger, ())
        read_remembered(ledger, locked=True)
        memory = recall(ledger)
        begins_so = memory is not None and choice is not None and is_still_at(ledger.path, choice.prefix)
        return archive_chosen(ledger, memory, choice, now) if memory and choice and begins_so else 0


@contextmanager
def _locked(place: LedgerPlace, patience_s: float | None = None) -> Iterator[None]:
    try:
        place.path.parent.mkdir(parents=True, exist_ok=True)
        with file_locked(place.path, LOCK_TIMEOUT_S if patience_s is None else patience_s):
            yield
    except OSError as error:
        raise _unwritable(place.path, error.strerror or str(error)) from None


def _read_locked(place: LedgerPlace) -> Ledger:
    return read_ledger(place.path) if place.state_dir is None else read_remembered(place, locked=True)


def _write(place: LedgerPlace, records: Sequence[LedgerRecord]) -> None:
    before = stamp_before(place) if place.state_dir is not None else None
    with let_out(place) as waited:
        write_lines(place.path, waited + b"".join(map(_line, records)))
    note_append(place, before)


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


def _line(record: LedgerRecord) -> bytes:
    table = record.model_dump(mode="json")
    try:
        return orjson.dumps(table, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # Half a character, out of a name that is no text: what cannot be recorded would not be done, nor reported.
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
        f"expected to append was {reason} path={path}; free the disk or fix permissions",
        retryable=True,
    )
