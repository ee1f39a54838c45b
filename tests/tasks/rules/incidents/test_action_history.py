"""Budgets are counted from the file, in the file's order; no clock and no forged line gives one back."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.incidents.incident import Action, Event, LedgerRecord, Outcome, Source
from tasks.rules.incidents.action_history import REARMED_TYPE, ActionHistory, action_history

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SERVICE = "order-service"
DAY_AGO = NOW - timedelta(days=1)


def started(key: str, at: datetime) -> LedgerRecord:
    """The beginning of one restart."""
    details = {"action": Action.RESTART_SERVICE, "key": key}
    return LedgerRecord(timestamp=at, type="x", service=SERVICE, event=Event.ACTION_STARTED, details=details)


def finished(key: str, at: datetime, outcome: Outcome) -> LedgerRecord:
    """The end of one restart."""
    details = {"action": Action.RESTART_SERVICE, "key": key, "outcome": outcome}
    return LedgerRecord(timestamp=at, type="x", service=SERVICE, event=Event.ACTION_FINISHED, details=details)


def rearm(at: datetime, source: str | None = Source.OPERATOR) -> LedgerRecord:
    """A line that says re-armed."""
    return LedgerRecord(timestamp=at, type=REARMED_TYPE, service=SERVICE, event=Event.ACKNOWLEDGED, source=source)


def restarts(history: ActionHistory) -> int:
    """How many restarts count for the day."""
    return history.count_since(Action.RESTART_SERVICE, DAY_AGO)


def ago(minutes: float) -> datetime:
    """So many minutes before now."""
    return NOW - timedelta(minutes=minutes)


def test_a_rearm_forgives_what_stands_before_it_and_nothing_after() -> None:
    """A person took the responsibility for what was, not for what comes."""
    records = [started("a", ago(9)), rearm(ago(8)), started("b", ago(7))]

    assert [one.key for one in action_history(records, SERVICE, NOW).actions] == ["b"]


def test_a_rearm_from_the_future_does_not_open_the_budget_for_ever() -> None:
    """One line written under a wrong clock must not switch the budget off."""
    records = [rearm(NOW + timedelta(days=400)), started("a", ago(2)), started("b", ago(1))]

    assert restarts(action_history(records, SERVICE, NOW)) == 2


@pytest.mark.parametrize("source", [Source.TRIAGE, Source.ORDER_SERVICE, None, "nobody"])
def test_only_a_person_rearms(source: str | None) -> None:
    """A service that writes the ledger must not give itself a new budget."""
    records = [started("a", ago(2)), rearm(ago(1), source)]

    assert restarts(action_history(records, SERVICE, NOW)) == 1


@pytest.mark.parametrize("stamp", [datetime(1970, 1, 1, tzinfo=UTC), NOW + timedelta(days=9)])
def test_a_restart_under_a_wrong_clock_still_counts(stamp: datetime) -> None:
    """After a clock jump the place in the file says when it was."""
    records = [started("a", ago(3)), started("b", stamp)]

    assert restarts(action_history(records, SERVICE, NOW)) == 2


def test_one_line_from_the_future_does_not_make_old_restarts_new() -> None:
    """A wrong clock elsewhere must not spend the budget either."""
    records = [rearm(NOW + timedelta(days=9)), started("a", NOW - timedelta(days=3))]

    assert restarts(action_history(records, SERVICE, NOW)) == 0


def test_a_restart_counts_whatever_its_end_says_later() -> None:
    """An outcome that is written over does not undo what was done."""
    records = [started("a", ago(2)), finished("a", ago(1), Outcome.DONE), finished("a", ago(1), Outcome.REFUSED)]

    assert restarts(action_history(records, SERVICE, NOW)) == 1


def test_a_restart_counts_when_its_incident_can_no_longer_be_read() -> None:
    """The line that opened the incident may be garbled; the restart happened all the same."""
    assert restarts(action_history([started("a", ago(2))], SERVICE, NOW)) == 1


def test_two_restarts_without_a_key_are_two() -> None:
    """A line that lost its key is still an action, and its end is not known."""
    bare = [
        started("", ago(2)).model_copy(update={"line": number, "details": {"action": "restart_service"}})
        for number in (4, 9)
    ]

    history = action_history(bare, SERVICE, NOW)

    assert restarts(history) == 2
    assert len(history.half_done) == 2
