"""The steps of `runbook inspect` that read files: a market's calendar, an incident ledger, a log."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from deployments.commands.answer import OK, UNKNOWN, Answer, give, unknown
from deployments.commands.options import SWITCH, JsonOutput, Service, monitored_service, one_of
from deployments.views.bars import progress_bar
from deployments.views.observations import lines_of
from tasks.clients.incidents.ledger import READ_LIMIT_BYTES, read_ledger
from tasks.clients.logs.log_sources import log_sources
from tasks.clients.market.calendars import read_calendar
from tasks.clients.market.hours import market_check
from tasks.model.diagnosis.changes import ChangeKind
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import IncidentState, Ledger, LedgerRecord
from tasks.model.logs.findings import LogScan, ScanQuestion
from tasks.model.market.own_calendar import OwnCalendar
from tasks.model.probes.orders import AssetClass
from tasks.rules.formats.time import parse_duration_s, parse_time, utc_text
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.logs.log_report import to_json
from tasks.rules.market.hours import market_hours, parse_at
from tasks.settings import RunbookSettings, ServiceSettings, load_settings
from tasks.work.triage.context import context_of

File = Annotated[Path | None, Parameter(help="Read this file, without settings; default: the service's own.")]
Calendar = Annotated[
    str | None, Parameter(help="FX, 24/7, or a name of exchange-calendars; default: the service's, else the usual one.")
]
RECORD_KEYS = ("line", "timestamp", "type", "service", "incident_id", "event", "source", "summary", "details")
STATE_KEYS = {"incident_id", "service", "state", "opened_at", "closed_at", "causes", "tier", "acknowledged_by"}


def market(
    *,
    asset_class: AssetClass,
    at: Annotated[str | None, Parameter(help="A time with an offset, as 2026-11-27T18:30Z; default: now.")] = None,
    calendar: Calendar = None,
    service: Service = None,
    json_output: JsonOutput = False,
) -> None:
    give(lambda: _market_of(asset_class, at, calendar, service), json_output=json_output)


def _market_of(asset_class: AssetClass, at: str | None, calendar: str | None, service: str | None) -> Answer:
    """Go by a calendar that is named, else as the triage of a service does; without any service, by the usual one."""
    moment = datetime.now(UTC) if at is None else parse_at(at)
    if calendar:
        hours = market_hours(asset_class, read_calendar(calendar, moment, _own_calendars()), moment)
    else:
        is_alone = service is None and not load_settings().services
        hours = market_check(ServiceSettings() if is_alone else monitored_service(service)[2], asset_class, moment)
    return Answer(hours.model_dump(mode="json"), lines_of("market", hours))


def _own_calendars() -> dict[str, OwnCalendar]:
    settings = load_settings()
    services = (service.own_calendars for service in settings.services.values())
    return {name: own for table in (*services, settings.calendars) for name, own in table.items()}


def incidents(*, file: File = None, service: Service = None, json_output: JsonOutput = False) -> None:
    give(lambda: _incidents_of(file, service), json_output=json_output)


def _incidents_of(file: Path | None, service: str | None) -> Answer:
    """Read a ledger leniently. A service without a ledger has had no incident; a file that was named exists."""
    one_of(("--file", file), ("--service", service))
    path, ledger = _ledger_in(file) if file else _ledger_of(service)
    document = {
        "file": str(path),
        "read": len(ledger.records),
        "skipped": [one.model_dump() for one in ledger.skipped],
        "incidents": _incident_rows(ledger),
        "notes": _bounds(path),
    }
    return Answer(document, lines_of("incidents", document))


def _bounds(path: Path) -> list[str]:
    size_bytes = path.stat().st_size if path.exists() else 0
    if size_bytes <= READ_LIMIT_BYTES:
        return []
    return [f"BOUNDED: only the last {READ_LIMIT_BYTES} of {size_bytes} bytes were read; lines are counted from there"]


def _ledger_in(file: Path) -> tuple[Path, Ledger]:
    if not file.exists():
        raise CannotObserve(Code.FILE_UNREADABLE, f"expected a file, found nothing path={file}; correct --file")
    return file, read_ledger(file)


def _ledger_of(service: str | None) -> tuple[Path, Ledger]:
    settings, name, _ = monitored_service(service)
    path = settings.ledger_path(name)
    ledger = read_ledger(path)
    ours = tuple(record for record in ledger.records if record.service in {name, None})
    return path, ledger.model_copy(update={"records": ours})


def _incident_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """Lay out what the ledger holds, oldest line first: each incident once, and each record that belongs to none.

    Every row has `line`, `timestamp` and `type`: those of the record, or of the one that opened the incident.
    """
    groups: dict[str, list[LedgerRecord]] = {}
    for record in ledger.records:
        groups.setdefault(record.incident_id or "", []).append(record)
    alone = [_record(record) for record in groups.pop("", [])]
    return sorted(chain(alone, *map(_incident, groups.values())), key=lambda row: int(row["line"]))


def _record(record: LedgerRecord) -> dict[str, Any]:
    return {key: getattr(record, key) for key in RECORD_KEYS} | {"timestamp": utc_text(record.timestamp)}


def _incident(group: list[LedgerRecord]) -> list[dict[str, Any]]:
    """Fold one incident; records whose opening is not in this file are shown one by one."""
    opened = next((record for record in group if record.event == "opened"), None)
    states = fold_incidents(group, opened.service or "") if opened else ()
    return [_state(state, opened, group) for state in states if opened] or [_record(record) for record in group]


def _state(state: IncidentState, opened: LedgerRecord, group: list[LedgerRecord]) -> dict[str, Any]:
    return {
        "line": opened.line,
        "last_line": group[-1].line,
        "timestamp": utc_text(opened.timestamp),
        "type": opened.type,
        "summary": opened.summary,
        "records": len(group),
        **state.model_dump(mode="json", include=STATE_KEYS),
        "actions": [one.model_dump(mode="json", exclude={"owner_pid"}) for one in state.actions],
        "messages": state.messages,
    }


def logs(
    *,
    file: File = None,
    service: Service = None,
    since: Annotated[str | None, Parameter(help="Only lines since 2026-11-27T18:30Z, or 15m, 2h, 1d ago.")] = None,
    line_numbers: Annotated[bool, SWITCH, Parameter(help="List the number of every error line.")] = False,
    deadline_s: Annotated[float, Parameter(help="Stop after so many seconds; the rest is not read.")] = 60.0,
    json_output: JsonOutput = False,
) -> None:
    """Find the errors of a log; severity comes from a line's level, keywords count only where there is none."""
    one_of(("--file", file), ("--service", service))
    if not 0 < deadline_s <= 3600:
        detail = f"expected 0<deadline_s<=3600, found {deadline_s:g}; correct --deadline-s"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    now = datetime.now(UTC)
    question = ScanQuestion(now=now, since=since_of(since, now), deadline_s=deadline_s, line_numbers=line_numbers)
    give(lambda: _log_answer(file, question) if file else _logs_of(service, question), json_output=json_output)


