"""The timers of §3, with time passed in: after each minute nothing is left of the process but the ledger."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tasks.clients.incidents.ledger import append
from tasks.clients.locks.host_lock import release, take
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.model.incidents.maintenance import ENDED_TYPE, STARTED_TYPE
from tests.fakes.incident.escalating import CLOSED, NEAR_CLOSE, SERVICE, Incident

T1, T2, T3 = Audience.TIER_1, Audience.TIER_2, Audience.TIER_3


def test_market_open_again_after_five_minutes_then_the_next_tier_up_to_the_last(tmp_path: Path) -> None:
    """A page that nobody takes reaches everybody who could fix it within twenty minutes, and then grows rarer."""
    said = Incident(tmp_path).opened().minutes(1, 24).said

    assert said == [
        (5, T1, "again-1"),
        (10, T2, "unacknowledged"),
        (15, T2, "again-1"),
        (20, T3, "unacknowledged"),
    ]


def test_a_page_says_for_how_long_the_tier_before_was_called_in_vain(tmp_path: Path) -> None:
    """Ten minutes, since the first page; not five, since the second."""
    (message,) = Incident(tmp_path).opened().minutes(1, 9).due(10)

    assert "Tier 1 has not acknowledged it for 10 min." in message.text


def test_the_last_tier_is_reminded_ever_more_rarely_and_then_no_more(tmp_path: Path) -> None:
    """Nobody reads the fortieth page; six reminders over five hours are the bound."""
    incident = Incident(tmp_path).opened(T3)
    said = incident.minutes(1, 345).said

    assert [minute for minute, *_ in said] == [5, 15, 35, 75, 155, 315]
    assert {audience for _, audience, _ in said} == {T3}
    assert incident.due(100_000) == ()


def test_market_closed_half_an_hour_lies_between_two_pages(tmp_path: Path) -> None:
    """On a Saturday nothing trades; people are still told, with more patience."""
    said = Incident(tmp_path, CLOSED).opened().minutes(1, 91).said

    assert said == [(30, T1, "again-1"), (60, T2, "unacknowledged"), (90, T2, "again-1")]


def test_near_the_close_two_minutes_are_enough(tmp_path: Path) -> None:
    """What is not fixed before the close is carried over night."""
    said = Incident(tmp_path, NEAR_CLOSE).opened().minutes(1, 5).said

    assert said == [(2, T1, "again-1"), (4, T2, "unacknowledged")]


def test_a_market_that_opens_meanwhile_shortens_the_wait(tmp_path: Path) -> None:
    """The timer goes by the hours of now: a quarter of an hour before the open, two minutes lie between two pages."""
    before_the_open = datetime.fromisoformat("2026-11-23T14:00:00Z")
    said = Incident(tmp_path, before_the_open).opened().minutes(1, 19).said

    assert said == [(15, T2, "unacknowledged"), (17, T2, "again-1"), (19, T3, "unacknowledged")]


def test_news_of_an_incident_is_no_page_and_moves_no_timer(tmp_path: Path) -> None:
    """However much the automation tells of what it does, a page that nobody takes goes up in time."""
    incident = Incident(tmp_path).opened()
    for minute in range(1, 10):
        incident.minute(minute)
        incident.told(minute, incident.message(T1, f"done-mark_degraded-{minute}"))

    assert incident.minutes(10, 10).said == [(5, T1, "again-1"), (10, T2, "unacknowledged")]


def test_an_acknowledgement_stops_the_timer_until_it_expires(tmp_path: Path) -> None:
    """Who has it is left in peace; who forgot it is reminded, and then the next tier hears."""
    incident = Incident(tmp_path).opened()
    incident.minutes(1, 3).acknowledged(3, 30)

    said = incident.minutes(4, 39).said

    assert said == [(33, T1, "again-1"), (38, T2, "unacknowledged")]


def test_an_acknowledgement_of_the_second_tier_stops_the_third(tmp_path: Path) -> None:
    """The developer lead took it: SRE sleeps on."""
    incident = Incident(tmp_path).opened()
    incident.minutes(1, 12).acknowledged(12, 60)

    said = incident.minutes(13, 71).said

    assert [one for one in said if one[1] is T3] == []


def test_an_acknowledgement_can_be_renewed(tmp_path: Path) -> None:
    """Long work needs no page in between."""
    incident = Incident(tmp_path).opened()
    incident.acknowledged(3, 30)
    incident.minutes(4, 32).acknowledged(32, 30)

    assert incident.minutes(33, 61).said == []
    assert incident.minutes(62, 62).said == [(62, T1, "again-1")]


def test_no_acknowledgement_holds_longer_than_the_limit(tmp_path: Path) -> None:
    """A year in the form, or a forged line, is four hours."""
    incident = Incident(tmp_path).opened()
    incident.acknowledged(1, 365 * 1440)

    assert incident.due(240) == ()
    assert [one.audience for one in incident.due(241)] == [T1]


@pytest.mark.parametrize("source", [Source.TRIAGE, Source.ORDER_SERVICE])
def test_only_a_person_acknowledges(tmp_path: Path, source: Source) -> None:
    """The sick service must not be able to stop its own alarm."""
    incident = Incident(tmp_path).opened()
    incident.happened(Event.ACKNOWLEDGED, 1, source=source, by="x", until="2027-01-01T00:00:00Z")

    assert [one.audience for one in incident.due(5)] == [T1]
    assert incident.state.acknowledged_by is None


def test_an_acknowledgement_from_the_future_stops_nothing(tmp_path: Path) -> None:
    """A line with a wrong clock, up to the end of all times, must not keep people from being paged."""
    incident = Incident(tmp_path).opened()
    incident.acknowledged(600, 30)
    incident.write(incident_record(incident, "9999-12-31T23:59:59Z", until="9999-12-31T23:59:59Z"))

    assert [one.audience for one in incident.due(5)] == [T1]


def incident_record(incident: Incident, timestamp: str, **details: object) -> LedgerRecord:
    """An acknowledgement at a time of its own."""
    return LedgerRecord(
        timestamp=datetime.fromisoformat(timestamp),
        type="x",
        service=SERVICE,
        incident_id=incident.state.incident_id,
        event=Event.ACKNOWLEDGED,
        source=Source.OPERATOR,
        details=details,
    )


def test_recovery_stops_the_timer_and_is_told_to_everybody_who_was_told(tmp_path: Path) -> None:
    """Who was woken hears that they may sleep; who was not told is not woken for it."""
    incident = Incident(tmp_path).opened()
    incident.told(0, incident.message(Audience.DESK, "desk-equity"))
    incident.minutes(1, 11).closed(11)

    said = incident.minutes(12, 60).said

    assert said[2:] == [(12, Audience.DESK, "closed"), (12, T1, "closed"), (12, T2, "closed")]


def test_a_recovery_that_was_not_told_is_told_by_the_next_run(tmp_path: Path) -> None:
    """The run was killed between closing the incident and telling of it: the resolve is not lost, and not doubled."""
    incident = Incident(tmp_path).opened()
    incident.closed(3)
    incident.minute(4, delivered=())

    assert incident.minutes(5, 9).said == [(5, T1, "closed")]


def test_a_page_that_never_arrived_goes_to_the_next_tier_at_once(tmp_path: Path) -> None:
    """Nobody waits five minutes for an answer to a page that nobody got."""
    incident = Incident(tmp_path).opened(told=False)

    said = incident.minutes(1, 13, delivered=(T2, T3)).said

    assert said[0] == (3, T2, "undelivered")
    assert [one for one in said if one[1] is T3] == [(13, T3, "unacknowledged")]


def test_a_page_that_reaches_neither_tier_goes_to_the_third(tmp_path: Path) -> None:
    """One after the other, each within two runs."""
    assert Incident(tmp_path).opened(told=False).minutes(1, 4, delivered=(T3,)).said == [(4, T3, "undelivered")]


def test_a_later_page_that_does_not_arrive_goes_up_as_well(tmp_path: Path) -> None:
    """The developer lead cannot be reached: SRE is paged instead of nobody."""
    said = Incident(tmp_path).opened().minutes(1, 12, delivered=(T1, T3)).said

    assert said == [(5, T1, "again-1"), (12, T3, "undelivered")]


def test_a_night_without_runs_pages_the_next_tier_and_not_all_of_them_at_once(tmp_path: Path) -> None:
    """The watch stood still for three hours: nobody is notified that a page did not arrive which nobody sent."""
    incident = Incident(tmp_path).opened()

    assert [one.audience for one in incident.due(180)] == [T2]


def test_a_run_that_was_killed_before_it_told_anybody_is_made_good_by_the_next(tmp_path: Path) -> None:
    """The incident is in the file and nobody knows of it, even where the next run sees nothing because it is blind."""
    (message,) = Incident(tmp_path).opened(told=False).due(1)

    assert message.key == "INC-1/tier_1/opened"
    assert "service_hung: silent for 9 s" in message.text


def test_automation_at_its_end_goes_up_at_once(tmp_path: Path) -> None:
    """The restart did not help, and the run that knew was killed before it told."""
    incident = Incident(tmp_path).opened()
    incident.happened(Event.ACTION_STARTED, 0.5, action="restart_service", key="k1")
    incident.happened(Event.ACTION_FINISHED, 0.8, action="restart_service", key="k1", outcome="not_recovered")

    (message,) = incident.due(1)

    assert message.audience is T2
    assert "The automation can do no more: Restart service at 15:00:30Z: not recovered." in message.text


def test_an_action_under_way_is_not_its_end(tmp_path: Path) -> None:
    """While somebody restarts the service, nobody is notified that the restart failed."""
    incident = Incident(tmp_path).opened()
    incident.happened(Event.ACTION_STARTED, 0.5, action="restart_service", key="k1")
    lease = take(tmp_path, SERVICE, "a test")
    try:
        assert incident.due(1) == ()
    finally:
        release(tmp_path, lease)
    assert [one.audience for one in incident.due(1)] == [T2]


def window(incident: Incident, kind: str, minutes: float, for_minutes: float = 30) -> None:
    """A person's word about a maintenance window."""
    until = incident.at(minutes) + timedelta(minutes=for_minutes)
    append(
        incident.settings.ledger_path(SERVICE),
        [
            LedgerRecord(
                timestamp=incident.at(minutes),
                type=kind,
                service=SERVICE,
                source=Source.OPERATOR,
                details={"until": until.isoformat()},
            )
        ],
    )


