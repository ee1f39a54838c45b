"""A message that waited is sent only while it is true; by its key and its time, whatever its words are."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Action, ActionRecord, Event, IncidentState
from tasks.model.messages.delivery import Queued
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass
from tasks.rules.incidents.message_keys import (
    AGAIN,
    AT_RISK,
    CLOSED,
    EXHAUSTED,
    HANDS_OFF,
    OPENED,
    RECOVERED,
    UNACKNOWLEDGED,
)
from tasks.rules.messages.superseded import says_broken, superseded

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
FIRST, SECOND = "INC-1", "INC-2"


def at(seconds: float) -> datetime:
    """Some seconds after the message spoke."""
    return NOW + timedelta(seconds=seconds)


def queued(about: str, audience: Audience = Audience.TIER_1, name: str = FIRST, **more: object) -> Queued:
    """One message that waits; it speaks of 15:00:00, and was queued minutes later."""
    message = Message(key=f"{name}/{audience}/{about}", incident_id=name, audience=audience, text="x", as_of=NOW)
    return Queued.model_validate({"service": "s", "message": message, "queued_at": NOW + timedelta(minutes=5), **more})


def incident(name: str = FIRST, *, closed_s: float | None = None, **facts: object) -> IncidentState:
    """One incident that was opened a minute before."""
    base = {
        "incident_id": name,
        "service": "s",
        "state": Event.OPENED,
        "opened_at": at(-60),
        "causes": (Cause.UNKNOWN,),
    }
    closed = {} if closed_s is None else {"closed_at": at(closed_s)}
    return IncidentState.model_validate({**base, **closed, **facts})


def why(one: Queued, state: IncidentState | None, *others: IncidentState, waiting: tuple[Queued, ...] = ()) -> str:
    """Say why a message is dropped; empty where it is sent."""
    found = superseded(one, state, others, waiting)
    return found.because if found else ""


@pytest.mark.parametrize(
    "about", [OPENED, f"{AGAIN}-2", f"{UNACKNOWLEDGED}-1", "desk-equity", "also-XNAS", "watch-stopped"]
)
def test_a_page_that_the_recovery_has_overtaken_is_not_sent_and_its_audience_hears_of_the_end(about: str) -> None:
    """Slack was away for the whole incident: who reads "hung" five minutes after it was over wakes up for nothing."""
    found = superseded(queued(about), incident(closed_s=60), (), ())

    assert found is not None
    assert found.is_told
    assert superseded(queued(about), incident(), (), ()) is None


@pytest.mark.parametrize("about", [AT_RISK, EXHAUSTED, HANDS_OFF, "half-done-k", "cause-left", "escalated-unknown"])
def test_what_outlives_its_incident_is_sent_all_the_same(about: str) -> None:
    """An order of unknown outcome, and a budget that is spent, are a person's work though the service answers."""
    assert why(queued(about), incident(closed_s=60)) == ""


def test_an_all_clear_is_dropped_where_the_incident_is_open_again() -> None:
    """The desk's last word during an outage must not be "no longer degraded"."""
    assert why(queued(CLOSED, Audience.DESK), incident(closed_s=0)) == ""
    assert "open again" in why(queued(CLOSED, Audience.DESK), incident(reopened=1, reopened_at=at(30)))
    assert "open again" in why(queued(CLOSED), incident(closed_s=60, reopened=1, reopened_at=at(30)))
    assert why(queued(f"{CLOSED}#2"), incident(closed_s=60, reopened=1, reopened_at=at(30))) == ""


EQUITY = incident(closed_s=0, told=(f"{FIRST}/desk/desk-equity",))


@pytest.mark.parametrize(
    ("opened_s", "dropped"), [(-1, False), (0, True), (1, True)], ids=["known at the close", "at once", "later"]
)
def test_an_all_clear_never_follows_a_newer_degraded_of_the_same_class(opened_s: float, *, dropped: bool) -> None:
    """What was known when it was written stands in its words; what came since makes it false."""
    newer = incident(SECOND, opened_at=at(opened_s), told=(f"{SECOND}/desk/desk-equity",))

    assert bool(why(queued(CLOSED, Audience.DESK), EQUITY, newer)) is dropped


def test_an_all_clear_of_one_class_is_not_held_back_by_another() -> None:
    """Crypto is degraded; equity is not."""
    crypto = incident(SECOND, opened_at=at(5), told=(f"{SECOND}/desk/desk-crypto",))
    over = incident(SECOND, opened_at=at(5), closed_s=9, told=(f"{SECOND}/desk/desk-equity",))

    assert why(queued(CLOSED, Audience.DESK), EQUITY, EQUITY, crypto, over) == ""
    assert (
        why(queued(CLOSED, Audience.TIER_1), EQUITY, incident(SECOND, opened_at=at(5), asset_classes=["equity"])) == ""
    )


def test_a_degraded_that_still_waits_counts_as_well_and_so_does_what_trades_by_the_close() -> None:
    """Both wait for the same Slack."""
    newer = incident(SECOND, opened_at=at(5))
    waits = queued("desk-equity", Audience.DESK, SECOND)

    assert why(queued(CLOSED, Audience.DESK), EQUITY, newer) == ""
    assert SECOND in why(queued(CLOSED, Audience.DESK), EQUITY, newer, waiting=(waits,))
    trades = incident(closed_s=0, trading=(AssetClass.EQUITY,))
    assert SECOND in why(
        queued(CLOSED, Audience.DESK), trades, incident(SECOND, opened_at=at(5), asset_classes=["equity"])
    )


