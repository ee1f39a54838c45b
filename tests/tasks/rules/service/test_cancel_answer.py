"""What proves that a test order of ours rests, and that it does not any more."""

from typing import Any

import pytest

from tasks.model.probes.probes import Exchange, Fault
from tasks.rules.service.order_answer import judge_cancel, rests
from tasks.rules.service.order_identity import AskedOrder
from tests.tasks.rules.service.test_order_answer import FILL, ID, body, described

CANCEL = {"path": "/o/${order_id}", "done_when": "data.order.state == 'GONE'"}
TO_REST = described(cancel=CANCEL, steps="rest_and_cancel", partially_filled=["TEILWEISE"])
LATER = AskedOrder(ID, order_id="O1", is_later=True)
FIRST = AskedOrder(ID, order_id="O1")


def answer(text: str, status: int = 200, **more: Any) -> Exchange:
    """One answer."""
    return Exchange(method="DELETE", url="u", http_status=status, body=text, **more)


@pytest.mark.parametrize(
    ("text", "status", "is_resting"),
    [
        (body("WORKING", fills=[]), 201, True),
        (body("NEW", fills=[]), 200, True),
        (body("WORKING", fills=[]), 404, False),
        (body("WORKING", fills=[], clOrdId="another"), 200, False),
        (body("WORKING", fills=[FILL]), 200, False),
        (body("HELD", fills=[]), 200, False),
        (body("DONE"), 200, False),
        ("WORKING", 200, False),
    ],
)
def test_an_order_rests_where_its_answer_says_so(text: str, status: int, is_resting: bool) -> None:
    """Seen resting is what the test is for."""
    assert rests(answer(text, status), TO_REST, FIRST) is is_resting


@pytest.mark.parametrize(
    ("text", "asked", "gone", "filled"),
    [
        (body("GONE", fills=[]), FIRST, True, False),
        (body("CANCELED", fills=[]), FIRST, False, False),
        ('{"data": {}}', FIRST, False, False),
        (body("GONE", fills=[], clOrdId="another"), FIRST, False, False),
        (body("GONE", fills=[], clOrdId=None), FIRST, True, False),
        (body("GONE", fills=[], id="O2"), FIRST, False, False),
        (body("KO", fills=[]), FIRST, False, False),
        (body("DONE"), LATER, True, True),
        (body("TEILWEISE"), LATER, False, True),
        (body("PartiallyFilled"), LATER, False, True),
        (body("GONE"), FIRST, True, True),
        ("GONE", FIRST, False, False),
    ],
)
def test_a_cancel_is_proven_by_its_condition_or_nothing_rests(
    text: str, asked: AskedOrder, gone: bool, filled: bool
) -> None:
    """A cancel that was only asked for leaves an order of ours on a book."""
    found = judge_cancel(answer(text), TO_REST, asked)

    assert (found.is_gone, found.is_filled) == (gone, filled)


def test_an_answer_to_a_cancel_need_not_repeat_our_id() -> None:
    """The path says which order it is about; another id is another order all the same."""
    orders = described(cancel=CANCEL, client_order_id="data.order.reference")

    assert judge_cancel(answer(body("GONE", fills=[])), orders, FIRST).is_gone
    assert judge_cancel(answer(body("GONE", fills=[], reference=ID)), orders, FIRST).is_gone
    assert not judge_cancel(answer(body("GONE", fills=[], reference="another")), orders, FIRST).is_gone


def test_a_cancel_is_not_proven_by_an_answer_that_says_two_things() -> None:
    """One reader sees it gone, another one working: it may rest, and somebody has to know."""
    twice = body("GONE", fills=[]).replace('"state":', '"state": "WORKING", "state":', 1)

    assert judge_cancel(answer(body("GONE", fills=[])), TO_REST, FIRST).is_gone
    found = judge_cancel(answer(twice), TO_REST, FIRST)
    assert (found.is_gone, found.detail) == (False, "the answer has state twice in one object")


def test_where_the_condition_cannot_be_asked_the_status_of_an_end_proves_a_cancel() -> None:
    """A later answer may have another shape; a reject in the first one may be the cancel's."""
    orders = described(cancel={**CANCEL, "done_when": "cancel.done"}, steps="rest_and_cancel")
    for word in ("CANCELED", "EXPIRED"):
        assert judge_cancel(answer(body(word, fills=[])), orders, FIRST).is_gone
    assert not judge_cancel(answer(body("KO", fills=[])), orders, FIRST).is_gone
    assert judge_cancel(answer(body("KO", fills=[])), orders, LATER).is_gone
    for word in ("PENDING_CANCEL", "SUSPENDED", "WORKING"):
        assert not judge_cancel(answer(body(word, fills=[])), orders, LATER).is_gone


@pytest.mark.parametrize("status", [199, 204, 300, 404, 500])
def test_an_answer_that_is_no_success_proves_no_cancel(status: int) -> None:
    """Neither does one that was cut off."""
    text = "" if status == 204 else body("GONE", fills=[])

    assert not judge_cancel(answer(text, status), TO_REST, FIRST).is_gone
    assert not judge_cancel(answer(body("GONE"), fault=Fault.CUT_OFF), TO_REST, FIRST).is_gone
    assert not judge_cancel(answer(body("GONE"), held_up=True), TO_REST, FIRST).is_gone
