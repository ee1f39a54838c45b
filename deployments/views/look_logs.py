"""What the look at a log found, for a person: the sums first, then the findings, the worst first."""

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, line
from tasks.model.log_findings import LogFinding, LogScan
from tasks.model.log_levels import Severity
from tasks.rules.times import utc_text

SHOWN_COUNT = 20


def log_lines(scan: LogScan) -> list[Text]:
    """Tell of one scan."""
    errors = (f"{scan.error_lines} error lines", BAD if scan.error_lines else GOOD)
    head = line((f"{scan.file}: ", BOLD), errors, f" of {scan.lines} ({_size(scan.bytes)}), {_kinds(scan)}")
    found = [one for finding in scan.findings[:SHOWN_COUNT] for one in _finding(finding)]
    left = len(scan.findings) - SHOWN_COUNT
    more = [line((f"  and {left} more findings; --json has all", DIM))] if left > 0 else []
    cut = [] if scan.complete else [line("  ", ("cut short by the deadline: the rest was not read", UNSURE))]
    return [head, *found, *more, *cut, *(line("  ", (note, UNSURE)) for note in scan.notes)]


def _finding(finding: LogFinding) -> list[Text]:
    style = BAD if finding.severity >= Severity.ERROR else UNSURE
    place = f"line {finding.first_line}"
    if finding.last_line != finding.first_line:
        place += f" to {finding.last_line}"
    last = f", last {utc_text(finding.last_at)}" if finding.last_at else ""
    head = line(
        "  ",
        (finding.severity.label.ljust(9), style),
        finding.kind.value.ljust(12),
        (f"x{finding.count}".ljust(7), BOLD),
        ("new  " if finding.is_new else "", UNSURE),
        finding.template,
        (f"  {place}{last}", DIM),
    )
    seen = finding.exception
    if seen is None:
        return [head]
    where = f"  at {seen.frame}" if seen.frame else ""
    return [head, line(" " * 11, (seen.type, BOLD), f": {seen.message}", (where, DIM))]


def _kinds(scan: LogScan) -> str:
    count = len(scan.findings)
    return "1 finding" if count == 1 else f"{count} findings"


def _size(count_bytes: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count_bytes >= size:
            return f"{count_bytes / size:.1f} {unit}"
    return f"{count_bytes} bytes"