def _logs_of(service: str | None, question: ScanQuestion) -> Answer:
    """Scan every log of a service; one that cannot be read does not hide the others."""
    settings, name, watched = monitored_service(service)
    if not watched.logs.described(watched.log_files):
        detail = f"expected logs, found none; set files or journal_units of services.{name}.logs"
        raise CannotObserve(Code.NOT_CONFIGURED, detail)
    released_at = _released_at(settings, name, question.now)
    asked = question.model_copy(update={"released_at": released_at, "time_zone": watched.logs.time_zone})
    answers = _answers_of(watched, asked)
    lines = [line for answer in answers for line in answer.lines]
    document = {"service": name, "files": [answer.document for answer in answers]}
    return Answer(document, lines, max(answer.exit_code for answer in answers))


def _answers_of(watched: ServiceSettings, asked: ScanQuestion) -> list[Answer]:
    from tasks.clients.logs.journal import scan_journal  # noqa: PLC0415 - its engine takes a third of a second
    from tasks.clients.logs.scan_logs import journal_of  # noqa: PLC0415 - the same

    sources, units = log_sources(watched), journal_of(watched)
    answers = [_one_of_many(each, asked) for each in sources.files]
    if units:
        answers.append(_or_unknown(lambda: _answer_of(scan_journal(units, asked), asked), units.title))
    faults = [unknown(Code.FILE_UNREADABLE, fault.partition(": ")[2]) for fault in sources.faults]
    return [*answers, *faults]


def _log_answer(file: Path, question: ScanQuestion) -> Answer:
    from tasks.clients.logs.scan_logs import scan_log  # noqa: PLC0415 - its engine takes a third of a second to import

    with progress_bar() as bar:
        scan = scan_log(file, question, report=bar.report)
    return _answer_of(scan, question)


def _answer_of(scan: LogScan, question: ScanQuestion) -> Answer:
    document = to_json(scan, line_numbers=question.line_numbers)
    return Answer(document, lines_of("logs", scan), OK if scan.complete else UNKNOWN)


def _one_of_many(file: Path, question: ScanQuestion) -> Answer:
    return _or_unknown(lambda: _log_answer(file, question), file)


def _or_unknown(answer: Callable[[], Answer], file: Path) -> Answer:
    try:
        return answer()
    except CannotObserve as error:
        failed = unknown(error.code, error.detail)
        return failed._replace(document={"file": str(file), **failed.document})


def _released_at(settings: RunbookSettings, service: str, now: datetime) -> datetime | None:
    """Find when the running release came up, where that was lately: what came after it first is new."""
    changes = context_of(settings, TriageRequest(service=service), now).changes
    releases = [change.at for change in changes if change.kind is ChangeKind.RELEASE and not change.is_pending]
    return max(releases, default=None)


def since_of(given: str | None, now: datetime) -> datetime | None:
    """Read since when: a time, or how long ago.

    Errors: `BAD_ARGUMENT`.
    """
    if given is None:
        return None
    ago_s = parse_duration_s(given)
    moment = parse_time(given) if ago_s is None else now - timedelta(seconds=ago_s)
    if moment is None:
        detail = f"expected a time like 2026-11-27T18:30Z, or 15m, 2h, 1d, found {given[:40]!r}; correct --since"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    return moment
