"""How long a page may stay unanswered, and whether a person has the incident: to the second."""

from datetime import datetime, timedelta

import pytest

from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.escalation import MarketClock
from tasks.model.incidents.incident import IncidentState
from tasks.model.market.market import MarketHours, MarketSession
from tasks.model.probes.orders import AssetClass
from tasks.rules.escalation.timers import acknowledged_until, is_acknowledged, page_interval_s
from tasks.rules.incidents.action_history import CLOCK_SLACK
from tests.fakes.incident.observations import NOW

LIMITS = EscalationLimits()
EQUITY, FX = AssetClass.EQUITY, AssetClass.FX


def market(
    is_open: bool, opens_s: float | None = None, closes_s: float | None = None, asset_class: AssetClass = EQUITY
) -> MarketHours:
    """The hours of one class; it opens and closes so many seconds from now."""

    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    return MarketHours(
        asset_class=asset_class,
        calendar="XNYS",
        at=NOW,
        open=is_open,
        session=next(iter(MarketSession)),
        next_open=at(opens_s),
        next_close=at(closes_s),
    )


def interval(now: tuple[MarketHours, ...], before: tuple[MarketHours, ...] = (), *classes: AssetClass) -> float:
    """The seconds between two pages."""
    return page_interval_s(MarketClock(now=now, before=before), classes, LIMITS, NOW)


@pytest.mark.parametrize(
    ("now", "before", "seconds"),
    [
        ((), (), 300.0),
        ((market(True, closes_s=901),), (), 300.0),
        ((market(True, closes_s=900),), (), 120.0),
        ((market(False, opens_s=901),), (), 1800.0),
        ((market(False, opens_s=900),), (), 120.0),
        ((market(True, opens_s=10, closes_s=None),), (), 300.0),
        ((market(True, closes_s=9000),), (market(False),), 120.0),
        ((market(False, opens_s=9000),), (market(True),), 120.0),
        ((market(True, closes_s=9000),), (market(True),), 300.0),
        ((market(False), market(True, asset_class=FX)), (), 300.0),
        ((market(False), market(False, asset_class=FX)), (), 1800.0),
        ((market(False), market(True, closes_s=10, asset_class=FX)), (), 120.0),
    ],
)
def test_pages_come_faster_while_a_market_is_open_and_fastest_around_its_open_and_close(
    now: tuple[MarketHours, ...], before: tuple[MarketHours, ...], seconds: float
) -> None:
    """What is not fixed before the close is carried over night; where no calendar can say, it counts as open."""
    assert interval(now, before) == seconds


def test_only_the_markets_of_the_incidents_own_classes_count() -> None:
    """An open currency market need not hurry an incident of equities on a Saturday."""
    both = (market(False), market(True, asset_class=FX))

    assert interval(both, (), EQUITY) == 1800.0
    assert interval(both, (), FX) == 300.0
    assert interval(both, (), EQUITY, FX) == 300.0
    assert interval(both, (), AssetClass.CRYPTO) == 300.0


def taken(seconds_ago: float, for_s: float | None = None) -> IncidentState:
    """An incident that a person took so many seconds ago, for some time or for the usual one."""
    at = NOW - timedelta(seconds=seconds_ago)
    return IncidentState(
        incident_id="INC-1",
        service="s",
        state="acknowledged",
        opened_at=NOW - timedelta(days=1),
        acknowledged_at=at,
        acknowledged_until=None if for_s is None else at + timedelta(seconds=for_s),
    )


@pytest.mark.parametrize(
    ("incident", "has_it"),
    [
        (taken(1799), True),
        (taken(1800), False),
        (taken(59, 60), True),
        (taken(60, 60), False),
        (taken(14_399, 1e6), True),
        (taken(14_400, 1e6), False),
        (taken(-CLOCK_SLACK.total_seconds()), True),
        (taken(-CLOCK_SLACK.total_seconds() - 1), False),
    ],
)
def test_a_person_has_an_incident_for_a_bounded_time(incident: IncidentState, has_it: bool) -> None:
    """Who forgot it is reminded; a word from the future is none."""
    assert is_acknowledged(incident, LIMITS, NOW) is has_it


def test_an_incident_that_nobody_took_has_no_end_of_it() -> None:
    """Its timer counts from the page."""
    nobody = taken(0).model_copy(update={"acknowledged_at": None})

    assert acknowledged_until(nobody, LIMITS, NOW) is None
    assert acknowledged_until(taken(10, 60), LIMITS, NOW) == NOW + timedelta(seconds=50)
