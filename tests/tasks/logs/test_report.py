"""What a report says of what was found: kind, template, times, rate, and the JSON that others rely on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clients.logs.scan_logs import logs_check, scan_log
from tasks.model.logs.findings import LogKind
from tasks.rules.logs.groups import template_of
from tasks.rules.logs.line_time import time_of
from tasks.rules.logs.log_report import to_json
from tasks.rules.logs.words import kind_of
from tasks.settings import ServiceSettings
from tests.tasks.logs.asking import NOW, question, written

LOG = b"""\
2026-11-22T14:30:00Z INFO orders - started, 0 errors
2026-11-22T15:10:00Z ERROR orders - gateway XNAS timed out order=17
2026-11-22T15:40:00Z ERROR orders - gateway XNAS timed out order=18
2026-11-22T16:20:00Z ERROR orders - gateway XNAS timed out order=19
2026-11-22T16:30:00+00:00 ERROR orders - gateway XNAS timed out order=20
2026-11-22T17:45:00+01:00 ERROR orders - order 21 rejected by XNAS: "price off"
2026-11-22T16:59:00Z INFO orders - done
"""

KEYS = (
    "kind severity template count first_line last_line first_at last_at sample exception is_new".split()  # noqa: SIM905
)


def test_the_json_has_the_shape_that_others_rely_on(tmp_path: Path) -> None:
    """Scripts of the desk read these keys."""
    scan = scan_log(written(tmp_path, LOG), question(line_numbers=True))
    table = to_json(scan, line_numbers=True)

    assert list(table)[1:6] == ["lines", "bytes", "error_lines", "error_line_numbers", "findings"]
    assert (table["lines"], table["bytes"], table["error_lines"]) == (7, len(LOG), 5)
    assert table["error_line_numbers"] == [2, 3, 4, 5, 6]
    first = table["findings"][0]
    assert list(first)[:11] == KEYS
    assert (first["kind"], first["severity"], first["count"], first["first_line"], first["last_line"]) == (
        "timeout",
        "error",
        4,
        2,
        5,
    )
    assert (first["first_at"], first["last_at"]) == ("2026-11-22T15:10:00.000Z", "2026-11-22T16:30:00.000Z")
    assert first["exception"] is None
    assert "error_line_numbers" not in to_json(scan)


def test_the_rate_is_that_of_the_last_hour_against_the_hour_before(tmp_path: Path) -> None:
    """Twice as many as an hour ago is what a person wants to hear."""
    rates = {finding.kind: finding.rate for finding in scan_log(written(tmp_path, LOG), question()).findings}

    assert (rates[LogKind.TIMEOUT].last_hour_count, rates[LogKind.TIMEOUT].hour_before_count) == (2, 2)
    assert rates[LogKind.TIMEOUT].ratio == 1.0
    assert rates[LogKind.REJECT].ratio is None


def test_only_what_came_after_the_release_is_new(tmp_path: Path) -> None:
    """An error that was there before the release is not the release's."""
    scan = scan_log(written(tmp_path, LOG), question(released_at="2026-11-22T16:25:00Z"))

    assert {finding.kind: finding.is_new for finding in scan.findings} == {LogKind.TIMEOUT: False, LogKind.REJECT: True}


def test_since_leaves_out_what_is_older(tmp_path: Path) -> None:
    """Times are compared as times, whatever their offset."""
    scan = scan_log(written(tmp_path, LOG), question(since="2026-11-22T16:25:00Z", line_numbers=True))

    assert scan.error_line_numbers == (5, 6)
    assert scan.lines == 7


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("gateway XNAS timed out", LogKind.TIMEOUT),
        ("context deadline exceeded", LogKind.TIMEOUT),
        ("connect ECONNREFUSED 127.0.0.1:8701", LogKind.DEPENDENCY),
        ("gateway XNAS is unreachable", LogKind.DEPENDENCY),
        ("order 17 rejected by venue: price off", LogKind.REJECT),
        ("write failed: No space left on device", LogKind.STORAGE),
        ("database is locked", LogKind.STORAGE),
        ("something odd", LogKind.OTHER),
    ],
)
def test_the_kind_is_what_the_words_say(text: str, kind: LogKind) -> None:
    """The kind decides whom the finding concerns."""
    assert kind_of(text, has_exception=False) is kind


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("order 17 of 4.5 ms", "order <n> of <n> ms"),
        ("order=08f3ab12 id=6b1f2c3d-1111-2222-3333-444455556666", "order=<n> id=<id>"),
        ("cannot reach 10.0.0.7:8701", "cannot reach <address>"),
        ('bad symbol "ZVZZT" in /var/lib/orders/book-7.db', "bad symbol <text> in <path>"),
        ("gateway XNAS down", "gateway XNAS down"),
    ],
)
def test_a_template_masks_what_varies_and_keeps_names(text: str, template: str) -> None:
    """Two gateways that are down are two findings; two orders that fail in the same way are one."""
    assert template_of(text) == template


AT = datetime(2026, 11, 22, 16, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22T16:11:02Z x",
        "2026-11-22 17:11:02+01:00 x",
        "[2026-11-22 16:11:02,000] x",
        "2026/11/22 16:11:02 [error] x",
        '127.0.0.1 - - [22/Nov/2026:16:11:02 +0000] "GET / HTTP/1.1" 500',
        "Nov 22 16:11:02 host app[1]: x",
        "<11>1 2026-11-22T16:11:02.000Z host app - - x",
        "[Sun Nov 22 16:11:02 2026] [core:error] x",
        "E1122 16:11:02.000000 1 x.go:1] x",
        "E20261122 16:11:02.000000 1 x.cc:1] x",
        "11-22 16:11:02.000 1 1 E x: x",
        "[E 261122 16:11:02 web:1] x",
        "Nov 22, 2026 4:11:02 PM com.acme.Router send",
        "20261122T161102Z x",
        "1795363862 x",
        '{"time":1795363862000,"msg":"x"}',
    ],
)
def test_a_time_is_read_in_all_usual_forms(line: str) -> None:
    """Times are aware and in UTC; a missing year is the one that makes it the past."""
    assert time_of(line.replace('"time":', '"time": '), NOW) == AT


async def test_a_log_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    """One blind eye, the other sees."""
    look = await logs_check(
        ServiceSettings(log_files=(tmp_path / "none.log", written(tmp_path, LOG))), tmp_path / "state", question()
    )

    assert [scan.error_lines for scan in look.scans] == [5]
    assert [reason.partition(":")[0] for reason in look.blind] == ["FILE_UNREADABLE"]
