"""Keep one small line a run, for a day: what trends, rates, hysteresis and the chart of the last hour are made of."""

import contextlib
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path

import orjson
from filelock import FileLock, Timeout
from pydantic import ValidationError

from tasks.clients.files.atomic import open_private, private_folder, read_whole, write_whole
from tasks.clients.files.file_lock import LOCK_MODE
from tasks.clients.files.regular_file import open_regular, read_tail
from tasks.model.errors import CannotAct, CannotObserve
from tasks.model.probes.history import PastObservation
from tasks.rules.formats.time import parse_time
from tasks.settings import RunbookSettings

FOLDER = "looks"
FINISHED = ".finished"
KEPT_FOR = timedelta(days=1)
READ_FOR = timedelta(hours=2)
READ_LIMIT_COUNT = 150
LAST_LOOKS_COUNT = 4
LINE_BYTES = 4096
SIZE_LIMIT_BYTES = 16 * 1_048_576
LOCK_TIMEOUT_S = 1.0


def history_path(settings: RunbookSettings, service: str) -> Path:
    """Name the file of a service's observation history; the day before lies beside it, with `.1` at its end."""
    return settings.state_dir / FOLDER / f"{service}.jsonl"


def remember_observation(path: Path, past: PastObservation) -> bool:
    """Append one run and say whether it was kept; after a day the file is set aside and the older one let go.

    Errors: none. A history that cannot be written makes later runs see less, and stops nothing.
    """
    line = orjson.dumps(past.model_dump(mode="json", exclude_defaults=True), option=orjson.OPT_APPEND_NEWLINE)
    try:
        private_folder(path.parent)
        with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S, mode=LOCK_MODE):
            _rotate(path, past.at)
            with open_private(path, "ab") as file:
                file.write(line)
    except (OSError, Timeout):
        return False
    return True


def recall_observations(path: Path, now: datetime, since: timedelta = READ_FOR) -> tuple[PastObservation, ...]:
    """Read the runs of the last hours, oldest first; a line that cannot be read is left out.

    Errors: none; no history is an empty one.
    """
    lines = _tail(path)
    if len(lines) < READ_LIMIT_COUNT:
        lines = [*_tail(path.with_suffix(".jsonl.1")), *lines]
    found = [past for line in lines[-READ_LIMIT_COUNT:] if (past := _parse(line)) is not None]
    # An observation from the future is from before a clock was set back; it has no place in a trend.
    return tuple(past for past in found if now - since < past.at <= now)


def last_observation_at(path: Path, now: datetime, since: timedelta) -> datetime | None:
    """Say when a run last observed; None where none did in that time. Reads the end of the file alone.

    Errors: none.
    """
    for file in (path, path.with_suffix(".jsonl.1")):
        times = (_time_of(line) for line in reversed(_tail(file, LAST_LOOKS_COUNT)))
        last = next((at for at in times if at is not None and at <= now), None)
        if last is not None:
            return last if now - since < last else None
    return None


def note_finished(path: Path, at: datetime) -> bool:
    """Note that a triage of this service has come to its end; say whether it was kept.

    Errors: none. A run that observes and then fails leaves no such note.
    """
    try:
        write_whole(path.with_suffix(FINISHED), at.isoformat().encode())
    except CannotAct:
        return False
    return True


def finished_at(path: Path, now: datetime, since: timedelta) -> datetime | None:
    """Say when a triage last came to its end; None where none did in that time, or nobody can say.

    Errors: none.
    """
    try:
        found = parse_time((read_whole(path.with_suffix(FINISHED)) or b"").decode("ascii", "replace"))
    except CannotObserve:
        return None
    return found if found is not None and now - since < found <= now else None


def looks_between(path: Path, since: datetime, until: datetime) -> tuple[PastObservation, ...]:
    """Read every run that is remembered of a stretch of time, oldest first.

    Errors: none; what was let go, or cannot be read, is not there.
    """
    found: list[PastObservation] = []
    for file in (path.with_suffix(".jsonl.1"), path):
        with contextlib.suppress(OSError):
            lines = read_tail(file, 2 * SIZE_LIMIT_BYTES)[0].splitlines()
            found += [past for line in lines if _is_between(line, since, until) and (past := _parse(line)) is not None]
    return tuple(sorted(found, key=lambda past: past.at))


def _is_between(line: bytes, since: datetime, until: datetime) -> bool:
    at = _time_of(line)
    return at is not None and since <= at <= until


def _rotate(path: Path, now: datetime) -> None:
    with contextlib.suppress(FileNotFoundError):
        size_bytes = path.stat().st_size
        with BufferedReader(open_regular(path)) as file:
            first = file.readline(LINE_BYTES * 16)
        began = _time_of(first)
        if size_bytes > SIZE_LIMIT_BYTES or began is None or not now - KEPT_FOR < began <= now:
            path.replace(path.with_suffix(".jsonl.1"))


def _tail(path: Path, lines_count: int = READ_LIMIT_COUNT) -> list[bytes]:
    try:
        content, is_cut = read_tail(path, LINE_BYTES * lines_count)
    except OSError:
        return []
    # A read that begins in the middle begins with part of a line.
    lines = content.split(b"\n")
    return [line for line in (lines[1:] if is_cut else lines) if line]


def _parse(line: bytes) -> PastObservation | None:
    try:
        return PastObservation.model_validate_json(line)
    except ValidationError:
        return None


def _time_of(line: bytes) -> datetime | None:
    try:
        table = orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return parse_time(table.get("at")) if isinstance(table, dict) else None
