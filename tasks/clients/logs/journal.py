"""Read the journal of systemd units: what came after the last entry that was read, in the order of the journal."""

import os
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import IO, NamedTuple, cast

from tasks.clients.files.atomic import private_folder
from tasks.clients.logs.checkpoint import (
    CHECKPOINT_FOLDER,
    checkpoint_after,
    checkpoint_path,
    known_before,
    load_checkpoint,
    save_checkpoint,
    scan_of,
)
from tasks.clients.logs.engine import Engine, best_engine
from tasks.clients.logs.part import ToRead, counted_at_end, read_part
from tasks.clients.process.commands import clean_environment
from tasks.model.errors import CannotObserve, Code
from tasks.model.logs.checkpoint import LogCheckpoint
from tasks.model.logs.findings import LogScan, ScanQuestion
from tasks.rules.formats.json_values import line_of, parse_object
from tasks.rules.messages.redaction import without_secrets

EXECUTABLE = "journalctl"
# Without a place to go on from, the journal is read from so long ago.
FIRST_READ = timedelta(hours=1)
READ_SHARE = 0.5
SIZE_LIMIT_BYTES, STEP_BYTES, SAID_BYTES = 256 * 1_048_576, 1_048_576, 2000


class JournalUnits(NamedTuple):
    """The units whose journal is read; `of_user` where they are those of the user's own manager."""

    names: tuple[str, ...]
    of_user: bool = False

    @property
    def title(self) -> Path:
        return Path("journal") / "+".join(self.names)


class _Read(NamedTuple):
    whole: bool
    fault: str


def scan_new_journal(units: JournalUnits, state_dir: Path, question: ScanQuestion) -> LogScan:
    """Scan what units logged since the last scan.

    Runbook: §1.4 Recent logs and incidents.
    Errors: `CannotObserve` when there is no journal, or we may not read it.
    """
    kept_in = checkpoint_path(state_dir, units.title)
    before = load_checkpoint(kept_in) or LogCheckpoint()
    engine = best_engine(state_dir / CHECKPOINT_FOLDER)
    scan, after = _scanned(units, before, question, (state_dir / CHECKPOINT_FOLDER, engine))
    save_checkpoint(kept_in, after)
    return scan


def scan_journal(units: JournalUnits, question: ScanQuestion) -> LogScan:
    """Scan what units logged since a time, or in the last hour; the triage's own place is left alone."""
    with tempfile.TemporaryDirectory() as folder:
        return _scanned(units, LogCheckpoint(), question, (Path(folder), best_engine()))[0]


def _scanned(
    units: JournalUnits, before: LogCheckpoint, question: ScanQuestion, within: tuple[Path, Engine]
) -> tuple[LogScan, LogCheckpoint]:
    """Copy the new entries into a file of ours, which is then read as any other log."""
    folder, engine = within
    private_folder(folder)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="journal-") as file:
        read, notes = _copied(units, before, question, cast("IO[bytes]", file))
        left = question.model_copy(update={"deadline_s": question.deadline_s * (1 - READ_SHARE)})
        part = counted_at_end(
            read_part(ToRead(Path(file.name), LogCheckpoint(), is_log=True), left, engine, marked=False)
        )
        cursor = _cursor_before(cast("IO[bytes]", file), part.end.offset)
    scan = scan_of(units.title, question, [part], known_before(before))
    ends_at = before.reported_offset + scan.bytes
    after = LogCheckpoint(
        cursor=cursor or before.cursor, reported_offset=ends_at, known=checkpoint_after(before, [part]).known
    )
    changes = {
        "engine": engine.name, "from_offset": before.reported_offset, "to_offset": ends_at,
        "notes": (*notes, *scan.notes), "complete": scan.complete and read.whole,
    }  # fmt: skip
    return scan.model_copy(update=changes), after


def _copied(
    units: JournalUnits, before: LogCheckpoint, question: ScanQuestion, file: IO[bytes]
) -> tuple[_Read, tuple[str, ...]]:
    since = f"--since=@{int((question.since or question.now - FIRST_READ).timestamp())}"
    read = _run(units, f"--after-cursor={before.cursor}" if before.cursor else since, question.deadline_s, file)
    if not read.fault:
        return read, ()
    if before.cursor:
        again = _run(units, since, question.deadline_s, file)
        if not again.fault:
            return again, ("GAP: expected the journal's last entry that was read was gone; lines may be missing",)
    detail = f"expected the journal of {', '.join(units.names)}, {EXECUTABLE} said: {read.fault}"
    raise CannotObserve(Code.FILE_UNREADABLE, f"{detail}; check the unit and that we may read the journal")


def _run(units: JournalUnits, place: str, deadline_s: float, file: IO[bytes]) -> _Read:
    """Run journalctl until its end, the end of its time, or so many bytes. Long fields are null without `--all`."""
    option = "--user-unit" if units.of_user else "--unit"
    named = [f"{option}={name}" for name in units.names]
    command = [EXECUTABLE, "--output=json", "--all", "--no-pager", "--quiet", place, *named]
    file.seek(0)
    file.truncate()
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                env=clean_environment(os.environ),
            )
        except OSError as error:
            return _Read(whole=False, fault=error.strerror or type(error).__name__)
        whole = _drain(process, deadline_s * READ_SHARE, file)
        said.seek(0)
        words = said.read(SAID_BYTES).decode("utf-8", "replace").strip().split("\n")[0]
    failed = whole and process.returncode != 0
    return _Read(whole, without_secrets(words or f"exit {process.returncode}") if failed else "")


def _drain(process: "subprocess.Popen[bytes]", limit_s: float, file: IO[bytes]) -> bool:
    timer = Timer(limit_s, process.kill)
    timer.start()
    output = cast("IO[bytes]", process.stdout)
    size_bytes = 0
    try:
        while size_bytes < SIZE_LIMIT_BYTES and (text := output.read(STEP_BYTES)):
            file.write(text)
            size_bytes += len(text)
    finally:
        whole = timer.is_alive() and size_bytes < SIZE_LIMIT_BYTES
        timer.cancel()
        if not whole:
            process.kill()
        process.wait()
        output.close()
        file.flush()
    return whole


def _cursor_before(file: IO[bytes], offset: int) -> str | None:
    """Take the cursor of the last whole entry before a place."""
    start = max(0, offset - 4 * STEP_BYTES)
    file.seek(start)
    lines = file.read(offset - start).rstrip(b"\n").rpartition(b"\n")
    return line_of(parse_object(lines[2].decode("utf-8", "replace")), "__CURSOR")
