"""The words that services and venues use: each one counts by itself, and every list is written out here once more."""

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Kind
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome
from tasks.rules.diagnosis.causes.evidence_queries import (
    confidence,
    elapsed_s,
    is_paused,
    orders_fill,
    runs_before,
    span_s,
)
from tasks.rules.diagnosis.causes.gateway_signs import names_of, signs_of
from tasks.rules.diagnosis.causes.gateways import gateway_failing
from tasks.rules.diagnosis.causes.machine import storage_fault
from tests.fakes.incident.observations import evidence, health, observation, order, process, three
from tests.fakes.incident.past import past, rounds, with_past

STORAGE = ("storage", "journal", "disk", "log", "logs", "database", "db", "filesystem", "Journal")
DOWN = ("down", "error", "unreachable", "failed", "critical", "offline", "DOWN")
WRONG_ROUTE = (
    "ASSET_CLASS_NOT_SUPPORTED",
    "UNSUPPORTED_ASSET_CLASS",
    "ASSET_CLASS_NOT_TRADED",
    "WRONG_VENUE",
    "NOT_TRADED_HERE",
)
OURS = (
    "ACCOUNT_UNKNOWN",
    "INVALID_ACCOUNT",
    "UNKNOWN_ACCOUNT",
    "NOT_AUTHORIZED",
    "NOT_PERMITTED",
    "ENTITLEMENT_MISSING",
    "UNKNOWN_SYMBOL",
    "INVALID_SYMBOL",
    "INVALID_PRICE_INCREMENT",
    "INVALID_ORDER_TYPE",
    "UNSUPPORTED_ORDER_TYPE",
    "INVALID_SESSION",
    "INVALID_COMP_ID",
    "UNKNOWN_FIRM",
    "RISK_LIMIT_EXCEEDED",
    "CREDIT_LIMIT_EXCEEDED",
)


def told(name: str, status: str) -> Observation:
    """A service that says something of one thing that it depends on."""
    return observation(health=health(status="degraded", dependencies={name: status}), gateways=(), orders=())


@pytest.mark.parametrize("name", STORAGE)
def test_each_name_of_a_storage_is_one(name: str) -> None:
    """A disk that is full is the platform's; taken for a gateway it would be marked, and the desk asked."""
    assert storage_fault(evidence(told(name, "down"))) is not None
    assert names_of(told(name, "down")) == ()


@pytest.mark.parametrize("word", DOWN)
def test_each_word_for_down_is_one(word: str) -> None:
    """Of a storage and of a gateway alike."""
    assert storage_fault(evidence(told("storage", word))) is not None
    assert signs_of(evidence(told("XNAS", word))) == {"XNAS": Kind.UNREACHABLE}


def test_a_word_that_is_none_of_them_says_that_nothing_is_down() -> None:
    """A service that is warming up has lost nothing."""
    assert storage_fault(evidence(told("storage", "warming"))) is None
    assert signs_of(evidence(told("XNAS", "warming"))) == {}


def rejecting(code: str) -> Observation:
    """A venue that rejects the order of equity."""
    rejected = order(outcome=OrderOutcome.REJECTED).model_copy(update={"code": code})
    return observation(orders=(rejected, order(AssetClass.FX)))


@pytest.mark.parametrize("code", WRONG_ROUTE)
def test_each_code_of_a_class_that_a_venue_does_not_trade_is_our_route_and_not_its_fault(code: str) -> None:
    """To mark the venue, or to wake its people, fixes no routing table."""
    assert signs_of(evidence(rejecting(code))) == {}


@pytest.mark.parametrize("code", OURS)
def test_each_code_of_something_that_is_not_set_up_there_goes_to_the_developers(code: str) -> None:
    """The platform cannot enter an account or a symbol."""
    found = gateway_failing(evidence(rejecting(code)))

    assert found is not None
    assert found.tier is Audience.TIER_2


