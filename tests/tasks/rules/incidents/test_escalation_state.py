"""What the ledger's lines come to: who is in charge, who was notified when, who has it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.escalation import PageClock
from tasks.model.incidents.incident import Event, IncidentState, LedgerRecord, Source
from tasks.model.probes.orders import AssetClass
from tasks.rules.escalation.timers import due_pages
from tasks.rules.incidents.escalation_state import (
    Changes,
    acknowledged,
    closed,
    diagnosed,
    escalated,
    notified,
    observed,
    opened_again,
    recovered,
)
from tests.fakes.incident.escalating import Incident
from tests.fakes.incident.observations import NOW

Changed = Callable[[IncidentState, LedgerRecord], Changes]
T1, T2, T3 = Audience.TIER_1, Audience.TIER_2, Audience.TIER_3
EARLIER, LATER, LATEST = (NOW + timedelta(minutes=number) for number in range(3))


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
    incident.happened(Event.DIAGNOSED, 0, asset_classes=["equity", "No such", 7], gateways=["XNAS", None])

    assert incident.state.asset_classes == (AssetClass.EQUITY,)
    assert incident.state.gateways == ("XNAS",)
    assert incident.state.summary == "service_hung: silent for 9 s"


def test_nobody_is_paged_for_what_is_over(tmp_path: Path) -> None:
    """Recovery stops the timer, whatever else the ledger says."""
    incident = Incident(tmp_path).opened()
    incident.closed(1)

    assert due_pages(incident.state, PageClock(now=incident.at(60), every_s=300), EscalationLimits()) == ()


def record(event: Event, at: datetime = LATER, **changes: object) -> LedgerRecord:
    """One line of the ledger."""
    facts = {"timestamp": at, "type": "x", "service": "s", "incident_id": "INC-1", "event": event, **changes}
    return LedgerRecord.model_validate({"source": Source.TRIAGE, **facts})


def state(**changes: object) -> IncidentState:
    """An incident that the on-call has been paged for."""
    facts: dict[str, object] = {"incident_id": "INC-1", "service": "s", "state": "opened", "opened_at": EARLIER}
    return IncidentState.model_validate({**facts, "tier": T1, "paged_at": {T1: EARLIER}, **changes})


def after(change: Changed, before: IncidentState, one: LedgerRecord) -> IncidentState:
    """The incident after one record."""
    return before.model_copy(update=change(before, one))


def test_an_opening_that_says_less_than_before_takes_nothing_away() -> None:
    """A page that cannot say what is wrong, or that goes to a lower tier, helps nobody."""
    closed_one = state(closed_at=EARLIER, tier=T2, summary="hung", causes=(Cause.SERVICE_HUNG,), reopened=1)
    silent = after(opened_again, closed_one, record(Event.OPENED))
    telling = record(Event.OPENED, summary="down", details={"tier": "tier_1", "cause": "service_down"})
    told = after(opened_again, closed_one, telling)

    assert (silent.tier, silent.summary, silent.causes) == (T2, "hung", (Cause.SERVICE_HUNG,))
    assert (told.tier, told.summary, told.causes) == (T1, "down", (Cause.SERVICE_HUNG, Cause.SERVICE_DOWN))
    assert (told.closed_at, told.reopened, told.reopened_at, told.paged_at) == (None, 2, LATER, {})


def test_an_opening_of_what_is_open_is_one_more_word_for_it() -> None:
    """Two runs that open it at once wake nobody twice."""
    twice = after(opened_again, state(), record(Event.OPENED, details={"tier": "tier_2"}))

    assert (twice.reopened, twice.paged_at, twice.tier) == (0, {T1: EARLIER}, T2)


@pytest.mark.parametrize("change", [diagnosed, observed])
def test_what_had_recovered_and_shows_again_begins_its_escalation_anew(change: Changed) -> None:
    """Whoever was notified that it is over has gone home."""
    over = state(recovered_at=EARLIER, reminders=1, acknowledged_by="kim", trading=(AssetClass.FX,))
    back, still = (after(change, one, record(Event.OBSERVED)) for one in (over, state(reminders=1)))

    assert (back.reopened, back.reopened_at, back.recovered_at, back.state) == (1, LATER, None, "opened")
    assert (back.paged_at, back.reminders, back.acknowledged_by, back.trading) == ({}, 0, None, None)
    assert (still.reopened, still.paged_at, still.reminders) == (0, {T1: EARLIER}, 1)
    assert after(observed, state(observed_count=3), record(Event.OBSERVED)).observed_count == 4


def test_a_diagnosis_adds_its_classes_and_keeps_the_gateways_of_the_first() -> None:
    """The page names the line that broke, and not the one that orders were led to since."""
    named = {"gateways": ["XNYS", "XNAS", 7], "asset_classes": ["fx", "No such"]}
    first = after(diagnosed, state(asset_classes=(AssetClass.EQUITY,)), record(Event.DIAGNOSED, details=named))
    second = after(diagnosed, first, record(Event.DIAGNOSED, summary="down", details={"gateways": ["XCME"]}))

    assert first.asset_classes == (AssetClass.EQUITY, AssetClass.FX)
    assert second.gateways == ("XNAS", "XNYS")
    assert second.summary == "down"
    assert after(diagnosed, second, record(Event.DIAGNOSED)).summary == "down"
    assert after(diagnosed, state(), record(Event.DIAGNOSED, details={"gateways": "XNAS"})).gateways == ()


def test_a_line_with_names_without_end_costs_a_bounded_number_of_them() -> None:
    """The order service writes into this file as well: fifty names of a hundred letters are kept."""
    endless = record(Event.DIAGNOSED, details={"gateways": ["x" * 150] * 60})
    told = record(Event.NOTIFIED, details={"key": "x" * 600})

    assert after(diagnosed, state(), endless).gateways == ("x" * 100,) * 50
    assert after(notified, state(), told).told == ("x" * 500,)


def test_a_recovery_keeps_its_first_time_and_says_how_each_class_stood() -> None:
    """The time that it took is counted to the first good check; what nobody wrote down is not called trading."""
    how = {
        "trading": ["fx", "equity", "No such"],
        "not_trading": {"crypto": "halted by kim", "No such": "x", "future": 7},
    }
    first = after(recovered, state(), record(Event.RECOVERED, details=how))
    silent = after(recovered, first, record(Event.RECOVERED, at=LATEST))

    assert first.recovered_at == LATER
    assert first.trading == (AssetClass.EQUITY, AssetClass.FX)
    assert first.not_trading == {AssetClass.CRYPTO: "halted by kim", AssetClass.FUTURE: ""}
    assert (silent.recovered_at, silent.trading, silent.not_trading) == (LATER, None, {})


def test_an_end_that_says_nothing_of_the_classes_leaves_what_the_recovery_said() -> None:
    """The all-clear reads it."""
    stood = state(trading=(AssetClass.FX,), not_trading={AssetClass.EQUITY: "halted"})
    silent = after(closed, stood, record(Event.CLOSED))
    telling = after(closed, stood, record(Event.CLOSED, details={"trading": ["equity"]}))

    assert (silent.closed_at, silent.state) == (LATER, "closed")
    assert (silent.trading, silent.not_trading) == ((AssetClass.FX,), {AssetClass.EQUITY: "halted"})
    assert (telling.trading, telling.not_trading) == ((AssetClass.EQUITY,), {})


@pytest.mark.parametrize(
    ("key", "details", "paged_at", "reminders"),
    [
        ("INC-1/tier_1/again-1", {}, {T1: LATER}, 1),
        ("INC-1/tier_1/opened", {}, {T1: LATER}, 0),
        ("INC-1/tier_1/done-restart", {}, {T1: EARLIER}, 0),
        ("INC-1/tier_2/done-restart", {}, {T1: EARLIER, T2: LATER}, 0),
        ("INC-1/desk/opened", {}, {T1: EARLIER}, 0),
        ("INC-1/desk/opened", {"audience": "tier_1"}, {T1: LATER}, 0),
        ("INC-1/tier_1/opened", {"audience": "desk"}, {T1: EARLIER}, 0),
        ("", {}, {T1: EARLIER}, 0),
    ],
)
def test_only_what_asks_a_tier_to_come_moves_its_timer(
    key: str, details: dict[str, object], paged_at: dict[Audience, datetime], reminders: int
) -> None:
    """News of an incident is no page, but to a tier that has not heard of it yet."""
    before = state(escalated_at={T1: EARLIER}, told=("INC-1/tier_1/opened",), messages=1)
    told = after(notified, before, record(Event.NOTIFIED, details={"key": key, **details}))

    assert (told.paged_at, told.reminders) == (paged_at, reminders)
    assert told.escalated_at.get(T1) == EARLIER
    assert (told.told[-1], told.told_at[key], told.messages) == (key, LATER, 2)


def test_a_key_is_told_last_where_it_was_told_last() -> None:
    """Said again it moves to the end, with its new time."""
    before = state(told_at={"a": EARLIER, "b": EARLIER})

    assert [*after(notified, before, record(Event.NOTIFIED, details={"key": "a"})).told_at] == ["b", "a"]


def test_a_higher_tier_begins_its_reminders_anew_and_a_lower_one_takes_nothing_over() -> None:
    """The developer lead is not reminded by the on-call's count."""
    up = after(escalated, state(reminders=1), record(Event.ESCALATED, details={"tier": "tier_2"}))
    down = after(escalated, state(tier=T3), record(Event.ESCALATED, details={"tier": "tier_2"}))

    assert (up.tier, up.reminders, up.state) == (T2, 0, "escalated")
    assert down.tier is T3


def test_a_persons_word_takes_the_incident_and_nobody_elses_does() -> None:
    """The sick service cannot stop its own alarm; a person without a name is one all the same."""
    before = state(reminders=1)
    taken = after(acknowledged, before, record(Event.ACKNOWLEDGED, source=Source.OPERATOR))
    named = {"by": "kim", "until": LATEST.isoformat()}
    kims = after(acknowledged, before, record(Event.ACKNOWLEDGED, source=Source.OPERATOR, details=named))

    assert (taken.acknowledged_by, taken.acknowledged_until, taken.reminders) == ("a person", None, 0)
    assert (kims.acknowledged_by, kims.acknowledged_at, kims.acknowledged_until) == ("kim", LATER, LATEST)
    assert after(acknowledged, before, record(Event.ACKNOWLEDGED)) == before
