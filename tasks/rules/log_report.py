"""Put the findings of a log in order, and write a scan as JSON."""

from datetime import datetime
from typing import Any

from tasks.model.log_findings import LogFinding, LogScan, later
from tasks.rules.log_groups import Group
from tasks.rules.log_lines import text_of_line
from tasks.rules.log_times import time_of
from tasks.rules.times import utc_text


def close_group(groups: list[Group], now: datetime) -> datetime | None:
    """Read the time of each group's last line; give the latest of all."""
    latest: datetime | None = None
    for group in groups:
        if group.last_raw:
            group.last_at = later(group.last_at, time_of(text_of_line(group.last_raw), now))
        latest = later(latest, group.last_at)
    return latest


def ordered(findings: list[LogFinding]) -> tuple[LogFinding, ...]:
    """Order findings: the worst first, then the most frequent, then the first in the file."""
    return tuple(sorted(findings, key=lambda finding: (-finding.severity, -finding.count, finding.first_line)))


def to_json(scan: LogScan, *, line_numbers: bool = False) -> dict[str, Any]:
    """Give the JSON document of `runbook look logs`; line numbers only when asked for."""
    table: dict[str, Any] = {
        "file": scan.file,
        "lines": scan.lines,
        "bytes": scan.bytes,
        "error_lines": scan.error_lines,
    }
    if line_numbers:
        table["error_line_numbers"] = list(scan.error_line_numbers)
    return table | {
        "findings": [_finding_json(finding) for finding in scan.findings],
        "complete": scan.complete,
        "notes": list(scan.notes),
        "engine": scan.engine,
        "from_offset": scan.from_offset,
        "to_offset": scan.to_offset,
    }


def _finding_json(finding: LogFinding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "severity": finding.severity.label,
        "template": finding.template,
        "count": finding.count,
        "first_line": finding.first_line,
        "last_line": finding.last_line,
        "first_at": utc_text(finding.first_at) if finding.first_at else None,
        "last_at": utc_text(finding.last_at) if finding.last_at else None,
        "sample": finding.sample,
        "exception": finding.exception.model_dump(mode="json") if finding.exception else None,
        "is_new": finding.is_new,
        "rate": finding.rate.model_dump(mode="json"),
    }
