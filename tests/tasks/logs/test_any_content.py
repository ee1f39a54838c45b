"""No content of a file raises, hangs, or makes memory grow; both engines find the same."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.clients.logs.engine import RegexEngine
from tasks.clients.logs.scan_logs import scan_log
from tasks.model.logs.findings import Severity
from tasks.rules.logs.line import severity_of, text_of_line
from tasks.rules.logs.log_report import to_json
from tests.tasks.logs.asking import hyperscan_engine, needs_hyperscan, question, written
from tests.tasks.logs.samples import LINES

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = st.sampled_from([
    "error", "ERROR", "Error:null", "errors=0", "level=", '"level":', '"severity":"', "30", "50", "17,", "3", "E",
    'W"', "INFO", "WARN", "[error]", "<11>", "<14>1", "E1122", "16:11:02.123", "2026-11-22T16:11:02Z", "timeout=30",
    "timed", "out", "refused", "rejected", 'reject":null', "fail", "failed", "failover", "0", "no", "zero", "panic:",
    "goroutine", "1", "[running]:", "\tat", "at", "Traceback", "(most", "recent", "call", "last):", "Caused", "by:",
    "\x00", "\x1b[31m", "ÿ", "{", "}", "{", '{"', '"msg":"', '"}"', ",", "|", "-", ":", ";", "]", "[", "Sanitizer:",
    "err", "crit", "exc_info", "ENOSPC", "lvl=E", "lvl='E'", '"s":"E"', '"level"', ":", "\t", "\r",
])  # fmt: skip
PIECES = st.one_of(
    WORDS.map(str.encode),
    st.sampled_from([line.encode() for _, line, _ in LINES]),
    st.binary(max_size=12),
    st.just(b" "),
    st.just(b"\n"),
)
CONTENT = st.lists(PIECES, max_size=60).map(b"".join)


def naive_error_lines(content: bytes) -> list[int]:
    """Read every line, without an engine; for content without traces."""
    lines = content.split(b"\n")
    lines = lines[:-1] if not lines[-1] else lines
    severities = [severity_of(text_of_line(line))[0] for line in lines]
    return [
        number for number, severity in enumerate(severities, 1) if severity is not None and severity >= Severity.ERROR
    ]


def has_trace(content: bytes) -> bool:
    """Say whether a line may be taken by a trace, whose lines are no error lines of their own."""
    return any(
        mark in content
        for mark in (
            b"Traceback",
            b"at ",
            b"panic: ",
            b"goroutine",
            b"Sanitizer",
            b".rb:",
            b"fatal error",
            b"runtime error",
        )
    )


@fuzz
@given(content=CONTENT)
def test_no_content_raises_and_every_line_is_counted(tmp_path: Path, content: bytes) -> None:
    """Whatever a broken disk or a hostile client writes into a log, the check ends in a value."""
    scan = scan_log(written(tmp_path, content), question(line_numbers=True))

    assert scan.bytes == len(content)
    assert scan.lines == content.count(b"\n") + (content[-1:] not in (b"", b"\n"))
    assert scan.complete
    json.dumps(to_json(scan, line_numbers=True))


@fuzz
@given(content=CONTENT.filter(lambda content: not has_trace(content)))
def test_the_engine_misses_no_line_that_a_full_reading_finds(tmp_path: Path, content: bytes) -> None:
    """The fast way and the slow way count the same error lines."""
    scan = scan_log(written(tmp_path, content), question(line_numbers=True))

    assert list(scan.error_line_numbers) == naive_error_lines(content)
    assert scan.error_lines == len(scan.error_line_numbers)


VALUES = (b"null", b"nul", b"none", b"false", b"0", b"0.0", b'""', b"''", b"[]", b"{}", b"[", b"{", b'"', b"", b"ok")
SIGNS = (b":", b": ", b'":', b'": ', b'" :', b"=")
ENDS = (b"", b" pointer", b", x", b" x=1", *(bytes((one,)) for one in b"\0\t\r\x1b !\"'(),-./:;<=?[]{|}x0\xff"))


@pytest.mark.parametrize("sign", SIGNS)
def test_the_engine_reads_what_follows_a_value_as_a_full_reading_does(tmp_path: Path, sign: bytes) -> None:
    """A value that says that there was none, and each sign behind it: `null,` is none, `null pointer` is one."""
    for word in (b"error", b'{"reject'):
        lines = [word + sign + value + end for value in VALUES for end in ENDS]
        content = b"\n".join(lines) + b"\n"
        scan = scan_log(written(tmp_path, content), question(line_numbers=True))

        wrong = set(naive_error_lines(content)) ^ set(scan.error_line_numbers)
        assert [lines[number - 1] for number in sorted(wrong)] == []


@needs_hyperscan
@fuzz
@given(content=CONTENT)
def test_both_engines_give_the_same_findings(tmp_path: Path, content: bytes) -> None:
    """Without a wheel the report is the same, only later."""
    path = written(tmp_path, content)
    one, other = (scan_log(path, question(line_numbers=True), engine) for engine in (RegexEngine(), hyperscan_engine()))

    assert one.model_copy(update={"engine": ""}) == other.model_copy(update={"engine": ""})
