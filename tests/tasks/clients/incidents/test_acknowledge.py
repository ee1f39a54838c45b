"""A person takes an incident: one way in for the command line, the form and the button."""

from datetime import timedelta
from pathlib import Path

import pytest

from tasks.clients.incidents.acknowledge import acknowledge
from tasks.clients.incidents.ledger import read_ledger
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Event, Source
from tests.fakes.incident.escalating import INCIDENT, OPEN, SERVICE, Incident


def test_who_took_it_until_when_stands_in_the_ledger(tmp_path: Path) -> None:
    """The next run, and everybody who reads the incident, sees the name."""
    incident = Incident(tmp_path).opened()

    taken = acknowledge(incident.settings, INCIDENT, "kim", OPEN, 3600)

    assert (taken.acknowledged_by, taken.acknowledged_until) == ("kim", OPEN + timedelta(hours=1))
    (record,) = (
        one
        for one in read_ledger(incident.settings.ledger_path(SERVICE)).records
        if one.event == Event.ACKNOWLEDGED and one.source == Source.OPERATOR
    )
    assert record.details == {"by": "kim", "until": "2026-11-23T16:00:00.000Z"}


def test_without_a_time_it_holds_as_long_as_the_limits_say(tmp_path: Path) -> None:
    """Nobody types a duration at three in the morning."""
    incident = Incident(tmp_path, acknowledged_s=600).opened()

    assert acknowledge(incident.settings, INCIDENT, "kim", OPEN).acknowledged_until == OPEN + timedelta(minutes=10)


def test_without_an_id_the_only_open_incident_is_taken(tmp_path: Path) -> None:
    """One incident is open, and everybody knows which."""
    incident = Incident(tmp_path).opened()

    assert acknowledge(incident.settings, "", "kim", OPEN).incident_id == INCIDENT


def test_a_page_is_due_until_it_is_taken(tmp_path: Path) -> None:
    """The whole point of it."""
    incident = Incident(tmp_path).opened()
    assert [one.audience for one in incident.due(5)] == [Audience.TIER_1]

    acknowledge(incident.settings, INCIDENT, "kim", incident.at(5))

    assert incident.due(6) == ()


@pytest.mark.parametrize("incident_id", ["INC-2", ""])
def test_what_is_not_open_cannot_be_taken(tmp_path: Path, incident_id: str) -> None:
    """A typing error, or an incident that has just closed, is one line that names what there is."""
    incident = Incident(tmp_path).opened()
    if not incident_id:
        incident.closed(1)

    with pytest.raises(RunbookError) as caught:
        acknowledge(incident.settings, incident_id, "kim", OPEN)

    assert caught.value.code is Code.UNKNOWN_INCIDENT
    assert ("none" if not incident_id else INCIDENT) in caught.value.detail


@pytest.mark.parametrize(
    ("by", "for_s"), [(" \n", 60), ("kim", 0), ("kim", -1), ("kim", 14_401), ("kim", float("nan"))]
)
def test_no_name_and_no_endless_time(tmp_path: Path, by: str, for_s: float) -> None:
    """Who silences a page says who they are, and not for ever."""
    incident = Incident(tmp_path).opened()

    with pytest.raises(RunbookError) as caught:
        acknowledge(incident.settings, INCIDENT, by, OPEN, for_s)

    assert caught.value.code is Code.BAD_ARGUMENT
    assert incident.state.acknowledged_by is None


def test_a_name_is_one_short_line(tmp_path: Path) -> None:
    """It stands in a message and in a table."""
    incident = Incident(tmp_path).opened()

    taken = acknowledge(incident.settings, INCIDENT, "kim\n\tlee" + "x" * 500, OPEN)

    assert taken.acknowledged_by
    assert taken.acknowledged_by.startswith("kim leex")
    assert len(taken.acknowledged_by) == 100


def test_an_incident_that_closes_while_somebody_takes_it_stays_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading and writing a triage closed it: the ledger must not tell of a person who has nothing."""
    incident = Incident(tmp_path).opened()
    before = read_ledger(incident.settings.ledger_path(SERVICE))
    incident.closed(1)
    monkeypatch.setattr("tasks.clients.incidents.acknowledge.read_ledger", lambda _: before)

    with pytest.raises(RunbookError) as caught:
        acknowledge(incident.settings, INCIDENT, "kim", OPEN)

    assert caught.value.code is Code.UNKNOWN_INCIDENT
    assert incident.state.acknowledged_by is None
