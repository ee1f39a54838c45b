"""Put the findings of a log in order, write a scan as JSON, and cut it to what is kept with a run."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tasks.model.logs.findings import LogCheck, LogFinding, LogScan, ScanQuestion, later
from tasks.rules.formats.time import utc_text
from tasks.rules.logs.groups import Group
from tasks.rules.logs.line import Clock, time_of_raw

FINDINGS_LIMIT_COUNT = 20
SAMPLE_LIMIT_COUNT = 1000


def close_group(groups: list[Group], question: ScanQuestion) -> datetime | None:
    """Read the time of each group's last line; give the latest of all."""
    latest: datetime | None = None
    clock = Clock(question.now, ZoneInfo(question.time_zone))
    for group in groups:
        if group.last_raw:
            group.last_at = later(group.last_at, time_of_raw(group.last_raw, clock))
        latest = later(latest, group.last_at)
    return latest


def ordered(findings: Iterable[LogFinding]) -> tuple[LogFinding, ...]:
    """Order findings: the worst first, then the most frequent, then the first in the file."""
    return tuple(sorted(findings, key=lambda finding: (-finding.severity, -finding.count, finding.first_line)))


def to_json(scan: LogScan, *, line_numbers: bool = False) -> dict[str, Any]:
    """Give the JSON document of `runbook inspect logs`; line numbers only when asked for."""
    table = scan.model_dump(mode="json", exclude=set() if line_numbers else {"error_line_numbers"})
    return table | {"findings": [_finding_json(finding) for finding in scan.findings]}


def _finding_json(finding: LogFinding) -> dict[str, Any]:
    return finding.model_dump(mode="json") | {
        "severity": finding.severity.label,
        "first_at": utc_text(finding.first_at) if finding.first_at else None,
        "last_at": utc_text(finding.last_at) if finding.last_at else None,
    }


def kept_logs(logs: LogCheck) -> LogCheck:
    """Keep the worst findings of each log.

    Runbook: §3.1 Collect artifacts.
    """
    return logs.model_copy(update={"scans": tuple(_kept_scan(scan) for scan in logs.scans)})


def _kept_scan(scan: LogScan) -> LogScan:
    worst = tuple(_kept_finding(finding) for finding in ordered(scan.findings)[:FINDINGS_LIMIT_COUNT])
    return scan.model_copy(update={"findings": worst, "error_line_numbers": ()})


def _kept_finding(finding: LogFinding) -> LogFinding:
    # A log may hold half of a surrogate pair, which no file in UTF-8 can; its trace is in the log itself.
    sample = _utf8(finding.sample[:SAMPLE_LIMIT_COUNT])
    return finding.model_copy(update={"template": _utf8(finding.template), "sample": sample, "exception": None})


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
