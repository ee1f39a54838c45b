"""The words of a page that is due, the interval between two, and the end that everybody hears."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.escalation import MarketClock, Page, PageReason, PageWords
from tasks.model.incidents.incident import ActionRecord, IncidentState
from tasks.model.incidents.modes import Mode
from tasks.model.market.market import MarketHours, MarketSession
from tasks.model.probes.orders import AssetClass
from tasks.rules.escalation.timers import page_interval_s
from tasks.rules.incidents.message_keys import about_of, audience_of, message_key
from tasks.rules.messages.page import page_message
from tasks.rules.messages.recovered import all_recoveries, owes_recovery, recovery_messages

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIMITS = EscalationLimits()
WORDS = PageWords(mode=Mode.OBSERVE, time_zone="America/New_York")


def incident(**changes: object) -> IncidentState:
    """An open incident."""
    base = {"incident_id": "INC-1", "service": "order-service", "state": "opened", "opened_at": NOW}
    more = {"causes": (Cause.SERVICE_HUNG,), "summary": "service_hung: silent for 9 s", "acknowledged_by": "kim"}
    action = ActionRecord(key="k", action="restart_service", started_at=NOW, outcome="not_recovered")
    return IncidentState.model_validate({**base, **more, "actions": (action,), **changes})


def text(audience: Audience, reason: PageReason) -> str:
    """The text of one page."""
    page = Page(audience=audience, reason=reason, about="x", waited_s=310, from_tier=Audience.TIER_1)
    return page_message(incident(), page, WORDS).text


@pytest.mark.parametrize("audience", [Audience.TIER_2, Audience.TIER_3])
@pytest.mark.parametrize("reason", list(PageReason))
def test_every_page_to_developers_and_sre_begins_with_their_template(audience: Audience, reason: PageReason) -> None:
    """§4.2 word for word, also in a reminder; then why it comes and how to take it."""
    first, rest = text(audience, reason).split("\n")

    assert first == (
        "Incident: order-routing health checks failing since "
        "2026-11-23T15:00:00.000Z (2026-11-23 10:00:00 EST, America/New_York). "
        "Errors: service_hung: silent for 9 s. "
        "Key artifacts: incidents.jsonl, service logs, sample failing request/response."
    )
    assert rest.endswith("Acknowledge: `runbook ack INC-1`. [INC-1] order-service, mode=observe.")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (PageReason.NOT_ACKNOWLEDGED, "Nobody has acknowledged it for 5 min"),
        (PageReason.ACKNOWLEDGEMENT_OVER, "Still open: the acknowledgement by kim ended 5 min ago"),
        (PageReason.NEXT_TIER, "Tier 1 has not acknowledged it for 5 min"),
        (PageReason.UNDELIVERED, "A page to tier 1 has not been delivered for 5 min"),
        (PageReason.EXHAUSTED, "The automation can do no more: Restart service at 15:00:00Z: not recovered"),
    ],
)
def test_a_page_says_why_it_comes(reason: PageReason, words: str) -> None:
    """Who is woken reads what is broken and since when, and then why it is they."""
    assert text(Audience.TIER_1, reason).startswith("order-service has been hung since 15:00:00Z. ")
    assert words in text(Audience.TIER_1, reason)
    assert "silent for 9 s" in text(Audience.TIER_1, reason)


def hours(asset_class: AssetClass, *, is_open: bool, changes_in_s: float = 10_000) -> MarketHours:
    """The hours of a market that changes some time from now."""
    then, session = NOW + timedelta(seconds=changes_in_s), MarketSession.REGULAR if is_open else MarketSession.CLOSED
    return MarketHours(
        asset_class=asset_class,
        calendar="X",
        at=NOW,
        open=is_open,
        session=session,
        next_open=then + timedelta(days=1) if is_open else then,
        next_close=then if is_open else then + timedelta(days=1),
    )


EQUITY, CRYPTO = AssetClass.EQUITY, AssetClass.CRYPTO


@pytest.mark.parametrize(
    ("now", "before", "expected_s"),
    [
        (hours(EQUITY, is_open=True), None, 300),
        (hours(EQUITY, is_open=False), None, 1800),
        (hours(EQUITY, is_open=True, changes_in_s=900), None, 120),
        (hours(EQUITY, is_open=True, changes_in_s=901), None, 300),
        (hours(EQUITY, is_open=False, changes_in_s=900), None, 120),
        (hours(EQUITY, is_open=True), hours(EQUITY, is_open=False), 120),
        (hours(EQUITY, is_open=False), hours(EQUITY, is_open=True), 120),
        (None, None, 300),
    ],
    ids=["open", "closed", "closes soon", "closes later", "opens soon", "just opened", "just closed", "nobody knows"],
)
def test_the_wait_goes_by_the_market(now: MarketHours | None, before: MarketHours | None, expected_s: float) -> None:
    """§1.1: if trading is live, escalate faster; fastest around the open and the close."""
    clock = MarketClock(now=(now,) if now else (), before=(before,) if before else ())

    assert page_interval_s(clock, (), LIMITS, NOW) == expected_s


def test_only_the_markets_of_the_affected_classes_count() -> None:
    """Crypto never closes; an equity venue on a Sunday is no reason to hurry all the same."""
    clock = MarketClock(now=(hours(EQUITY, is_open=False), hours(CRYPTO, is_open=True)))

    assert page_interval_s(clock, (EQUITY,), LIMITS, NOW) == 1800
    assert page_interval_s(clock, (), LIMITS, NOW) == 300


def over(**changes: object) -> IncidentState:
    """An incident that closed after 12 minutes, of which the desk and tier 3 were notified."""
    told = ("INC-1/tier_3/opened", "INC-1/desk/desk-equity", "INC-1/desk/desk-pause_strategies-equity")
    return incident(closed_at=NOW + timedelta(minutes=12), told=told, **{"trading": (EQUITY,), **changes})


def test_everybody_who_was_told_hears_the_end_in_their_own_words() -> None:
    """The desk reads which class trades well again; the on-call hears of every end."""
    later = NOW + timedelta(minutes=13)

    texts = {one.audience: one.text for one in recovery_messages(over(), WORDS, later)}

    assert texts.keys() == {Audience.DESK, Audience.TIER_1, Audience.TIER_3}
    assert texts[Audience.DESK] == (
        "Order routing for equity is no longer degraded. Closed at 15:12:00Z (10:12:00 EST) after 12 min. [INC-1]"
    )
    assert texts[Audience.TIER_3] == (
        "order-service: service hung no longer seen. Closed at 15:12:00Z after 12 min. "
        "[INC-1] order-service, mode=observe."
    )


def test_an_end_that_is_told_long_after_it_is_told_as_of_then() -> None:
    """The run was killed between the close and its message; what has happened since nobody has looked at."""
    texts = {one.audience: one.text for one in recovery_messages(over(), WORDS, NOW + timedelta(hours=2))}

    assert texts[Audience.DESK].startswith(
        "Order routing for equity was no longer degraded at 15:12:00Z (10:12:00 EST). Closed at 15:12:00Z"
    )
    assert "Closed at 15:12:00Z after 12 min." in texts[Audience.TIER_3]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trading": None}, "Equity: the problem is no longer seen; no order has proven yet that it trades."),
        (
            {"trading": (), "not_trading": {EQUITY: "halted by triage, 14:50:00Z"}},
            "Equity: halted by triage, 14:50:00Z.",
        ),
        (
            {"trading": (CRYPTO,), "not_trading": {EQUITY: "XNAS answers, its market is closed"}},
            "its market is closed.",
        ),
    ],
    ids=["nobody wrote it down", "halted", "closed market"],
)
def test_the_desk_reads_no_all_clear_of_a_class_that_nobody_saw_trade(changes: dict[str, object], said: str) -> None:
    """One false all-clear, and the desk never believes one again."""
    text = next(
        one.text
        for one in recovery_messages(over(**changes), WORDS, NOW + timedelta(minutes=13))
        if one.audience is Audience.DESK
    )

    assert "no longer degraded" not in text
    assert said in text


def test_the_desk_reads_no_all_clear_of_a_class_that_is_degraded_again() -> None:
    """An all-clear that comes after the next trouble is worse than none."""
    again = incident(incident_id="INC-2", told=("INC-2/desk/desk-equity",))
    again = again.model_copy(update={"opened_at": NOW + timedelta(seconds=750)})

    text = next(
        one.text
        for one in recovery_messages(over(), WORDS, NOW + timedelta(minutes=13), (over(), again))
        if one.audience is Audience.DESK
    )

    assert "no longer degraded" not in text
    assert text.startswith("Equity: degraded again, see INC-2.")


def test_what_ends_together_is_one_message_for_the_desk() -> None:
    """Two gateways that came back at once are one event; a class that one of them leaves is not called good."""
    both = (EQUITY, CRYPTO)
    other = over(trading=(CRYPTO,)).model_copy(
        update={"incident_id": "INC-2", "told": ("INC-2/desk/desk-crypto", "INC-2/tier_1/page")}
    )
    halted = other.model_copy(update={"trading": (), "not_trading": dict.fromkeys(both, "halted by ada")})
    later = NOW + timedelta(minutes=13)
    (well,) = (one for one in all_recoveries((over(), other), WORDS, later) if one.audience is Audience.DESK)
    (ill,) = (one for one in all_recoveries((over(), halted), WORDS, later) if one.audience is Audience.DESK)

    assert well.text.startswith("Order routing for equity, crypto is no longer degraded. Closed at ")
    assert well.text.endswith(" [INC-1] [INC-2]")
    assert well.stands_for == {"INC-1/desk/closed": "INC-1", "INC-2/desk/closed": "INC-2"}
    assert ill.text.startswith("Order routing for equity is no longer degraded. Crypto: halted by ada. Closed")


def test_an_incident_that_goes_on_under_another_name_is_not_called_over() -> None:
    """On-call read *service down no longer shows* of a service that was gone: another cause had explained why."""
    classes = (EQUITY, CRYPTO)
    goes_on = incident(incident_id="INC-2", causes=(Cause.ROUTING_MISCONFIGURED,), asset_classes=classes)
    told = (*over().told, "INC-1/desk/desk-crypto")
    closed = over(trading=(), not_trading=dict.fromkeys(classes, "not trading, no answer"))
    closed = closed.model_copy(update={"told": told})

    later = NOW + timedelta(minutes=13)
    texts = {one.audience: one.text for one in recovery_messages(closed, WORDS, later, (closed, goes_on))}

    assert "order-service is NOT OVER: it goes on as routing misconfigured, see INC-2." in texts[Audience.TIER_1]
    assert "no longer seen" not in texts[Audience.TIER_1]
    assert texts[Audience.TIER_1].count(" Equity, crypto: not trading, no answer. ") == 1, "said once for both"
    assert texts[Audience.DESK].startswith("Equity, crypto: still degraded, see INC-2.")


def test_the_end_is_told_once_and_not_for_ever() -> None:
    """What was reported, or is of yesterday, is owed to nobody."""
    told = tuple(f"INC-1/{audience}/closed" for audience in (Audience.DESK, Audience.TIER_1, Audience.TIER_3))

    assert not owes_recovery(over().model_copy(update={"told": (*over().told, *told)}), NOW)
    assert not owes_recovery(over(), NOW + timedelta(days=2))
    assert not owes_recovery(incident(), NOW)


def test_a_recovery_that_the_remediation_told_is_not_told_again() -> None:
    """The on-call read `recovered after restart` a second ago."""
    told = over().model_copy(update={"told": ("INC-1/tier_1/recovered",)})

    assert not owes_recovery(told, NOW)


def test_no_two_keys_become_one_by_being_cut() -> None:
    """The ledger keeps a bounded part of a key; a message whose key was cut would be told every minute."""
    long, other = (message_key(incident(), Audience.DESK, "x" * 5000 + end) for end in ("a", "b"))

    assert len(long) < 300
    assert long != other
    assert audience_of(long, "INC-1") == "desk"
    assert about_of("INC-1/tier_1/again-12#3", "INC-1") == "again"
