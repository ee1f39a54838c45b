"""Look at what is new in all logs of a service; one that cannot be read does not hide the others."""

from functools import partial
from pathlib import Path

from tasks.clients.log_files import look_at_new_lines
from tasks.clients.own_thread import OwnThread
from tasks.model.log_findings import LogScan, LogsLook, ScanQuestion
from tasks.model.progress import Report, unheard
from tasks.rules.blind_looks import blind_logs, or_blind, why

# A scan ends by itself at its deadline; what holds it up longer is a disk or a file server that does not answer.
HUNG_AFTER_S = 3.0


async def logs_look(
    log_files: tuple[Path, ...], state_dir: Path, question: ScanQuestion, report: Report = unheard
) -> LogsLook:
    """Look at the new lines of every log, one after the other in a thread of its own, within one deadline.

    Runbook: §1.4 Recent logs and incidents.
    Errors: none; a log that cannot be read is blind, and says why. A look that hangs is left behind.
    """
    work = OwnThread(partial(_logs_look, log_files, state_dir, question, report))
    return await or_blind(work.result(question.deadline_s + HUNG_AFTER_S), blind_logs)


async def _logs_look(log_files: tuple[Path, ...], state_dir: Path, question: ScanQuestion, report: Report) -> LogsLook:
    share = question.model_copy(update={"deadline_s": question.deadline_s / max(1, len(log_files))})
    ends = [_one(file, state_dir, share, report) for file in log_files]
    return LogsLook(
        scans=tuple(end for end in ends if isinstance(end, LogScan)),
        blind=tuple(end for end in ends if isinstance(end, str)),
    )


def _one(file: Path, state_dir: Path, question: ScanQuestion, report: Report) -> LogScan | str:
    try:
        return look_at_new_lines(file, state_dir, question, report=report)
    except Exception as error:  # noqa: BLE001 - the door of one log: it reports, and the others are read
        return why(error)