def test_a_recovery_is_not_told_after_a_newer_page() -> None:
    """The service was restarted, and hung again before Prefect was back."""
    page, other = f"{FIRST}/tier_1/{AGAIN}-1", f"{FIRST}/tier_2/{AGAIN}-1"
    again = incident(told=(page,), told_at={page: at(1)})

    assert "newer page" in why(queued(RECOVERED), again)
    assert why(queued(RECOVERED), incident(told=(page,), told_at={page: at(0)})) == "", "it was paged before"
    assert why(queued(RECOVERED), incident(told=(other,), told_at={other: at(1)})) == "", "somebody else was"
    assert why(queued(RECOVERED), incident(closed_s=5, told=(page,), told_at={page: at(1)})) == "", "it is over by now"
    assert "come back" in why(queued(RECOVERED), incident(reopened=1, reopened_at=at(30)))


@pytest.mark.parametrize(("taken_s", "dropped"), [(-1, False), (0, True), (1, True)])
def test_nobody_has_acknowledged_is_not_said_once_somebody_has(taken_s: float, *, dropped: bool) -> None:
    """The reminder waited; Kim did not."""
    taken = incident(acknowledged_by="kim", acknowledged_at=at(taken_s))

    assert bool(why(queued(f"{UNACKNOWLEDGED}-1"), taken)) is dropped
    assert why(queued(OPENED), taken) == ""


def test_a_page_of_an_earlier_time_is_dropped_where_the_incident_is_told_anew() -> None:
    """It flaps: the page of its second time goes out, the one of its first does not follow it."""
    again = incident(reopened=1, reopened_at=at(30))
    found = superseded(queued(OPENED), again, (), ())

    assert found is not None
    assert not found.is_told
    assert why(queued(f"{OPENED}#2"), again) == ""


def test_a_message_for_somebody_else_is_judged_as_the_one_that_it_stands_for() -> None:
    """Tier 2 is not woken in place of tier 1 for what is over."""
    instead = queued("undelivered", Audience.TIER_2, instead_of=f"{FIRST}/tier_1/{OPENED}")

    assert why(instead, incident(closed_s=60))
    assert not why(instead, incident())


@given(about=st.text(max_size=30), closed=st.booleans())
def test_what_nobody_knows_is_sent(about: str, closed: bool) -> None:
    """Without a ledger every message goes out; and no other word is ever taken for one of ours."""
    assert superseded(queued(about), None, (), ()) is None
    if not says_broken(about.partition("#")[0].rpartition("-")[0] or about) and about not in {CLOSED, RECOVERED}:
        found = superseded(queued(f"note {about}"), incident(closed_s=1 if closed else None), (), ())
        assert found is None


def resumed(key: str, after_s: float, action: Action = Action.RESUME, outcome: str = "done") -> ActionRecord:
    """An action as the ledger tells it."""
    return ActionRecord(key=key, action=action, started_at=at(after_s), finished_at=at(after_s), outcome=outcome)


@pytest.mark.parametrize(
    ("about", "action", "dropped"),
    [
        ("desk-pause_strategies-equity-halted", resumed("INC-2/resume/equity/by-hand-1", 60), True),
        ("desk-pause_strategies-alpha", resumed("INC-2/resume/alpha/by-hand-1", 60), True),
        ("desk-reroute_orders-equity-XNYS", resumed("INC-2/reroute_orders/equity", 60, Action.REROUTE_ORDERS), True),
        ("desk-pause_strategies-equity-halted", resumed("INC-2/resume/equity/by-hand-1", -60), False),
        ("desk-pause_strategies-equity-halted", resumed("INC-2/resume/fx/by-hand-1", 60), False),
        ("desk-pause_strategies-equity-x", resumed("INC-2/resume/equity/by-hand-1", 60), False),
        (
            "desk-pause_strategies-equity-halted",
            resumed("INC-2/resume/equity/by-hand-1", 60, outcome="refused"),
            False,
        ),
        ("desk-pause_strategies-equity-halted", resumed("INC-2/restart_service/x", 60, Action.RESTART_SERVICE), False),
    ],
)
def test_the_desk_does_not_read_of_a_pause_after_the_resume_that_ended_it(
    about: str, action: ActionRecord, *, dropped: bool
) -> None:
    """Prefect was away, and kim resumed from a shell: "trading is paused" must not be the last word."""
    by_hand = incident(SECOND, closed_s=61, actions=(action,))

    assert bool(why(queued(about, Audience.DESK), incident(), by_hand)) is dropped


def test_nobody_reads_that_a_service_recovered_while_it_hangs_again_in_another_incident() -> None:
    """The restart held for a minute; what closed the first incident is reported with its time instead."""
    again = incident(SECOND, opened_at=at(30), causes=(Cause.SERVICE_HUNG,))

    assert SECOND in why(queued(RECOVERED), incident(closed_s=0), again)
    assert not why(queued(RECOVERED), incident(closed_s=0), again.model_copy(update={"recovered_at": at(90)}))
    assert not why(queued(RECOVERED), incident(closed_s=0), again.model_copy(update={"causes": (Cause.UNKNOWN,)}))
    assert not why(queued(RECOVERED), incident(closed_s=0), again.model_copy(update={"opened_at": at(-30)}))