@pytest.mark.parametrize("code", ["TRADING_HALTED", "TRADING_REDUCING", "GATEWAY_DISABLED"])
def test_each_denial_of_what_somebody_took_out_of_trading_is_no_fault(code: str) -> None:
    """It must not page the one who paused it; in another outcome the same word is nothing of the kind."""
    denied = order(outcome=OrderOutcome.DENIED).model_copy(update={"code": code})
    rejected = denied.model_copy(update={"outcome": OrderOutcome.REJECTED})

    assert is_paused(observation(), denied)
    assert not is_paused(observation(), rejected)
    assert not is_paused(observation(), denied.model_copy(update={"code": "NO_ROUTE"}))


@pytest.mark.parametrize(
    ("looks", "before", "sure"), [(1, 0, False), (2, 0, False), (3, 0, True), (2, 1, True), (1, 1, False), (1, 2, True)]
)
def test_three_looks_in_a_row_confirm_over_this_run_and_the_ones_before(looks: int, before: int, *, sure: bool) -> None:
    """Nothing is acted on before (safety rule 1)."""
    seen = evidence(*(observation(2.0 * at) for at in range(looks)))
    found = confidence(seen, before) if before else confidence(seen)

    assert (found is Confidence.CONFIRMED) is sure


@pytest.mark.parametrize(
    ("minutes", "count"),
    [((2, 1), 2), ((1,), 1), ((), 0), ((15,), 1), ((15.1,), 0), ((16, 1), 1)],
)
def test_runs_count_that_found_the_same_just_before(minutes: tuple[float, ...], count: int) -> None:
    """A quarter of an hour ago it may have been another trouble by the same name."""
    history = tuple(past(back, troubles=(Cause.GATEWAY_FAILING.value,)) for back in minutes)

    assert runs_before(with_past(rounds(), history=history), Cause.GATEWAY_FAILING) == count
    assert runs_before(with_past(rounds(), history=(*history, past(0.5))), Cause.GATEWAY_FAILING) == 0


def test_a_silence_lasts_up_to_the_end_of_the_last_probe() -> None:
    """A probe that waits for three seconds is three seconds of silence, and a service one as many as it waits."""
    seen = three()
    exchange = seen.latest.health.exchange
    assert exchange is not None
    waited = seen.latest.health.model_copy(update={"exchange": exchange.model_copy(update={"seconds_s": 3.0})})
    patient = seen.latest.health.model_copy(update={"looked_at": observation(30.0).looked_at})

    assert span_s(three(health=waited)) == 7.0
    assert span_s(three(health=health().model_copy(update={"exchange": None}))) == 4.0
    assert span_s(three(health=health().model_copy(update={"exchange": None}), patience=patient)) == 30.0
    assert span_s(evidence(observation(health=health().model_copy(update={"exchange": None})))) == 0.0


def test_a_clock_that_nobody_sets_is_believed_where_both_looks_have_read_it() -> None:
    """A step of the machine's clock makes no silence long."""
    first, last = process(), process().model_copy(update={"looked_at": observation(100.0).looked_at})
    steady = {"steady_s": 10.0}

    assert elapsed_s(first, last) == 100.0
    assert elapsed_s(first.model_copy(update=steady), last) == 100.0
    assert elapsed_s(first, last.model_copy(update=steady)) == 100.0
    assert elapsed_s(first.model_copy(update=steady), last.model_copy(update={"steady_s": 12.5})) == 2.5


def test_orders_fill_only_where_all_of_every_look_did() -> None:
    """A restart is put off while they do; one that fails is reason enough, and none at all proves nothing."""
    lost = (order(outcome=OrderOutcome.TIMED_OUT), order(AssetClass.FX))

    assert orders_fill(three())
    assert not orders_fill(evidence(observation(), observation(2.0, orders=())))
    assert not orders_fill(evidence(observation(orders=lost), observation(2.0)))
    assert not orders_fill(evidence(observation(), observation(2.0, orders=lost)))
