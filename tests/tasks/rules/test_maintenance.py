"""Maintenance windows, folded from the ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.incident import LedgerRecord, Source
from tasks.model.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.rules.maintenance import maintenance_at

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SERVICE = "order-service"


def started(minutes_ago: float = 10, for_minutes: float = 30, **changes: object) -> LedgerRecord:
    """A person's word that a window opens."""
    at = NOW - timedelta(minutes=minutes_ago)
    details = {"until": (at + timedelta(minutes=for_minutes)).isoformat(), "reason": "new disk", "by": "kim"}
    base = {"timestamp": at, "type": STARTED_TYPE, "service": SERVICE, "source": Source.OPERATOR, "details": details}
    return LedgerRecord.model_validate({**base, **changes})


def ended(minutes_ago: float = 0) -> LedgerRecord:
    """A person's word that it is over."""
    at = NOW - timedelta(minutes=minutes_ago)
    return LedgerRecord(timestamp=at, type=ENDED_TYPE, service=SERVICE, source=Source.OPERATOR)


def test_a_window_is_open_until_its_end() -> None:
    """While people work on the service, nobody is paged for it."""
    window = maintenance_at([started()], SERVICE, NOW)

    assert window
    assert (window.reason, window.by) == ("new disk", "kim")
    assert window.until == NOW + timedelta(minutes=20)
    assert maintenance_at([started()], SERVICE, window.until) is None


def test_a_person_ends_it_before_its_time() -> None:
    """The work is done: from now on people are paged again."""
    assert maintenance_at([started(), ended()], SERVICE, NOW) is None


def test_the_last_word_decides_by_its_place_in_the_file() -> None:
    """A start after an end opens again, and a later start shortens or extends; a wrong clock changes nothing of it."""
    assert maintenance_at([started(), ended(-60), started(5)], SERVICE, NOW)
    assert maintenance_at([started(10, 300), started(9, 5)], SERVICE, NOW) is None


@pytest.mark.parametrize("source", [Source.TRIAGE, Source.ORDER_SERVICE, None])
def test_only_a_person_opens_a_window(source: Source | None) -> None:
    """The service that is sick must not be able to silence its own alarm."""
    assert maintenance_at([started(source=source)], SERVICE, NOW) is None


def test_a_window_of_another_service_is_none_of_ours() -> None:
    """Two services may share a file."""
    assert maintenance_at([started(service="other"), started(service=None)], SERVICE, NOW) is None


def test_no_window_is_endless() -> None:
    """A typing error or a forged line silences a day at most."""
    forged = started(0, 10 * 365 * 1440)

    window = maintenance_at([forged], SERVICE, NOW)

    assert window
    assert window.until == NOW + timedelta(days=1)
    assert maintenance_at([forged], SERVICE, NOW + timedelta(days=1)) is None


def test_a_start_from_the_future_opens_nothing_now() -> None:
    """A line with a wrong clock must not move the bound of a day."""
    assert maintenance_at([started(-6)], SERVICE, NOW) is None
    assert maintenance_at([started(-4)], SERVICE, NOW)


@pytest.mark.parametrize("details", [{}, {"until": None}, {"until": "later"}, {"until": True}, {"until": [1]}])
def test_a_start_without_an_end_is_none_and_leaves_the_one_before(details: dict[str, object]) -> None:
    """What cannot be read as a window is no window."""
    assert maintenance_at([started(details=details)], SERVICE, NOW) is None
    assert maintenance_at([started(), started(details=details)], SERVICE, NOW)
