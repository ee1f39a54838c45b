"""Put the findings of a log in order, and write a scan as JSON or for a person to read."""

from datetime import datetime
from typing import Any

from tasks.model.log_findings import LogFinding, LogScan, later
from tasks.rules.log_groups import Group
from tasks.rules.log_lines import text_of_line
from tasks.rules.log_times import time_of
from tasks.rules.times import utc_text

SHOWN_FINDINGS = 20


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


def render(scan: LogScan) -> str:
    """Write a scan for a person: one line of sums, then one line a finding with its sample's place."""
    lines = [
        f"{scan.file}: {scan.error_lines} error lines of {scan.lines}, {len(scan.findings)} findings{'' if scan.complete else ' (cut short by the deadline)'}"
    ]
    for finding in scan.findings[:SHOWN_FINDINGS]:
        new = " NEW" if finding.is_new else ""
        last = f", last {utc_text(finding.last_at)}" if finding.last_at else ""
        lines.append(
            f"  {finding.severity.label:8} {finding.kind:11} x{finding.count}{new}  line {finding.first_line} to {finding.last_line}{last}: {finding.template}"
        )
        if finding.exception:
            lines.append(
                f"      {finding.exception.type}: {finding.exception.message}  at {finding.exception.frame or 'an unknown place'}"
            )
    if len(scan.findings) > SHOWN_FINDINGS:
        lines.append(f"  and {len(scan.findings) - SHOWN_FINDINGS} more")
    return "\n".join([*lines, *(f"  {note}" for note in scan.notes)])


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
