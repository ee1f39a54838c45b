"""Judging `GET /routing` and the `Date` of an answer."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, Fault, Seen
from tasks.rules.probes.clock_skew import clock_skew_s
from tasks.rules.probes.routing import judge_routing

NOW = datetime(2026, 11, 23, 15, 0, 0, 500_000, tzinfo=UTC)
GOOD = {
    "asset_classes": {
        "equity": {"gateway": "XNAS", "table_gateway": "XNAS", "alternates": ["XNYS"], "trading_state": "halted"},
        "fx": {"gateway": None, "table_gateway": None, "alternates": []},
    },
    "features": {"limit_price_band": {"enabled": True}},
    "table": {"hash": "aa", "loaded_at": "2026-11-23T14:00:00Z", "file_hash": "bb", "file_error": None},
}


def answered(body: object, status: int = 200, **changes: object) -> Exchange:
    """An answer with a JSON body."""
    return Exchange(
        method="GET", url="http://s/routing", http_status=status, body=orjson.dumps(body).decode()
    ).model_copy(update=changes)


def test_a_whole_answer_gives_routes_beside_what_was_shipped() -> None:
    """The person paged sees at once which class goes elsewhere than the release says."""
    look = judge_routing(answered(GOOD), {AssetClass.EQUITY: "XNYS"}, NOW)
    equity, fx = look.route(AssetClass.EQUITY), look.route(AssetClass.FX)

    assert look.seen is Seen.PASSED
    assert equity is not None
    assert (equity.gateway, equity.shipped_gateway, equity.is_paused) == ("XNAS", "XNYS", True)
    assert fx is not None
    assert fx.gateway is None
    assert look.features == {"limit_price_band": True}


def test_a_table_that_a_restart_would_refuse_fails_the_look() -> None:
    """The service still serves the old one; that is why nobody has noticed yet."""
    broken = {**GOOD, "table": {"hash": "aa", "file_error": "expected TOML"}}

    assert judge_routing(answered(broken), {}, NOW).seen is Seen.FAILED


@pytest.mark.parametrize(
    ("exchange", "seen"),
    [
        (answered({}, status=404), Seen.NOT_CONFIGURED),
        (answered({}, status=500), Seen.FAILED),
        (answered([]), Seen.FAILED),
        (answered({}, fault=Fault.CLIENT), Seen.BLIND),
        (answered({}, fault=Fault.TIMED_OUT), Seen.FAILED),
    ],
)
def test_every_other_answer_has_its_own_end(exchange: Exchange, seen: Seen) -> None:
    """A service without the path is not broken, and our own failure is not its."""
    assert judge_routing(exchange, {}, NOW).seen is seen


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["asset_classes", "equity", "gateway", "alternates", "table", "features", "enabled", "hash"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(body=JSON)
def test_no_body_raises(body: object) -> None:
    """Whatever a service answers is a check."""
    judge_routing(answered(body), {}, NOW)


@pytest.mark.parametrize(("ahead_s", "skew_s"), [(0, 0), (-1, -0.45), (0.4, 0), (60, 59.5), (-60, -59.45)])
def test_a_skew_is_counted_from_the_nearest_end_of_its_second(ahead_s: float, skew_s: float) -> None:
    """A `Date` has whole seconds: within the second and the time of the answer, nobody can say."""
    named = format_datetime(NOW.replace(microsecond=0) + timedelta(seconds=ahead_s), usegmt=True)
    exchange = Exchange(method="GET", url="u", headers=(("Date", named),), seconds_s=0.05)

    assert clock_skew_s(exchange, NOW) == pytest.approx(skew_s)


@pytest.mark.parametrize("named", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_is_none_says_nothing(named: str) -> None:
    """Missing data is not a wrong clock."""
    assert clock_skew_s(Exchange(method="GET", url="u", headers=(("date", named),)), NOW) is None


def test_what_is_in_force_is_read_with_who_set_it_when_and_why() -> None:
    """The next shift reads it in the headline; an unknown word is in force, and what harms nobody is not."""
    by = {"set_by": "kim", "reason": "fat finger", "set_at": "2026-11-23T14:32:19Z"}
    document = {
        **GOOD,
        "asset_classes": {
            "equity": {"gateway": "XNYS", "table_gateway": "XNAS", "trading_set": {"state": "halted", **by}},
            "fx": {"gateway": "FXALL", "table_gateway": "FXALL", "trading_set": {"state": "active", **by}},
            "crypto": {"gateway": "A", "table_gateway": "A", "route_set": {"gateway": "A", **by}},
            "future": {"gateway": "B", "table_gateway": "A", "route_set": {"gateway": "B", **by}},
        },
        "gateways": {"XNAS": {"set": {"state": "degraded", **by}}, "XNYS": {"set": {"state": "enabled", **by}}},
        "strategies": {"algo-7": {"state": "frozen"}, "algo-8": {"state": "active"}},
        "features": {"band": {"enabled": False, "set": by}, "shipped_off": {"enabled": False, "set": None}},
    }

    found = judge_routing(answered(document), {}, NOW).restrictions

    assert [(one.kind, one.name, one.state) for one in found] == [
        ("trading", "equity", "halted"),
        ("route", "future", "B"),
        ("gateway", "XNAS", "degraded"),
        ("strategy", "algo-7", "frozen"),
        ("feature", "band", "off"),
    ]
    assert (found[0].set_by, found[0].reason, str(found[0].set_at)) == (
        "kim",
        "fat finger",
        "2026-11-23 14:32:19+00:00",
    )
    assert (found[3].set_by, found[3].set_at) == (None, None)


@pytest.mark.parametrize("hostile", [None, [], "x", {"equity": 7}, {"equity": {"trading_set": "halted"}}])
def test_a_hostile_routing_holds_nothing_and_breaks_nothing(hostile: object) -> None:
    """It is a stranger's text."""
    document = {**GOOD, "gateways": hostile, "strategies": hostile, "features": hostile}

    assert judge_routing(answered(document), {}, NOW).restrictions == ()


def test_who_let_a_class_trade_again_is_read_too() -> None:
    """What a person resumed is theirs."""
    by = {"set_by": "kim", "reason": "back", "set_at": "2026-11-23T14:32:19Z"}
    classes = {"equity": {"trading_set": {"state": "active", **by}}, "fx": {"trading_set": {"state": "halted", **by}}}
    document = {**GOOD, "asset_classes": classes, "strategies": {"algo-7": {"state": "active", **by}}}

    found = judge_routing(answered(document), {}, NOW).lifted

    assert [(one.kind, one.name, one.set_by) for one in found] == [
        ("trading", "equity", "kim"),
        ("strategy", "algo-7", "kim"),
    ]
