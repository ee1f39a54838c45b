"""For any answer, an order is executed only where the description says so; a word means what its list says."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.model.probes.fix_words import Meaning, status_word
from tasks.model.probes.probes import Exchange, Fault, OrderOutcome
from tasks.model.service.order_settings import OrderSettings
from tasks.rules.service.order_answer import judge_described, meaning_of, order_id_of
from tasks.rules.service.order_identity import AskedOrder
from tests.tasks.rules.service.test_order_answer import ASKED, DESCRIBED, FILL, ID, body, described, outcome

SCALARS = st.none() | st.booleans() | st.integers(-3, 10) | st.floats() | st.text(max_size=8)
WORDS = st.sampled_from(["DONE", "done", "FILLED", "WORKING", "KO", "2", "8", "F", "OK", "", "canceled", 2, 8])
KEYS = st.sampled_from(
    ["data", "order", "state", "fills", "id", "clOrdId", "reason", "code", "lastQty", "reject", "39", "150", "x"]
)
ANY_JSON = st.recursive(
    SCALARS | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "id": SCALARS,
        "clOrdId": st.just(ID) | SCALARS,
        "state": WORDS | ANY_JSON,
        "fills": ANY_JSON | st.just([FILL]),
        "reason": ANY_JSON,
    },
).map(lambda order: {"data": {"order": order}})


def says_filled(text: str, orders: OrderSettings) -> bool:
    """The oracle: the status, plainly read, is a word of a fill, and something stands where the fill is."""
    order = json.loads(text)["data"]["order"]
    known = meaning_of(order["state"], orders)
    return known is not None and known[1] is Meaning.FILLED and bool(order["fills"][0])


@given(document=SHAPED | ANY_JSON, status=st.sampled_from([200, 201, 202, 204, 301, 400, 401, 404, 422, 500, 503]))
@example(document={"data": {"order": {"state": "DONE", "fills": [FILL]}}}, status=201)
def test_for_any_json_an_order_is_executed_only_where_the_description_says_so(document: Any, status: int) -> None:
    """No answer of a foreign service breaks us, and none is taken for a fill that is none."""
    text = json.dumps(document)
    for asked in (ASKED, AskedOrder(ID, order_id="O1", is_later=True)):
        if outcome(text, status, asked=asked) is OrderOutcome.EXECUTED:
            assert 200 <= status < 300
            assert says_filled(text, described())


@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), status=st.integers(100, 599))
@example(raw=b"[" * 100_000, status=200)
@example(raw=b"\xff\xfe", status=200)
@example(raw=b"FILLED", status=200)
@example(raw=b'"FILLED"', status=200)
def test_for_any_bytes_no_order_is_executed(raw: bytes, status: int) -> None:
    """Text that sounds good is no fill."""
    exchange = Exchange(method="POST", url="u", http_status=status, body=raw.decode("utf-8", "replace"))

    for orders in (described(), OrderSettings(execution="@", status="@.s")):
        assert judge_described(exchange, orders, ASKED).outcome is not OrderOutcome.EXECUTED
        assert order_id_of(exchange, orders) is None


@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.NONE])
def test_an_exchange_that_broke_is_never_a_fill(fault: Fault) -> None:
    """Half of an answer may be the better half."""
    exchange = Exchange(method="POST", url="u", fault=fault, http_status=200, body=body())

    assert not judge_described(exchange, described(), ASKED).outcome.delivered
    assert judge_described(exchange, described(), AskedOrder(ID, is_later=True)).outcome in {
        OrderOutcome.UNKNOWN,
        OrderOutcome.BLIND,
    }


LISTS = ("filled", "partially_filled", "accepted", "rejected")
OWN = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=1, max_size=12)


@given(word=OWN, name=st.sampled_from(LISTS), other=st.sampled_from(LISTS))
def test_a_word_means_what_its_list_says_and_stands_on_one_only(word: str, name: str, other: str) -> None:
    """Nobody guesses which of two lists holds, FIX's own among them."""
    known = status_word(word)
    try:
        orders = OrderSettings.model_validate({**DESCRIBED, **dict.fromkeys(LISTS, ()), name: [word]})
    except ValidationError:
        return
    found = meaning_of(word, orders)
    assert found is not None
    assert (found[1] is Meaning.FILLED) is (name in {"filled", "partially_filled"})
    assert known is None or len(word.strip()) == 1 or name == "rejected" or known[1] is found[1]
    if other != name:
        with pytest.raises(ValidationError, match="each word on one list"):
            OrderSettings.model_validate(
                {
                    **DESCRIBED,
                    **dict.fromkeys(LISTS, ()),
                    name: [word],
                    other: [word.upper() if word.isascii() else word],
                }
            )


@given(word=st.text(max_size=30))
def test_a_word_on_no_list_means_nothing(word: str) -> None:
    """A word on no list is unknown, and never a fill."""
    if status_word(word) is None and word.strip().lower() not in {"done", "working", "ko"}:
        assert outcome(body(word)) is not OrderOutcome.EXECUTED
