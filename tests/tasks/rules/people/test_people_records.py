"""What the ledger keeps of a refusal, and when a second person completes an order."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.model.incidents.incident import IncidentState, LedgerRecord
from tasks.model.people.person import Door, Identity, Permit, Right
from tasks.rules.people.records import (
    REPORTED,
    TwoPeopleOrder,
    first_person,
    order_record,
    refusal_messages,
    refusal_record,
    second_wanted,
)

NOW = datetime(2026, 11, 27, 21, 30, tzinfo=UTC)
WITHIN = timedelta(minutes=5)
EVE = Identity(door=Door.LOGIN, name="eve")
REFUSED = Permit(allowed=False, by="somebody (not proven; login eve)", detail="expected the role approver; ask Ada")
ADA, BOB, CY = (Permit(allowed=True, by=name.capitalize(), key=name) for name in ("ada", "bob", "cy"))
RESUME = TwoPeopleOrder("order-service", "f" * 32, "resume equity")


def incident(name: str = "INC-1", closed: bool = False) -> IncidentState:
    return IncidentState(
        incident_id=name,
        service="order-service",
        state="opened",
        opened_at=NOW,
        closed_at=NOW if closed else None,
    )


def ordered(who: Permit, first: str = "", minutes_ago: float = 1, order: TwoPeopleOrder = RESUME) -> LedgerRecord:
    return order_record(order, who, first, NOW - timedelta(minutes=minutes_ago))


def first(second: Permit, *records: LedgerRecord) -> str:
    return first_person(records, RESUME, second.key, NOW, WITHIN)


def test_a_refusal_is_one_line_of_the_ledger() -> None:
    """Who tried what is read afterwards."""
    record = refusal_record("order-service", EVE, Right.APPROVE, REFUSED, NOW)

    assert (record.type, record.source, record.event) == ("not_permitted", "operator", None)
    assert record.summary == "somebody (not proven; login eve) may not approve a plan"
    assert record.details == {"by": REFUSED.by, "person": "", "right": "approve", "door": "login eve"}


def test_a_refusal_that_matters_is_reported_word_for_word() -> None:
    """The tier reads who tried, what, and that nothing was done."""
    (message,) = refusal_messages((incident(),), EVE, Right.APPROVE, REFUSED)

    assert message.text == (
        "order-service: somebody (not proven; login eve) may not approve a plan. Nothing was done. "
        "expected the role approver; ask Ada. [INC-1]"
    )
    assert message.audience == "tier_1"


def test_all_that_loosens_is_reported() -> None:
    """Somebody wants more than they may: the tier of an open incident knows of each kind."""
    assert {Right.APPROVE, Right.ORDER, Right.OVERRIDE, Right.LOOSEN_MODE, Right.REARM} == REPORTED


def test_the_same_refusal_has_the_same_key_and_is_sent_once() -> None:
    """Ten presses are one message."""
    keys = {
        refusal_messages((incident(),), EVE, right, REFUSED)[0].key
        for right in (Right.APPROVE, Right.APPROVE, Right.ORDER)
    }

    assert len(keys) == 2


@pytest.mark.parametrize("right", sorted(set(Right) - REPORTED))
def test_what_loosens_nothing_is_not_reported(right: Right) -> None:
    """A viewer who wants to acknowledge wakes nobody."""
    assert refusal_messages((incident(),), EVE, right, REFUSED) == ()


def test_without_an_open_incident_nobody_is_reported_to() -> None:
    """A message belongs to an incident."""
    assert refusal_messages((incident(closed=True),), EVE, Right.APPROVE, REFUSED) == ()


def test_the_second_person_is_asked_for_word_for_word() -> None:
    """Whoever is awake reads what to order, and until when."""
    (message,) = second_wanted((incident("INC-0", closed=True), incident()), RESUME, ADA, NOW + WITHIN)

    assert message.text == (
        "order-service: Ada orders resume equity. Nothing is done yet: "
        "another approver gives the same order by 21:35:00Z. [INC-1]"
    )
    assert second_wanted((incident(closed=True),), RESUME, ADA, NOW) == ()


def test_another_person_is_the_second_and_the_same_one_never() -> None:
    """Four eyes are two people, however often one of them orders."""
    assert first(BOB, ordered(ADA)) == "Ada"
    assert first(ADA, ordered(ADA), ordered(ADA)) == ""
    assert first(BOB, ordered(BOB), ordered(ADA), ordered(BOB)) == "Ada"


def test_an_order_is_completed_once() -> None:
    """The third order is the first of a new pair."""
    assert first(CY, ordered(ADA), ordered(BOB, first="Ada")) == ""
    assert first(CY, ordered(ADA), ordered(BOB, first="Ada"), ordered(ADA)) == "Ada"


def test_what_is_old_of_another_order_or_by_nobody_counts_nothing() -> None:
    """The first person stands behind it for a while, and behind nothing else."""
    other = RESUME._replace(fingerprint="0" * 32)
    unknown = Permit(allowed=True, by="ada")

    assert first(BOB, ordered(ADA, minutes_ago=6)) == ""
    assert first(BOB, ordered(ADA, minutes_ago=-1)) == ""
    assert first(BOB, ordered(ADA, order=other)) == ""
    assert first(BOB, ordered(ADA, order=RESUME._replace(service="other"))) == ""
    assert first(BOB, ordered(unknown)) == ""
    assert first(BOB, ordered(ADA).model_copy(update={"source": "triage"})) == ""
