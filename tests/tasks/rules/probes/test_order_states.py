"""The order-state gate: what it takes for proven, and what stands in the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.probes.order_states import BlindReason, OrderSafety, OrderStates
from tasks.model.probes.probes import Exchange, Fault
from tasks.rules.probes.order_list import PAGE_COUNT, read_page, unproven_order
from tasks.rules.probes.order_states import OrderListing, can_still_be_proven, judge_order_states

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIMIT_S = 10.0
OURS = "synthetic-" + "0" * 32


def taken(age_s: float) -> str:
    """When an order of this age was taken."""
    return (NOW - timedelta(seconds=age_s)).isoformat()


def order(status: str, age_s: float = 1.0, client_order_id: str = "a1", **changes: Any) -> dict[str, Any]:
    """One order as the journal lists it."""
    whole = {
        "client_order_id": client_order_id,
        "asset_class": "equity",
        "status": status,
        "gateway": "XNAS",
        "accepted_at": taken(age_s),
        "synthetic": False,
        "execution": None,
        "order": {"symbol": "AAPL"},
    }
    return {**whole, **changes}


def judged(
    in_flight: list[Any] | None = None, unknown: list[Any] | None = None, blind: BlindReason | None = None
) -> OrderStates:
    """Judge what two questions gave; `blind` is the end of the second."""
    listings = (OrderListing("in_flight", tuple(in_flight or ())), OrderListing("unknown", tuple(unknown or ()), blind))
    return judge_order_states(listings, LIMIT_S, NOW)


def test_no_unproven_order_is_safe() -> None:
    """Only here may a restart go on without a further thought."""
    states = judged()

    assert (states.verdict, states.unproven, states.blind) == (OrderSafety.SAFE, (), None)


def test_an_order_without_a_usable_answer_is_unsafe_however_young() -> None:
    """It may stand in the market; who restarts or re-routes now could trade it twice."""
    states = judged(unknown=[order("unknown", 0.1, error={"code": "GATEWAY_TIMEOUT", "message": "no answer in 4 s"})])
    (one,) = states.unproven

    assert states.verdict is OrderSafety.UNSAFE
    assert (one.client_order_id, one.asset_class, one.gateway, one.age_s) == ("a1", "equity", "XNAS", 0.1)
    assert one.detail == "GATEWAY_TIMEOUT no answer in 4 s"
    assert "a1" in states.detail


def test_an_order_in_flight_for_a_moment_is_waited_for() -> None:
    """A desk that trades always has some: they prove themselves within seconds."""
    assert judged(in_flight=[order("in_flight", LIMIT_S - 0.1)]).verdict is OrderSafety.WAIT


@pytest.mark.parametrize(
    "late",
    [
        order("in_flight", LIMIT_S),
        order("in_flight", accepted_at=None),
        order("in_flight", accepted_at="garbage"),
        order("in_flight", -60.0),
        order("in_flight", accepted_at="2999-01-01T00:00:00Z"),
    ],
    ids=["long", "no time", "garbage", "a minute ahead", "far ahead"],
)
def test_an_order_in_flight_for_long_or_for_nobody_knows_how_long_is_unsafe(late: dict[str, Any]) -> None:
    """A time that was forged or is wrong must not keep an order young for ever."""
    assert judged(in_flight=[late]).verdict is OrderSafety.UNSAFE


def test_a_clock_that_is_a_little_ahead_makes_no_order_old() -> None:
    """Two hosts differ by milliseconds."""
    assert judged(in_flight=[order("in_flight", -0.3)]).unproven[0].age_s == 0


def test_an_order_that_loses_its_answer_between_the_questions_is_unsafe_and_counted_once() -> None:
    """The later answer is the truer one."""
    states = judged(in_flight=[order("in_flight")], unknown=[order("unknown")])

    assert (states.verdict, states.unproven_count) == (OrderSafety.UNSAFE, 1)


@pytest.mark.parametrize(
    "own",
    [
        order("unknown", synthetic=True),
        order("unknown", synthetic=None, order={"synthetic": True}),
        order("unknown", client_order_id=OURS),
    ],
    ids=["flag", "flag inside", "id"],
)
def test_our_own_synthetic_orders_stand_in_nobodys_way(own: dict[str, Any]) -> None:
    """The probe that found the fault must not forbid its repair."""
    assert judged(unknown=[own]).verdict is OrderSafety.SAFE


@pytest.mark.parametrize(
    "theirs",
    [
        order("unknown", client_order_id="synthetic-hedge-7"),
        order("unknown", client_order_id=f"{OURS}0"),
        order("unknown", synthetic="true"),
        order("unknown", synthetic=1),
    ],
)
def test_an_order_that_only_looks_like_ours_counts(theirs: dict[str, Any]) -> None:
    """A trader may name an order `synthetic-…`; its money is real."""
    assert judged(unknown=[theirs]).verdict is OrderSafety.UNSAFE


@pytest.mark.parametrize("status", ["new", "partially_filled", "filled", "FILLED", "Canceled", "pending-cancel"])
def test_a_service_that_lists_every_order_is_read_all_the_same(status: str) -> None:
    """A service that does not know the filter must not look as if nothing were ever proven."""
    assert judged(unknown=[order(status)]).verdict is OrderSafety.SAFE


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("a7", "a7"),
        ({"cl_ord_id": "b"}, "b"),
        ({"order_id": 12}, "12"),
        ({"client_order_id": "c", "status": "odd"}, "c"),
        ({"client_order_id": "d", "status": None}, "d"),
        ({}, "unnamed"),
        (17, "unreadable"),
        (None, "unreadable"),
    ],
)
def test_whatever_is_listed_as_unknown_and_not_proven_counts(entry: object, named: str) -> None:
    """What we cannot read is no proof; the person gets whatever name there is."""
    states = judged(unknown=[entry])

    assert (states.verdict, states.ids) == (OrderSafety.UNSAFE, (named,))


def test_two_orders_without_a_name_are_two() -> None:
    """The count is what a person compares with the venue's."""
    assert judged(unknown=[{}, {}, None]).unproven_count == 3


