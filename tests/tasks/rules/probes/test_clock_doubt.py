"""A person sets a time by a clock that is off: it is said, and said which way it goes wrong."""

from datetime import timedelta

import pytest

from tasks.model.errors import Code
from tasks.rules.probes.clock_skew import LEDGER, clock_doubt
from tests.fakes.incident.observations import NOW

HOUR = timedelta(hours=1)
PREFECT = "Prefect's server"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({PREFECT: NOW + HOUR}, "3600 s behind it; every time set here ends 3600 s too early"),
        ({LEDGER: NOW + HOUR}, "3600 s behind it; every time set here ends 3600 s too early"),
        ({PREFECT: NOW - HOUR}, "3600 s ahead of it; every time set here ends 3600 s too late"),
        ({PREFECT: NOW + timedelta(seconds=61), LEDGER: NOW - HOUR}, "61 s behind it"),
    ],
)
def test_a_clock_that_is_an_hour_off_is_said(others: dict[str, object], said: str) -> None:
    """An incident was held an hour too long, or not at all, and nobody read why."""
    doubt = clock_doubt(NOW, others)  # type: ignore[arg-type]

    assert doubt is not None
    assert doubt.startswith(f"{Code.CLOCK_DIFFERS}: ")
    assert said in doubt


@pytest.mark.parametrize(
    "others",
    [
        {},
        {PREFECT: None, LEDGER: None},
        {PREFECT: NOW + timedelta(seconds=60), LEDGER: NOW},
        {PREFECT: NOW - timedelta(seconds=60)},
        {LEDGER: NOW - 100 * HOUR},
    ],
    ids=str,
)
def test_nothing_is_said_where_nothing_speaks_against_the_clock(others: dict[str, object]) -> None:
    """A quiet ledger's newest line is old; that is no clock that is off."""
    assert clock_doubt(NOW, others) is None  # type: ignore[arg-type]
