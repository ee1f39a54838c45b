"""What the ledger's lines come to: who is in charge, who was told when, who has it."""

from pathlib import Path

from tasks.model.diagnosis import Audience, Cause
from tasks.model.escalation import PageClock
from tasks.model.incident import Event
from tasks.model.limits import EscalationLimits
from tasks.model.orders import AssetClass
from tasks.rules.escalation import due_pages
from tests.fakes.escalating import Incident

T1, T2, T3 = Audience.TIER_1, Audience.TIER_2, Audience.TIER_3


def test_what_was_escalated_is_not_taken_down_again_by_another_word_for_it(tmp_path: Path) -> None:
    """The developer lead has it; that the service now hangs instead of crashing does not hand it back to on-call."""
    incident = Incident(tmp_path).opened()
    incident.told(1, incident.message(T2, "unacknowledged"))

    incident.happened(Event.DIAGNOSED, 2, cause=Cause.SERVICE_DOWN, tier=T1)

    assert incident.state.tier is T2
    assert incident.state.causes == (Cause.SERVICE_HUNG, Cause.SERVICE_DOWN)


def test_each_tier_has_the_time_of_its_first_page_and_each_key_its_own(tmp_path: Path) -> None:
    """A postmortem asks when each tier was first called."""
    incident = Incident(tmp_path).opened().minutes(1, 15)

    assert incident.state.escalated_at == {T1: incident.at(0), T2: incident.at(10)}
    assert incident.state.paged_at == {T1: incident.at(5), T2: incident.at(15)}
    assert incident.state.told_at["INC-1/tier_2/unacknowledged"] == incident.at(10)
    assert incident.state.reminders == 1


def test_the_desk_is_no_tier(tmp_path: Path) -> None:
    """A notice to traders wakes no engineer and stops no timer."""
    incident = Incident(tmp_path).opened()
    incident.told(1, incident.message(Audience.DESK, "desk-equity"))

    assert incident.state.tier is T1
    assert incident.state.paged_at.keys() == {T1}


def test_an_incident_that_comes_back_begins_its_escalation_anew(tmp_path: Path) -> None:
    """It was over, and whoever had it went home."""
    incident = Incident(tmp_path).opened()
    incident.acknowledged(1, 3)
    incident.minutes(2, 6).closed(13)
    assert incident.state.reminders == 1
    incident.happened(Event.OPENED, 14, cause=Cause.SERVICE_HUNG, tier=T1)

    state = incident.state
    assert state.is_open
    assert (state.tier, state.reopened, state.acknowledged_by) == (T1, 1, None)
    assert (state.paged_at, state.reminders) == ({}, 0)
    assert state.opened_at == incident.at(0)
    assert [one.key for one in incident.due(14)][-1] == "INC-1/tier_1/opened#2"


def test_what_a_diagnosis_names_is_kept_for_the_pages_to_come(tmp_path: Path) -> None:
    """A blind minute has no finding; the page of it still says what is wrong, and whose market counts."""
    incident = Incident(tmp_path).opened()
    incident.happened(Event.DIAGNOSED, 0, asset_classes=["equity", "nosuch", 7], gateways=["XNAS", None])

    assert incident.state.asset_classes == (AssetClass.EQUITY,)
    assert incident.state.gateways == ("XNAS",)
    assert incident.state.summary == "service_hung: silent for 9 s"


def test_nobody_is_paged_for_what_is_over(tmp_path: Path) -> None:
    """Recovery stops the timer, whatever else the ledger says."""
    incident = Incident(tmp_path).opened()
    incident.closed(1)

    assert due_pages(incident.state, PageClock(now=incident.at(60), every_s=300), EscalationLimits()) == ()
