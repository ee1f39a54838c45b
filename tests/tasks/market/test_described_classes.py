"""The market of a class that a service's own description names, with days that its calendar does not have."""

from datetime import datetime
from pathlib import Path

import pytest

from tasks.clients.market.hours import market_check, markets_at
from tasks.model.errors import Code, RunbookError
from tasks.model.market.market import MarketHours, MarketSession
from tasks.model.probes.orders import AssetClass
from tasks.settings import ServiceSettings, load_settings

OPTION = AssetClass("option")


def described(**classes: dict[str, object]) -> ServiceSettings:
    """A service that describes its asset classes so."""
    return ServiceSettings.model_validate({"asset_classes": classes})


def hours(at: str, name: str = "option", **described_as: object) -> MarketHours:
    """How the market of one described class stands at a time."""
    return market_check(described(**{name: described_as}), AssetClass(name), datetime.fromisoformat(at))


@pytest.mark.parametrize("calendar", ["XCBF", "24/7", "fx", "FX"])
def test_any_class_trades_by_the_calendar_that_is_named(calendar: str) -> None:
    """On a Tuesday at noon in Chicago each of them is open."""
    assert hours("2026-12-01T18:00Z", calendar=calendar).open


def test_a_class_that_nobody_gave_a_calendar_names_the_key_to_set() -> None:
    """Its hours would be a guess; it is left out where all markets are listed, and counts as open."""
    with pytest.raises(RunbookError, match=r"set asset_classes\.option\.calendar") as caught:
        hours("2026-12-01T18:00Z")

    assert caught.value.code is Code.BAD_SETTING
    assert markets_at(described(option={}, fx={}), datetime.fromisoformat("2026-12-01T18:00Z"))[0].asset_class == "fx"


@pytest.mark.parametrize(
    ("at", "is_open", "next_open", "next_close"),
    [
        ("2026-12-23T15:00Z", True, "2026-12-28T14:30Z", "2026-12-23T21:00Z"),
        ("2026-12-24T15:00Z", False, "2026-12-28T14:30Z", "2026-12-28T21:00Z"),
    ],
)
def test_an_extra_holiday_is_closed_and_the_next_opening_knows_it(
    at: str, is_open: bool, next_open: str, next_close: str
) -> None:
    """A reject on a holiday of the desk's own is no fault."""
    found = hours(at, calendar="XNYS", extra_holidays=["2026-12-24"])

    assert (found.open, found.next_close) == (is_open, datetime.fromisoformat(next_close))
    assert found.next_open == datetime.fromisoformat(next_open)
    assert found.calendar == "XNYS, amended"


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-02-01T03:44:59Z", False),
        ("2026-02-01T03:45:00Z", True),
        ("2026-02-01T09:59:59Z", True),
        ("2026-02-01T10:00:00Z", False),
    ],
)
def test_an_extra_session_is_open_from_its_first_instant_to_its_last(at: str, is_open: bool) -> None:
    """Silence on a trading Sunday is a fault."""
    found = hours(at, calendar="XNYS", extra_sessions=["2026-02-01T03:45Z/2026-02-01T10:00Z"])

    assert found.open is is_open


def test_days_of_ones_own_hold_also_where_the_library_is_put_right() -> None:
    """The trading Sunday of Bombay is ours to add; whoever trades no option on it says so."""
    told = hours("2026-02-01T06:00Z", calendar="XBOM", extra_holidays=["2026-02-01"])

    assert not told.open


def test_a_market_that_never_closes_may_have_a_day_off() -> None:
    """It is open up to the day and after it, and names no closing where its list of days ends."""
    day = {"calendar": "24/7", "extra_holidays": ["2026-12-25"]}
    before, on, after, far = (
        hours(at, "swap", **day)
        for at in ("2026-12-24T23:59Z", "2026-12-25T00:00Z", "2026-12-26T00:00Z", "2026-06-01T00:00Z")
    )

    assert [one.open for one in (before, on, after, far)] == [True, False, True, True]
    assert (before.next_close, before.next_open) == (on.at, after.at)
    assert (on.next_open, on.next_close, on.session) == (after.at, None, MarketSession.HOLIDAY)
    assert (after.next_open, after.next_close, far.next_close) == (None, None, None)


@pytest.mark.parametrize(
    "interval",
    [
        "2026-02-01T10:00Z/2026-02-01T03:45Z",
        "2026-02-01T03:45/2026-02-01T10:00",
        "2026-02-01",
        "a/b",
        "2026-02-01T03:45Z/",
    ],
)
def test_an_interval_that_is_none_names_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, interval: str) -> None:
    """A time without an offset would be a guess."""
    config = tmp_path / "runbook.toml"
    config.write_text(f'[services.oms.asset_classes.option]\nextra_sessions = ["{interval}"]\n')
    monkeypatch.setenv("RUNBOOK_CONFIG", str(config))

    with pytest.raises(RunbookError, match=r"services\.oms\.asset_classes\.option\.extra_sessions\.0"):
        load_settings()
