"""The incident ledger `incidents.jsonl`: append-only, written by both sides, read leniently."""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from filelock import FileLock, Timeout

from tasks.clients.jsonl import LOCK_TIMEOUT_S, write_lines
from tasks.model.errors import CannotAct, CannotLook, Code
from tasks.model.incident import Ledger, LedgerRecord
from tasks.rules.ledger_lines import parse_lines

# A ledger beyond this is read from its end; what is older no longer bears on a budget or a timer.
READ_LIMIT_BYTES = 64 * 1_048_576
CHUNK_BYTES = 8 * 1_048_576


def read_ledger(path: Path, *, from_line_1: bool = False) -> Ledger:
    """Read every record that can be read; count and name the lines that cannot. A missing file is an empty ledger.

    Runbook: §1.4 Recent incidents.
    Units: the lines of a ledger that is read from its end count from there, unless they shall count `from_line_1`.
    Errors: `LEDGER_UNREADABLE` when the file is there and cannot be read: then nothing may be concluded from it.
    """
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


def append(path: Path, records: Sequence[LedgerRecord]) -> None:
    """Append records: one locked, fsynced write; a torn last line is healed first.

    Errors: `LEDGER_UNWRITABLE`; what cannot be recorded must not be done.
    """
    transact(path, lambda _: records)


def transact(path: Path, decide: Callable[[Ledger], Sequence[LedgerRecord]]) -> tuple[LedgerRecord, ...]:
    """Read, decide and append under one lock, so that two runs never open one incident twice.

    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S):
            records = tuple(decide(read_ledger(path)))
            if records:
                write_lines(path, b"".join(_line(record) for record in records))
            return records
    except Timeout:
        raise _unwritable(path, f"locked for {LOCK_TIMEOUT_S:g} s") from None
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from None


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
