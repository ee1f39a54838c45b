"""Times that begin with the day and name the month: Apache's, Tomcat's, log4j's, and the head of a mail."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tasks.rules.logs.line_time import time_of

NOW = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
AT = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        '127.0.0.1 - - [27/Nov/2026:14:00:00 +0000] "GET /health" 200',
        "27-Nov-2026 14:00:00.000 SEVERE [main] org.apache.catalina.Lifecycle failed",
        "27 Nov 2026 14:00:00,000 ERROR OrderRouter - refused",
        "Fri, 27 Nov 2026 14:00:00 GMT worker: refused",
        "27-Nov-2026 15:00:00 +01:00 [E] desk: refused",
    ],
)
def test_the_time_is_read(line: str) -> None:
    """An error without a time is in no picture of the incident."""
    assert time_of(line, NOW) == AT


def test_a_time_without_an_offset_is_in_the_zone_of_its_host() -> None:
    """And one that says GMT is not."""
    zone = ZoneInfo("America/New_York")

    assert time_of("27-Nov-2026 09:00:00 [E] desk: refused", NOW, zone) == AT
    assert time_of("Fri, 27 Nov 2026 14:00:00 GMT desk: refused", NOW, zone) == AT


@pytest.mark.parametrize("line", ["31-Feb-2026 14:00:00 x", "27-Nix-2026 14:00:00 x", "order 1234 Nov 2026 14:00 x"])
def test_what_is_no_date_is_no_time(line: str) -> None:
    """A number of a message is not taken for a clock."""
    assert time_of(line, NOW) is None
