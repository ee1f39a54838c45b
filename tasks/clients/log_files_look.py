"""Look at what is new in all logs of a service; one that cannot be read does not hide the others."""

import asyncio
from pathlib import Path

from tasks.clients.log_files import look_at_new_lines
from tasks.model.errors import CannotLook
from tasks.model.log_findings import LogScan, LogsLook, ScanQuestion
from tasks.model.progress import Report, unheard


async def logs_look(
    log_files: tuple[Path, ...], state_dir: Path, question: ScanQuestion, report: Report = unheard
) -> LogsLook:
    """Look at the new lines of every log, one after the other in one thread, within one deadline.

    Runbook: §1.4 Recent logs and incidents.
    Errors: none; a log that cannot be read is blind, and says why.
    """
    return await asyncio.to_thread(_logs_look, log_files, state_dir, question, report)


def _logs_look(log_files: tuple[Path, ...], state_dir: Path, question: ScanQuestion, report: Report) -> LogsLook:
    share = question.model_copy(update={"deadline_s": question.deadline_s / max(1, len(log_files))})
    ends = [_one(file, state_dir, share, report) for file in log_files]
    return LogsLook(
        scans=tuple(end for end in ends if isinstance(end, LogScan)),
        blind=tuple(end for end in ends if isinstance(end, str)),
    )


def _one(file: Path, state_dir: Path, question: ScanQuestion, report: Report) -> LogScan | str:
    try:
        return look_at_new_lines(file, state_dir, question, report=report)
    except CannotLook as error:
        return str(error)
