"""Times as other people's programs write them: read right, or not at all."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.formats.time import parse_time, utc_text
from tasks.rules.incidents.parse import parse_lines

AT = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# From 2001 to 2200, to the microsecond.
MOMENTS = st.integers(978_307_200 * 10**6, 7_258_118_400 * 10**6).map(lambda one: EPOCH + timedelta(microseconds=one))


@given(moment=MOMENTS, unit=st.sampled_from([1, 10**3, 10**6, 10**9]), as_text=st.booleans())
def test_an_epoch_number_is_read_by_its_size_also_as_text(moment: datetime, unit: int, as_text: bool) -> None:
    """One stamp in two hundred was a date of the year 1796, and budgets and timers counted by it."""
    number = (moment - EPOCH) // timedelta(microseconds=1) * unit // 10**6

    found = parse_time(str(number) if as_text else number)

    assert found is not None
    assert abs(found - moment) <= timedelta(seconds=1 / unit, microseconds=1)


@given(moment=MOMENTS)
def test_what_we_write_we_read(moment: datetime) -> None:
    """To the millisecond."""
    assert parse_time(utc_text(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29T10:00:00Z",
        "2026-11-29t10:00:00z",
        "2026-11-29 10:00:00",
        "2026-11-29 10:00:00 UTC",
        "2026-11-29 10:00:00 +0000",
        "2026-11-29 10:00:00 +0000 UTC",
        "2026-11-29 11:00:00 +0100 CET m=+0.012345",
        "2026-11-29T05:00:00-05:00[America/New_York]",
        "2026-11-29T11:00:00[Europe/Berlin]",
        "2026-11-29T10:00:00Z[UTC]",
        "2026-11-29T10:00:00.000+00:00[UTC]",
        "2026-11-29T10:00:00,000Z",
        "2026-11-29T09:59:60Z",
        "2026-11-29T10:00Z",
        "20261129T100000Z",
        "20261129-10:00:00.000",
        "20261129100000",
        "20261129100000000",
        "2026/11/29 10:00:00",
        "29/Nov/2026:10:00:00 +0000",
        "Sun, 29 Nov 2026 10:00:00 GMT",
        "Sun Nov 29 10:00:00 2026",
        "Sun Nov 29 10:00:00 UTC 2026",
        "2026-W48-7T10:00:00Z",
        "2026-333T10:00:00Z",
        " 2026-11-29T15:30:00+0530 ",
    ],
)
def test_a_time_is_read_in_the_forms_that_programs_write(text: str) -> None:
    """Go, Java, Python, FIX, syslog, web servers: a line whose time is refused is an incident that nobody sees."""
    assert parse_time(text) == AT


@pytest.mark.parametrize(
    "table",
    [
        {"$date": "2026-11-29T10:00:00Z"},
        {"$date": 1795946400000},
        {"$date": {"$numberLong": "1795946400000"}},
        {"seconds": 1795946400, "nanos": 5},
    ],
)
def test_a_time_in_a_table_is_read(table: dict[str, object]) -> None:
    """MongoDB and protobuf write it so."""
    assert parse_time(table) == AT


@pytest.mark.parametrize(
    "value",
    [
        *("", "0", 0, -1, None, True, float("nan"), float("inf"), "1e99", "9" * 30, "9" * 10_000, [], {}),
        *({"$date": {"$date": {}}}, {"$date": None}, {"seconds": "x"}),
        *("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1796-01-25T12:34:05Z", 5, 12345.6, "1796"),
        *("11/29/2026 10:00:00", "Nov 29 10:00:00", "2026-11-29T10:00:00 CST", "2026-13-01", "2026-11-29T25:00:00Z"),
        *("2026-11-29T10:00:00+99:00", "2026-11-29T10:00:00[Mars/Base]", "2026-11-29T10:00:00[../../etc]", "2026-366"),
        *("2026-11-29T10:00:61Z", "2026-11-29T24:01:00Z", "٢٠٢٦-11-29T10:00:00Z", "1_796_033_000", "tomorrow"),
    ],
)
def test_what_is_no_time_or_may_be_two_is_none(value: object) -> None:
    """A wrong time is worse than none: a budget counts by it, and nobody is notified."""
    assert parse_time(value) is None


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b'\xef\xbb\xbf{"timestamp":"2026-11-29T10:00:00Z","type":"a"}\r\n\r\n', 1),
        (b'{"timestamp":"2026-11-29T10:00:00Z","type":"a"},\n{"timestamp":"2026-11-29T10:00:01Z","type":"b"},\n', 2),
        ('\ufeff{"timestamp":"2026-11-29T10:00:00Z","type":"a"}\n'.encode("utf-16-le"), 1),
        ('\ufeff{"timestamp":"2026-11-29T10:00:00Z","type":"ü"}\n'.encode("utf-16-be"), 1),
        (rb'{"timestamp":"2026-11-29T10:00:00Z","type":"a","summary":"\ud83d"}' + b"\n", 1),
    ],
)
def test_a_ledger_with_marks_commas_and_cut_characters_is_read(data: bytes, count: int) -> None:
    """Editors, PowerShell and programs that cut a text leave these; the first line was lost each time."""
    ledger = parse_lines(data)

    assert (len(ledger.records), ledger.skipped) == (count, ())
    assert ledger.records[0].timestamp == AT
    assert ledger.model_dump_json()


def test_a_line_without_a_time_is_counted_and_named() -> None:
    """Go's zero time is the absence of one: such a line is not the oldest failure of all."""
    ledger = parse_lines(orjson.dumps({"timestamp": "0001-01-01T00:00:00Z", "type": "x"}))

    assert ledger.records == ()
    assert [one.line for one in ledger.skipped] == [1]
