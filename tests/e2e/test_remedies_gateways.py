"""Game day, gateways: the class that one trades is led around or paused, and nothing else is touched."""

import sys

import pytest

from tests.fakes.drills.game_day import GameDay
from tests.fakes.drills.order_load import SYMBOLS
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
DESK = "We are experiencing degraded order routing for {}. Investigating. Orders may be delayed. ETA 15m."
PAUSED = "{} trading is halted. Cancels still go through. It stays halted until someone resumes it."
TECHNICAL = "Incident: order-routing health checks failing since"


def others(asset_class: str) -> set[str]:
    """The classes that a drill of this one must not touch."""
    return SYMBOLS.keys() - {asset_class}


def test_row_10_a_dead_gateway_is_marked_and_its_class_led_around_it(day: GameDay) -> None:
    """Equity trades on through its alternate; no restart, no other class, and no way back that nobody asked for."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        day.kill(day.gateway_pid("XNAS"))
        day.triage()
        day.fills(load)

        assert day.done() == [("mark_degraded", "done"), ("reroute_orders", "recovered")]
        assert day.routes()["equity"] == "XNYS"
        assert day.states() == {}
        day.up()
        day.triage()
        assert day.routes()["equity"] == "XNYS"
        day.resume("equity")
        day.fills(load, "equity")

    assert day.pid() == pid
    assert day.routes()["equity"] == "XNAS"
    assert day.told("desk")[0] == DESK.format("equity")
    assert "New equity orders go to XNYS. Orders already sent stay where they are." in day.told("desk")
    assert any(text.startswith(TECHNICAL) for text in day.told("tier_3"))


def test_row_10_a_dead_gateway_without_an_alternate_pauses_its_class(day: GameDay) -> None:
    """Crypto has one line: it is halted, and only it, until a person resumes it."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        day.kill(day.gateway_pid("CRYP"))
        day.triage()

        assert day.done() == [("mark_degraded", "done"), ("pause_strategies", "done")]
        assert day.states() == {"crypto": "halted"}
        assert load.send("crypto") == "TRADING_HALTED"
        day.fills(load, *others("crypto"))
        day.up()
        day.triage()
        assert day.states() == {"crypto": "halted"}
        day.resume("crypto")
        day.fills(load, "crypto")

    assert day.pid() == pid
    # Whether the desk is also asked to resume depends on when the last look still saw the cause.
    degraded, paused, *offers = [text for text in day.told("desk") if "crypto" in text.lower()]
    assert (degraded, paused) == (DESK.format("crypto"), PAUSED.format("Crypto"))
    assert len(offers) <= 1
    assert all(text.endswith("On-call decides whether to resume.") for text in offers)
    assert any(text.startswith(TECHNICAL) for text in day.told("tier_3"))


def test_row_11_a_gateway_that_never_answers_a_connect_is_marked_and_its_class_paused(day: GameDay) -> None:
    """The service waits for it and is not blamed; futures and nothing else stand still."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        with day.fault("XCME", fault="unreachable"):
            eventually(lambda: load.send("future") == "GATEWAY_UNREACHABLE", within_s=30)
            day.triage()

            assert day.done() == [("mark_degraded", "done"), ("pause_strategies", "done")]
            assert day.states() == {"future": "halted"}
            day.fills(load, *others("future"))
        day.resume("future")
        day.fills(load, "future")

    assert day.pid() == pid
    assert any(text.startswith(TECHNICAL) for text in day.told("tier_3"))


def test_row_11_orders_that_a_silent_gateway_swallowed_are_never_sent_again(day: GameDay) -> None:
    """It books and never answers: while the fate of one order is open, its class is paused and not led around."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        with day.fault("XNAS", fault="silence"):
            eventually(lambda: load.counted("unknown"), within_s=30)
            day.triage()

            assert ("pause_strategies", "done") in day.done()
            assert {"pause_strategies", "mark_degraded"} >= {action for action, _ in day.done()}
            assert day.routes()["equity"] == "XNAS"
            assert day.states() == {"equity": "halted"}
            day.fills(load, *others("equity"))
        day.resume("equity")
        day.fills(load, "equity")

    assert day.pid() == pid
    assert day.told("tier_3")


def test_row_12_a_gateway_stopped_mid_order_pauses_its_class_and_its_orders_are_asked_for(day: GameDay) -> None:
    """An order that it may have is never led to the other venue; when it is back it tells by id."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        with day.stopped(day.gateway_pid("FXALL")):
            eventually(lambda: load.counted("unknown"), within_s=30)
            day.triage()

            assert ("pause_strategies", "done") in day.done()
            assert {"pause_strategies", "mark_degraded"} >= {action for action, _ in day.done()}
            assert day.routes()["fx"] == "FXALL"
            assert day.states() == {"fx": "halted"}
            day.fills(load, *others("fx"))
        eventually(day.is_proven, within_s=60, every_s=0.5)
        day.resume("fx")
        day.fills(load, "fx")

    assert day.pid() == pid
    assert day.told("tier_3")


@pytest.mark.parametrize(("code", "tier"), [("PRICE_BAND", "tier_3"), ("RISK_LIMIT_EXCEEDED", "tier_2")])
def test_row_15_a_gateway_that_rejects_everything_pauses_its_class_with_the_venues_words(
    day: GameDay, code: str, tier: str
) -> None:
    """Code and text are in the page; one that speaks of our own set-up goes to the developers."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        with day.fault("CRYP", fault="reject", code=code, text="as the venue says"):
            day.triage()

            assert day.done() == [("pause_strategies", "done")]
            assert day.states() == {"crypto": "halted"}
            assert load.send("crypto") == "TRADING_HALTED"
            day.fills(load, *others("crypto"))
        day.resume("crypto")
        day.fills(load, "crypto")

    assert day.pid() == pid
    assert any(code in text and "as the venue says" in text for text in day.told(tier))


def test_row_16_a_gateway_that_acknowledges_and_never_fills_pauses_its_class(day: GameDay) -> None:
    """What it acknowledged is reported as it stands there: neither filled nor dead."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        with day.fault("CRYP", fault="ack_without_fill"):
            eventually(lambda: load.counted("new"), within_s=10)
            day.triage()

            assert day.done() == [("pause_strategies", "done")]
            assert day.states() == {"crypto": "halted"}
            day.fills(load, *others("crypto"))
        day.resume("crypto")
        day.fills(load, "crypto")

    assert day.pid() == pid
    assert day.told("tier_3")
