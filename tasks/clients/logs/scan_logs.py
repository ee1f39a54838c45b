"""The door to log files: scan a whole log, or what is new in all logs of a service since the last scan."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic

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
from tasks.clients.logs.journal import JournalUnits, scan_journal, scan_new_journal
from tasks.clients.logs.log_sources import log_sources
from tasks.clients.logs.part import LogPart, ToRead, read_part, unreadable
from tasks.clients.logs.rotation import OutOfTime, files_since, is_same_content, is_same_file
from tasks.clients.service.isolated_loop import in_own_thread
from tasks.model.logs.checkpoint import LogCheckpoint
from tasks.model.logs.findings import LogCheck, LogScan, ScanQuestion
from tasks.model.reports.progress import Report, unheard
from tasks.model.service.service_settings import ServiceSettings
from tasks.rules.probes.blind import blind_logs, or_blind, why

# The share of the time in which the rotated file is to be found again; the rest is for reading.
FINDING_SHARE = 0.5
UNPACKED_TOO_SLOWLY = (
    "GAP: expected the rotated log in time, its archive takes longer to unpack than a scan lasts; lines may be missing"
)


def scan_log(path: Path, question: ScanQuestion, engine: Engine | None = None, report: Report = unheard) -> LogScan:
    """Scan a whole log, a gzip'd one too.

    Runbook: §1.4 Recent logs and incidents.
    Errors: `CannotObserve` when the file is missing or may not be read; no content of a file raises.
    """
    engine = engine or best_engine()
    part = read_part(ToRead(path, LogCheckpoint(), is_log=False, report=report), question, engine, marked=False)
    return scan_of(path, question, [part], {}).model_copy(update={"engine": engine.name})


def scan_new_lines(
    path: Path, state_dir: Path, question: ScanQuestion, engine: Engine | None = None, report: Report = unheard
) -> LogScan:
    """Scan the lines that were written since the last scan, also across rotation and truncation.

    Runbook: §1.4 Recent logs and incidents.
    Errors: `CannotObserve` as in `scan_log`, and when the checkpoint cannot be kept. A crash before the checkpoint is
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
    after = checkpoint_after(before, parts)
    if after != before:
        save_checkpoint(kept_in, after)
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
        raise unreadable(path, error) from error
    except OutOfTime:
        return [ToRead(path, LogCheckpoint(), is_log=True)], [UNPACKED_TOO_SLOWLY]
    rotated = [ToRead(file, before if begun else LogCheckpoint(), is_log=False) for file, begun in older or []]
    lost = f"GAP: expected the rotated log was not found after_byte={before.mark.read_to}; lines may be missing"
    return [*rotated, ToRead(path, LogCheckpoint(), is_log=True)], [] if older else [lost]


def _read_in_order(wanted: list[ToRead], question: ScanQuestion, engine: Engine) -> list[LogPart]:
    """Read one file after the other within one deadline; what is left then is left for the next scan."""
    ends_at = monotonic() + question.deadline_s
    parts: list[LogPart] = []
    for each in wanted:
        left = question.model_copy(update={"deadline_s": max(0.0, ends_at - monotonic())})
        parts.append(read_part(each, left, engine, marked=True))
        if not parts[-1].complete:
            break
    return parts


# A scan ends by itself at its deadline; what holds it up longer is a disk or a file server that does not answer.
HUNG_AFTER_S = 3.0


async def logs_check(
    service: ServiceSettings, state_dir: Path, question: ScanQuestion, report: Report = unheard
) -> LogCheck:
    """Scan the new lines of every log of a service, one after the other in a thread of its own, within one deadline.

    Runbook: §1.4 Recent logs and incidents.
    Errors: none; a log that cannot be read is blind, and says why. A scan that hangs is left behind.
    """
    scan = partial(_scan_all, service, state_dir, question, report)
    return await or_blind(in_own_thread(scan, question.deadline_s + HUNG_AFTER_S), blind_logs)


def _scan_all(service: ServiceSettings, state_dir: Path, question: ScanQuestion, report: Report) -> LogCheck:
    sources, units = log_sources(service), journal_of(service)
    share_s = question.deadline_s / max(1, len(sources.files) + bool(units))
    share = question.model_copy(update={"deadline_s": share_s, "time_zone": service.logs.time_zone})
    scans = [partial(scan_new_lines, file, state_dir, share, report=report) for file in sources.files]
    if units:
        scans.append(partial(scan_new_journal, units, state_dir, share))
    return _all_of(scans, sources.faults)


def _all_of(scans: list[partial[LogScan]], faults: tuple[str, ...]) -> LogCheck:
    ends = [_one(scan) for scan in scans]
    return LogCheck(
        scans=tuple(end for end in ends if isinstance(end, LogScan)),
        blind=(*(end for end in ends if isinstance(end, str)), *faults),
    )


def recent_logs(service: ServiceSettings, question: ScanQuestion, report: Report = unheard) -> LogCheck:
    """Scan every log of a service from its beginning, and its journal; the triage's own place is left alone.

    Errors: none; a log that cannot be read is blind, and says why.
    """
    sources, units = log_sources(service), journal_of(service)
    asked = question.model_copy(update={"time_zone": service.logs.time_zone})
    scans = [partial(scan_log, file, asked, report=report) for file in sources.files]
    if units:
        scans.append(partial(scan_journal, units, asked))
    return _all_of(scans, sources.faults)


def journal_of(service: ServiceSettings) -> JournalUnits | None:
    names = service.logs.journal_units
    return JournalUnits(names, service.systemd_user) if names else None


def _one(scan: Callable[[], LogScan]) -> LogScan | str:
    try:
        return scan()
    except Exception as error:  # noqa: BLE001 - the door of one log: it reports, and the others are read
        return why(error)
