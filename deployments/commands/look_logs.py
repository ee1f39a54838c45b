"""`runbook look logs`: the errors of a log, grouped, with stack traces as one finding each."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from deployments.commands.looking import COULD_NOT_LOOK, FINE, Answer, JsonOutput, could_not_look, give, watched_service
from deployments.views.bars import progress_bar
from deployments.views.look_logs import log_lines
from tasks.clients.context import context_of
from tasks.model.changes import ChangeKind
from tasks.model.errors import CannotLook, Code, RunbookError
from tasks.model.evidence import TriageRequest
from tasks.model.log_findings import LogScan, ScanQuestion
from tasks.rules.log_report import to_json
from tasks.rules.times import parse_time
from tasks.settings import RunbookSettings

AGO = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhd])")
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def look_logs(
    *,
    file: Path | None = None,
    service: str | None = None,
    since: str | None = None,
    line_numbers: Annotated[bool, Parameter(negative=())] = False,
    deadline_s: float = 60.0,
    json_output: JsonOutput = False,
) -> None:
    """Find the errors of a log; severity comes from the level of a line, keywords count only where there is none.

    Parameters
    ----------
    file
        Look at this log, a gzip'd one too, without any settings; default every log of the watched service.
    service
        Which watched service; may be left out where there is one.
    since
        Only what was logged since: a time as 2026-11-27T18:30Z, or 15m, 2h, 1d ago.
    line_numbers
        List the number of every error line.
    deadline_s
        Stop after so many seconds, and say that the rest was not read.
    json_output
        Print one JSON document.
    """
    now = datetime.now(UTC)
    question = ScanQuestion(
        now=now, since=since_of(since, now), deadline_s=checked_deadline(deadline_s), line_numbers=line_numbers
    )
    if file and service:
        raise RunbookError(Code.BAD_ARGUMENT, "expected --file or --service was both; leave one out")
    give(lambda: file_answer(file, question) if file else service_answer(service, question), json_output=json_output)


def file_answer(file: Path, question: ScanQuestion) -> Answer:
    """Look at one log and lay out what was found.

    Errors: `FILE_UNREADABLE`.
    """
    from tasks.clients.log_files import look_at_log  # noqa: PLC0415 - its engine takes a third of a second; help does not

    with progress_bar() as bar:
        scan = look_at_log(file, question, report=bar.report)
    return Answer(_document(scan, question), log_lines(scan), FINE if scan.complete else COULD_NOT_LOOK)


def service_answer(service: str | None, question: ScanQuestion) -> Answer:
    """Look at every log of a service; one that cannot be read does not hide the others.

    Errors: `NOT_CONFIGURED` when the service has none.
    """
    settings, name, watched = watched_service(service)
    if not watched.log_files:
        raise CannotLook(Code.NOT_CONFIGURED, f"expected log_files was none; set log_files of services.{name}")
    asked = question.model_copy(update={"released_at": released_at(settings, name, question.now)})
    answers = [_one_of_many(file, asked) for file in watched.log_files]
    lines = [line for answer in answers for line in answer.lines]
    document = {"service": name, "files": [answer.document for answer in answers]}
    return Answer(document, lines, max(answer.exit_code for answer in answers))


def released_at(settings: RunbookSettings, service: str, now: datetime) -> datetime | None:
    """Find when the running release came up, where that was lately: what came after it first is new."""
    changes = context_of(settings, TriageRequest(service=service), now).changes
    releases = [change.at for change in changes if change.kind is ChangeKind.RELEASE and not change.is_pending]
    return max(releases, default=None)


def since_of(text: str | None, now: datetime) -> datetime | None:
    """Read since when: a time, or how long ago.

    Errors: `BAD_ARGUMENT`.
    """
    if text is None:
        return None
    ago = AGO.fullmatch(text.strip())
    moment = now - timedelta(seconds=int(ago["count"]) * UNITS_S[ago["unit"]]) if ago else parse_time(text)
    if moment is None:
        detail = f"expected a time like 2026-11-27T18:30Z, or 15m, 2h, 1d was since={text[:40]!r}; correct --since"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    return moment


def checked_deadline(deadline_s: float) -> float:
    """Hold the deadline within reason.

    Errors: `BAD_ARGUMENT`.
    """
    if not 0 < deadline_s <= 3600:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected 0<deadline_s<=3600 was {deadline_s:g}; correct --deadline-s")
    return deadline_s


def _one_of_many(file: Path, question: ScanQuestion) -> Answer:
    try:
        return file_answer(file, question)
    except CannotLook as error:
        failed = could_not_look(error.code, error.detail)
        return failed._replace(document={"file": str(file), **failed.document})


def _document(scan: LogScan, question: ScanQuestion) -> dict[str, Any]:
    return to_json(scan, line_numbers=question.line_numbers)