def test_a_maintenance_window_holds_every_page_and_the_timer_begins_anew_after_it(tmp_path: Path) -> None:
    """Who works on the service is not paged for it, and nobody is paged in a heap when the window ends."""
    incident = Incident(tmp_path).opened(told=False)
    window(incident, STARTED_TYPE, 0)

    said = incident.minutes(1, 36).said

    assert said == [(30, T1, "opened"), (35, T1, "again-1")]


def test_a_window_that_is_ended_early_lets_pages_through_at_once(tmp_path: Path) -> None:
    """The work is done sooner than planned."""
    incident = Incident(tmp_path).opened()
    window(incident, STARTED_TYPE, 1)
    window(incident, ENDED_TYPE, 10)

    assert incident.minutes(2, 15).said == [(15, T1, "again-1")]


def test_recovery_is_told_in_a_maintenance_window(tmp_path: Path) -> None:
    """Whoever was paged before the window began hears the end of it."""
    incident = Incident(tmp_path).opened()
    window(incident, STARTED_TYPE, 1)
    incident.closed(5)

    assert incident.minutes(6, 8).said == [(6, T1, "closed")]


def test_a_told_time_in_the_future_silences_nobody(tmp_path: Path) -> None:
    """The clock was set back, or a line is forged: the page is repeated once, and the timers go on from there."""
    incident = Incident(tmp_path).opened(told=False)
    incident.told(600, incident.message(T1, "opened"))

    said = incident.minutes(1, 12).said

    assert said == [(1, T1, "again-1"), (6, T2, "unacknowledged"), (11, T2, "again-1")]