def test_a_list_that_is_not_whole_is_blind_and_never_safe() -> None:
    """Missing data is not health."""
    assert judged(blind=BlindReason.NOT_ANSWERED).verdict is OrderSafety.BLIND
    assert judged([order("in_flight")], blind=BlindReason.TOO_MANY).verdict is OrderSafety.BLIND
    assert judged(blind=BlindReason.NOT_ANSWERED).blind is BlindReason.NOT_ANSWERED


def test_what_was_seen_forbids_even_where_the_rest_was_not() -> None:
    """One unknown order is enough; its id is what the person needs."""
    states = judged(unknown=[order("unknown")], blind=BlindReason.TOO_MANY)

    assert (states.verdict, states.ids) == (OrderSafety.UNSAFE, ("a1",))


def test_the_orders_without_an_answer_come_first_the_oldest_ahead() -> None:
    """The person asks the venue for those first."""
    young, old = order("unknown", 5, "young"), order("unknown", 500, "old")

    assert judged([order("in_flight", 1, "flying")], [young, old]).ids == ("old", "young", "flying")


def test_a_flood_of_orders_is_counted_whole_and_kept_bounded() -> None:
    """A report of a hundred thousand ids helps nobody, a wrong count misleads."""
    states = judged(unknown=[order("unknown", client_order_id=f"o{number}") for number in range(2000)])

    assert (states.unproven_count, len(states.unproven)) == (2000, 500)
    assert states.detail.endswith("and 1995 more")


@pytest.mark.parametrize(
    ("states", "helps"),
    [
        (judged(), False),
        (judged(unknown=[order("unknown")]), True),
        (judged([order("in_flight")]), True),
        (judged(blind=BlindReason.NOT_ANSWERED), True),
        (judged(blind=BlindReason.NOT_AVAILABLE), False),
    ],
)
def test_asking_again_stops_where_it_cannot_help(states: OrderStates, helps: bool) -> None:
    """An incident is no time to wait for a list that does not exist."""
    assert can_still_be_proven(states) is helps


def test_orders_that_came_after_the_first_question_are_not_waited_for() -> None:
    """A service that trades always has some in flight: those that were there must be proven, and no others."""
    busy = judged([order("in_flight", client_order_id="new")])
    too_many = busy.model_copy(update={"unproven_count": 2})

    assert not can_still_be_proven(busy, frozenset({"old"}))
    assert can_still_be_proven(busy, frozenset({"old", "new"}))
    assert can_still_be_proven(too_many, frozenset({"old"}))


def answered(body: object, status: int = 200, **changes: object) -> Exchange:
    """An answer with a JSON body."""
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    return Exchange(method="GET", url="u", http_status=status, body=text).model_copy(update=changes)


@pytest.mark.parametrize(
    ("exchange", "after", "blind"),
    [
        (answered({"orders": [{}], "next": None}), None, None),
        (answered({"orders": [{}], "next": 7}), "7", None),
        (answered({"orders": [{}], "next": "c%"}), "c%", None),
        (answered({"orders": [{}], "next": True}), None, None),
        (answered([{}]), None, None),
        (answered([{}] * PAGE_COUNT), None, BlindReason.TOO_MANY),
        (answered({"orders": [{}] * PAGE_COUNT}), None, BlindReason.TOO_MANY),
        (answered({"orders": [{}] * PAGE_COUNT, "next": None}), None, None),
        (answered({"orders": "none"}), None, BlindReason.UNREADABLE_ANSWER),
        (answered("NaN"), None, BlindReason.UNREADABLE_ANSWER),
        (answered("[" * 100_000), None, BlindReason.UNREADABLE_ANSWER),
        (answered({}, status=404), None, BlindReason.NOT_AVAILABLE),
        (answered({}, status=405), None, BlindReason.NOT_AVAILABLE),
        (answered({}, status=503), None, BlindReason.UNREADABLE_ANSWER),
        (answered([], status=302), None, BlindReason.UNREADABLE_ANSWER),
        (answered([], fault=Fault.REFUSED), None, BlindReason.NOT_REACHED),
        (answered([], fault=Fault.TIMED_OUT), None, BlindReason.NOT_ANSWERED),
        (answered([], fault=Fault.TOO_LARGE), None, BlindReason.UNREADABLE_ANSWER),
    ],
)
def test_each_answer_is_a_page_or_a_reason_why_not(
    exchange: Exchange, after: str | None, blind: BlindReason | None
) -> None:
    """A list that may have been cut, or is none, never passes for an empty one."""
    page = read_page(exchange)

    assert (page.after, page.blind) == (after, blind)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["client_order_id", "status", "accepted_at", "order", "error", "synthetic", "execution"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(entry=JSON)
def test_no_entry_raises(entry: object) -> None:
    """Whatever a service lists is an order that counts, or one that is proven."""
    unproven_order(entry, "unknown", NOW)
