"""Records that could not be appended to a ledger: kept in the state directory, and appended later, each exactly once.

One file for each batch, whole or not at all. Which batches are on their way into the ledger, and from which byte on,
is noted before the first byte is written: whoever follows a killed writer sees there what arrived.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from secrets import token_hex

from pydantic import ValidationError

from tasks.clients.files.atomic import read_whole, write_whole
from tasks.clients.files.regular_file import open_regular
from tasks.model.errors import CannotObserve
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.model.values import Value

FOLDER = "ledgers"
KEPT, MOVING = ".jsonl", "moving"


class Moving(Value):
    """Batches that go into the ledger from `offset` on; `arrived` of their lines did before."""

    offset: int
    names: tuple[str, ...]
    arrived: int = 0


def memory_folder(place: LedgerPlace) -> Path | None:
    """Name the folder in which what is known of a ledger lies; None for a file that nothing is remembered of."""
    if place.state_dir is None:
        return None
    digest = hashlib.sha256(str(place.path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()
    return place.state_dir / FOLDER / f"{place.path.stem}-{digest[:12]}"


def keep(place: LedgerPlace, lines: bytes) -> bool:
    """Keep whole lines until they can be appended; False where there is no place for them.

    Errors: `SINK_UNWRITABLE`.
    """
    folder = memory_folder(place)
    if folder is None:
        return False
    write_whole(folder / f"kept-{time.time_ns():020d}-{token_hex(4)}{KEPT}", lines)
    return True


def waiting(place: LedgerPlace) -> tuple[Path, ...]:
    """Name the batches that wait, oldest first."""
    folder = memory_folder(place)
    return tuple(sorted(folder.glob(f"kept-*{KEPT}"))) if folder is not None and folder.is_dir() else ()


@contextmanager
def let_out(place: LedgerPlace) -> Iterator[bytes]:
    """Give what waits, to be appended in one write by the caller, who holds the ledger's lock; then let go of it.

    Errors: `OSError`, `SINK_UNWRITABLE`, `FILE_UNREADABLE`; what waits goes on waiting.
    Steps: 1. see what a killed writer got into the ledger 2. note what goes in now, and where 3. append 4. let go
    """
    folder = memory_folder(place)
    before = _moving(folder) if folder is not None else None
    if folder is None or (before is None and not waiting(place)):
        yield b""
        return
    arrived, begun = _arrived(place.path, folder, before) if before is not None else (0, ())
    names = (*begun, *(path.name for path in waiting(place) if path.name not in begun))
    size = place.path.stat().st_size if place.path.exists() else 0
    write_whole(folder / MOVING, Moving(offset=size, names=names, arrived=arrived).model_dump_json().encode())
    yield b"".join(_lines(folder, names)[arrived:])
    _let_go(folder, names)


def _arrived(ledger: Path, folder: Path, before: Moving) -> tuple[int, tuple[str, ...]]:
    """Count the lines on their way that stand in the ledger, and name the batches that are not all in."""
    if any(not (folder / name).exists() for name in before.names):
        _let_go(folder, before.names)
        return 0, ()
    lines = _lines(folder, before.names)
    wanted = lines[before.arrived :]
    found = _text_at(ledger, before.offset, sum(map(len, wanted)) + 1).removeprefix(b"\n").splitlines(keepends=True)
    pairs = enumerate(zip(wanted, found, strict=False))
    same = next((number for number, (ours, theirs) in pairs if ours != theirs), min(len(wanted), len(found)))
    if before.arrived + same < len(lines):
        return before.arrived + same, before.names
    _let_go(folder, before.names)
    return 0, ()


def _lines(folder: Path, names: tuple[str, ...]) -> list[bytes]:
    return [line for name in names for line in (read_whole(folder / name) or b"").splitlines(keepends=True)]


def _text_at(path: Path, offset: int, count: int) -> bytes:
    if not path.exists():
        return b""
    with BufferedReader(open_regular(path)) as file:
        file.seek(offset)
        return file.read(count)


def _let_go(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)
    (folder / MOVING).unlink(missing_ok=True)


def _moving(folder: Path) -> Moving | None:
    try:
        return Moving.model_validate_json(read_whole(folder / MOVING) or b"")
    except (ValidationError, CannotObserve):
        return None
