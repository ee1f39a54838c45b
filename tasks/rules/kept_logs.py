"""Cut what the logs said to what is worth keeping with a run: the worst findings, in text that any file can hold."""

from tasks.model.log_findings import LogFinding, LogScan, LogsLook

FINDINGS_LIMIT_COUNT = 20
SAMPLE_LIMIT_COUNT = 1000


def kept_logs(logs: LogsLook) -> LogsLook:
    """Keep the worst findings of each log.

    Runbook: §3.1 Collect artifacts.
    """
    return logs.model_copy(update={"scans": tuple(_kept_scan(scan) for scan in logs.scans)})


def _kept_scan(scan: LogScan) -> LogScan:
    worst = sorted(scan.findings, key=lambda one: (-one.severity, -one.count))[:FINDINGS_LIMIT_COUNT]
    return scan.model_copy(update={"findings": tuple(_kept_finding(one) for one in worst), "error_line_numbers": ()})


def _kept_finding(finding: LogFinding) -> LogFinding:
    # A log may hold half of a surrogate pair, which no file in UTF-8 can; its trace is in the log itself.
    sample = _utf8(finding.sample[:SAMPLE_LIMIT_COUNT])
    return finding.model_copy(update={"template": _utf8(finding.template), "sample": sample, "exception": None})


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
