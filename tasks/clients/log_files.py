"""The door to log files: look at a whole log, or at what is new in it since the last look."""

from pathlib import Path
from time import monotonic

from tasks.clients.log_files_checkpoint import CHECKPOINT_FOLDER, checkpoint_path, load_checkpoint, save_checkpoint
from tasks.clients.log_files_engine import Engine, best_engine
from tasks.clients.log_files_part import Part, ToRead, cannot_look, read_part
from tasks.clients.log_files_rotation import OutOfTime, files_since, is_same_content, is_same_file
from tasks.clients.log_files_sum import checkpoint_after, known_before, scan_of
from tasks.model.log_checkpoint import LogCheckpoint
from tasks.model.log_findings import LogScan, ScanQuestion
from tasks.model.progress import Report, unheard

# The share of the time in which the rotated file is to be found again; the rest is for reading.
FINDING_SHARE = 0.5
UNPACKED_TOO_SLOWLY = (
    "GAP: expected the rotated log in time, its archive takes longer to unpack than a scan lasts; lines may be missing"
)


def look_at_log(path: Path, question: ScanQuestion, engine: Engine | None = None, report: Report = unheard) -> LogScan:
    """Look at a whole log, a gzip'd one too.

    Runbook: §1.4 Recent logs and incidents.
    Errors: `CannotLook` when the file is missing or may not be read; no content of a file raises.
    """
    engine = engine or best_engine()
    part = read_part(ToRead(path, LogCheckpoint(), is_log=False, report=report), question, engine, marked=False)
    return scan_of(path, question, [part], {}).model_copy(update={"engine": engine.name})


def look_at_new_lines(
    path: Path, state_dir: Path, question: ScanQuestion, engine: Engine | None = None, report: Report = unheard
) -> LogScan:
    """Look at the lines that were written since the last look, also across rotation and truncation.

    Runbook: §1.4 Recent logs and incidents.
    Errors: `CannotLook` as in `look_at_log`, and when the checkpoint cannot be kept. A crash before the checkpoint is
    kept repeats the same report, with the same `from_offset`.
    Steps: 1. finish the file that the log was rotated into. 2. read those in between. 3. read the log.
    4. keep the place.
    """
    engine = engine or best_engine(state_dir / CHECKPOINT_FOLDER)
    kept_in = checkpoint_path(state_dir, path)
    before = load_checkpoint(kept_in) or LogCheckpoint()
    wanted, notes = _to_read(path, before, monotonic() + FINDING_SHARE * question.deadline_s)
    parts = _read_in_order([each._replace(report=report) for each in wanted], question, engine)
    scan = scan_of(path, question, parts, known_before(before))
    save_checkpoint(kept_in, checkpoint_after(before, parts))
    return scan.model_copy(update={"engine": engine.name, "notes": (*notes, *scan.notes)})


def _to_read(path: Path, before: LogCheckpoint, ends_at: float) -> tuple[list[ToRead], list[str]]:
    """List the files to read, oldest first, and what is known to be lost."""
    try:
        if not before.mark.head_hash:
            return [ToRead(path, LogCheckpoint(), is_log=True)], []
        if is_same_file(path, before.mark) and is_same_content(path, before.mark, ends_at):
            return [ToRead(path, before, is_log=True)], []
        older = files_since(path, before.mark, before.finished, ends_at)
    except OSError as error:
        raise cannot_look(path, error) from error
    except OutOfTime:
        return [ToRead(path, LogCheckpoint(), is_log=True)], [UNPACKED_TOO_SLOWLY]
    rotated = [ToRead(file, before if begun else LogCheckpoint(), is_log=False) for file, begun in older or []]
    lost = f"GAP: expected the rotated log was not found after_byte={before.mark.read_to}; lines may be missing"
    return [*rotated, ToRead(path, LogCheckpoint(), is_log=True)], [] if older else [lost]


def _read_in_order(wanted: list[ToRead], question: ScanQuestion, engine: Engine) -> list[Part]:
    """Read one file after the other within one deadline; what is left then is left for the next scan."""
    ends_at = monotonic() + question.deadline_s
    parts: list[Part] = []
    for each in wanted:
        left = question.model_copy(update={"deadline_s": max(0.0, ends_at - monotonic())})
        parts.append(read_part(each, left, engine, marked=True))
        if not parts[-1].complete:
            break
    return parts
