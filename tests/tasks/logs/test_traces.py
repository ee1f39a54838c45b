"""One stack trace is one finding that names the exception, wherever it stands."""

import json
from pathlib import Path

import pytest

from tasks.clients.logs.scan_logs import scan_log
from tasks.model.logs.findings import LogFinding, LogKind, LogScan, Severity
from tests.tasks.logs.asking import question
from tests.tasks.logs.traces import TRACES, Trace

RECORD = "2026-11-22 16:11:02,123 ERROR [worker-1] orders - order failed\n"
OTHER = "2026-11-22 16:11:02,124 INFO [worker-2] orders - order accepted, 0 errors\n"

every_trace = pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.name)


def scan_of(folder: Path, text: str) -> LogScan:
    """Scan a text as a log file."""
    log = folder / "service.log"
    log.write_text(text)
    return scan_log(log, question(line_numbers=True))


def only(scan: LogScan) -> LogFinding:
    """Take the one finding."""
    assert len(scan.findings) == 1, [finding.template for finding in scan.findings]
    return scan.findings[0]


def assert_names(finding: LogFinding, trace: Trace) -> None:
    """Compare with what a person would name."""
    seen = finding.exception
    assert seen is not None
    assert finding.kind is LogKind.STACK_TRACE
    assert (seen.type, seen.frame or "") == (trace.type, trace.frame)
    assert seen.message.startswith(trace.message)
    assert (seen.root_cause.type if seen.root_cause else None) == trace.root


@every_trace
def test_a_trace_alone_is_one_finding_and_one_error_line(tmp_path: Path, trace: Trace) -> None:
    """What a dying process leaves on stderr carries no level, and is the most important line of all."""
    scan = scan_of(tmp_path, OTHER + trace.text + OTHER)

    finding = only(scan)
    assert_names(finding, trace)
    assert (finding.count, finding.severity, scan.error_lines) == (1, Severity.ERROR, 1)


@every_trace
def test_a_trace_below_its_record_is_the_same_event(tmp_path: Path, trace: Trace) -> None:
    """A record and its trace are one error, not two."""
    scan = scan_of(tmp_path, OTHER + RECORD + trace.text + OTHER)

    finding = only(scan)
    assert_names(finding, trace)
    assert scan.error_line_numbers == (2,)
    assert finding.first_line == 2


@every_trace
def test_lines_of_another_thread_do_not_break_a_trace(tmp_path: Path, trace: Trace) -> None:
    """Threads share one file; their lines come between."""
    lines = trace.text.splitlines(keepends=True)
    mixed = "".join(line if index == len(lines) - 1 else line + OTHER for index, line in enumerate(lines))

    scan = scan_of(tmp_path, RECORD + mixed + OTHER)

    assert_names(only(scan), trace)
    assert scan.error_lines == 1


@every_trace
def test_a_trace_at_the_end_without_a_newline_is_read(tmp_path: Path, trace: Trace) -> None:
    """A killed process does not finish its last line."""
    assert_names(only(scan_of(tmp_path, OTHER + trace.text.rstrip("\n"))), trace)


@every_trace
def test_windows_line_ends_do_not_hide_a_trace(tmp_path: Path, trace: Trace) -> None:
    """The same trace with CRLF."""
    log = tmp_path / "service.log"
    log.write_bytes((OTHER + trace.text + OTHER).replace("\n", "\r\n").encode())

    assert_names(only(scan_log(log, question())), trace)


@every_trace
@pytest.mark.parametrize("key", ["exc_info", "stack_trace", "stack", "exception"])
def test_a_trace_inside_a_field_is_read_too(tmp_path: Path, trace: Trace, key: str) -> None:
    """Structured logs keep the trace in one line."""
    line = json.dumps({"timestamp": "2026-11-22T16:11:02Z", "level": "ERROR", "msg": "order failed", key: trace.text})

    assert_names(only(scan_of(tmp_path, line + "\n")), trace)


@every_trace
@pytest.mark.parametrize(
    "prefix", ["Nov 22 16:11:{:02d} host orders[12]: ", "2026-11-22T16:11:{:02d}.123456789Z stderr F "]
)
def test_a_trace_behind_syslog_or_a_container_is_one_finding(tmp_path: Path, trace: Trace, prefix: str) -> None:
    """Syslog and container runtimes put a head before every line."""
    text = "".join(prefix.format(index) + line for index, line in enumerate(trace.text.splitlines(keepends=True)))

    assert_names(only(scan_of(tmp_path, text)), trace)


def test_two_threads_with_prefixes_are_two_traces(tmp_path: Path) -> None:
    """Two traces whose lines alternate are told apart by the head of their lines."""
    lines = TRACES[0].text.splitlines()
    text = "".join(f"2026-11-22 16:11:02,123 [worker-{worker}] {line}\n" for line in lines for worker in (1, 2))

    scan = scan_of(tmp_path, text)

    assert [finding.count for finding in scan.findings] == [2]
    assert scan.error_lines == 2


def test_the_same_trace_again_is_the_same_finding(tmp_path: Path) -> None:
    """A crash loop is one line in the report, with its count."""
    scan = scan_of(tmp_path, (OTHER + RECORD + TRACES[5].text) * 50)

    assert only(scan).count == 50
    assert (only(scan).first_line, scan.error_lines) == (2, 50)
