"""The order-state gate of a service with words of its own: what is not known to be proven is not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.probes.fix_words import plain_word
from tasks.model.probes.order_states import BlindReason, OrderSafety, OrderStates
from tasks.model.probes.probes import Exchange, Fault
from tasks.model.service.order_settings import UnprovenSettings
from tasks.rules.probes.order_list import PROVEN
from tasks.rules.probes.order_states import OrderListing, judge_order_states
from tasks.rules.service.unproven_list import read_described_page

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DESCRIBED: dict[str, Any] = {
    "path": "/api/v1/orders?state=PENDING",
    "items": "data.orders",
    "id": "clOrdId",
    "status": "state",
    "unknown": ["PENDING"],
    "in_flight": ["ON THE WIRE"],
    "asset_class": "product",
}


def states(document: Any, status: int = 200, **more: Any) -> OrderStates:
    """What the gate says of an answer."""
    body = document if isinstance(document, str) else json.dumps(document)
    exchange = Exchange(method="GET", url="u", http_status=status, body=body)
    page = read_described_page(exchange, UnprovenSettings.model_validate({**DESCRIBED, **more}))
    return judge_order_states([OrderListing("unproven", page.entries, page.blind, page.detail)], 10.0, NOW)


def listed(*orders: Any, **around: Any) -> dict[str, Any]:
    """An answer with these orders."""
    return {"data": {"orders": list(orders), **around}}


def order(state: object, **more: object) -> dict[str, Any]:
    """One order, taken a second ago."""
    return {"clOrdId": "a", "state": state, "createdAt": (NOW - timedelta(seconds=1)).isoformat(), **more}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((), OrderSafety.SAFE),
        ((order("FILLED"), order("Canceled"), order("2")), OrderSafety.SAFE),
        ((order("PENDING"),), OrderSafety.UNSAFE),
        ((order("pending"),), OrderSafety.UNSAFE),
        ((order("on-the-wire"),), OrderSafety.WAIT),
        ((order("ON THE WIRE", createdAt="2026-11-30T11:00:00Z"),), OrderSafety.UNSAFE),
        ((order("ON THE WIRE", createdAt=None),), OrderSafety.UNSAFE),
        ((order("GESENDET"),), OrderSafety.UNSAFE),
        ((order(None),), OrderSafety.UNSAFE),
        ((order(["FILLED"]),), OrderSafety.UNSAFE),
        (("a text",), OrderSafety.UNSAFE),
        ((None,), OrderSafety.UNSAFE),
    ],
)
def test_only_a_word_that_is_known_to_be_proven_is_safe(found: tuple[Any, ...], verdict: OrderSafety) -> None:
    """A status on no list counts as not proven."""
    assert states(listed(*found)).verdict is verdict


def test_an_order_is_named_with_its_class() -> None:
    """Whoever has to ask the venue needs the id."""
    (found,) = states(listed(order("PENDING", product="EQ"))).unproven

    assert (found.client_order_id, found.status, found.asset_class) == ("a", "unknown", "EQ")


def test_a_class_in_the_services_word_is_said_in_ours() -> None:
    """The words of the order that is sent hold for those that are listed."""
    exchange = Exchange(method="GET", url="u", http_status=200, body=json.dumps(listed(order("A", product="EQ"))))
    page = read_described_page(exchange, UnprovenSettings.model_validate(DESCRIBED), {"equity": "EQ"})

    assert [one["asset_class"] for one in page.entries if isinstance(one, dict)] == ["equity"]


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (listed(), 500),
        (listed(), 404),
        (listed(), 204),
        ("", 200),
        ("OK", 200),
        ({}, 200),
        ([], 200),
        ({"data": {}}, 200),
        ({"data": {"orders": {}}}, 200),
        (listed(hasMore=True), 200),
        ({**listed(), "error": "index is being built"}, 200),
        (listed(page={"totalElements": 7}), 200),
        (listed(*[order("FILLED")] * 100), 200),
    ],
)
def test_what_is_no_whole_list_is_blind(document: Any, status: int) -> None:
    """Half of a list that looks empty would let a restart trade an order twice."""
    assert states(document, status).verdict is OrderSafety.BLIND


@pytest.mark.parametrize("name", ["total", "totalCount", "total_elements", "totalResults"])
def test_a_total_that_is_more_than_the_list_says_that_it_is_not_all(name: str) -> None:
    """What a framework writes beside a page."""
    assert states(listed(order("FILLED"), **{name: 2})).verdict is OrderSafety.BLIND
    for whole in (1, 0, True, "2", None):
        assert states(listed(order("FILLED"), **{name: whole})).verdict is OrderSafety.SAFE
    assert states(listed(order("FILLED"), took=2)).verdict is OrderSafety.SAFE


@pytest.mark.parametrize(
    "name", ["truncated", "partial", "incomplete", "has_more", "hasNext", "more", "error", "errors"]
)
def test_a_mark_of_a_part_says_that_it_is_not_all(name: str) -> None:
    """An empty list beside an error is no empty book."""
    for mark in (True, "x", 1, {"a": 1}):
        assert states(listed(**{name: mark})).verdict is OrderSafety.BLIND
        assert states({**listed(), name: mark}).verdict is OrderSafety.BLIND
    for none in (None, False, 0, "", [], {}):
        assert states(listed(**{name: none})).verdict is OrderSafety.SAFE
    assert states(listed(order("FILLED", **{name: True}))).verdict is OrderSafety.SAFE


@pytest.mark.parametrize("count", [10, 20, 25, 50, 100, 200, 250, 500, 1000, 5000, 10_000])
def test_a_list_of_a_round_number_may_be_cut_there(count: int) -> None:
    """Unless it names its next page."""
    found = [order("FILLED")] * count

    assert states(listed(*found)).blind is BlindReason.TOO_MANY
    assert states(listed(*found[1:])).verdict is OrderSafety.SAFE
    paged = {"path": "/o?after=${after}", "next": "data.next"}
    assert states(listed(*found, next=None), **paged).verdict is OrderSafety.SAFE


@pytest.mark.parametrize(
    "name",
    ["acceptedAt", "sent_at", "created_at", "submittedAt", "TransactTime", "timestamp", "created", "time"],
)
def test_an_orders_age_is_read_by_each_of_its_names(name: str) -> None:
    """An order on its way is waited for while it is young."""
    young = {"clOrdId": "a", "state": "ON THE WIRE", name: (NOW - timedelta(seconds=9)).isoformat()}

    assert states(listed(young)).verdict is OrderSafety.WAIT
    assert states(listed({**young, name: "2026-11-30T11:59:49Z"})).verdict is OrderSafety.UNSAFE


def test_a_described_time_is_the_one_that_counts() -> None:
    """The other may be the time of the last change."""
    old = order("ON THE WIRE", taken="2026-11-30T11:00:00Z")

    assert states(listed(old), time="taken").verdict is OrderSafety.UNSAFE
    assert states(listed(old)).verdict is OrderSafety.WAIT


def test_a_page_names_the_next_one() -> None:
    """A list that goes on is read on."""
    described = UnprovenSettings.model_validate({**DESCRIBED, "path": "/o?after=${after}", "next": "data.next"})
    exchange = Exchange(method="GET", url="u", http_status=200, body=json.dumps(listed(next=7, hasMore=True)))

    assert read_described_page(exchange, described).after == "7"


@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.NONE])
def test_an_exchange_that_broke_is_blind(fault: Fault) -> None:
    """No answer is no list."""
    exchange = Exchange(method="GET", url="u", fault=fault, http_status=200, body=json.dumps(listed()))

    assert read_described_page(exchange, UnprovenSettings.model_validate(DESCRIBED)).blind in set(BlindReason)


SCALARS = st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.text(max_size=8)
WORDS = st.sampled_from(["PENDING", "FILLED", "2", "ON THE WIRE", "A", "done", "weg"])
ENTRIES = st.lists(
    st.fixed_dictionaries({}, optional={"clOrdId": SCALARS, "state": WORDS | SCALARS, "createdAt": SCALARS}) | SCALARS,
    max_size=5,
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "orders", "state", "next", "more"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(document=ENTRIES.map(lambda found: listed(*found)) | ANY_JSON)
def test_for_any_json_it_is_safe_only_where_every_order_is_proven(document: Any) -> None:
    """No answer breaks us, and none that could not be read whole is taken for an empty list."""
    if states(document).verdict is OrderSafety.SAFE:
        found = document["data"]["orders"]
        assert all(isinstance(one, dict) and proven(one["state"]) for one in found)


def proven(status: object) -> bool:
    """The oracle: a code of an order that is at rest, or a name on the list."""
    words = {plain_word(word) for word in PROVEN}
    return str(status).strip().upper() in set("0123456789BCDE") or plain_word(str(status)) in words
