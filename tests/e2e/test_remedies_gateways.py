"""Game day, gateways: the class that one trades is led around or paused, and nothing else is touched."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.fakes.drills import GameDay, make_quick
from tests.fakes.local_stack import Stack
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]


@pytest.fixture
def day(stack: Stack) -> Iterator[GameDay]:
    """A healthy armed stack."""
    make_quick(stack)
    stack.wait_for_triage()
    one = GameDay(stack)
    one.heal()
    yield one.begin()
    one.heal()


def states(day: GameDay) -> dict[str, str]:
    """The trading state of each class."""
    return {name: one["trading_state"] for name, one in day.routing()["asset_classes"].items()}


def test_row_10_a_dead_gateway_is_marked_and_its_class_led_around_it(day: GameDay) -> None:
    """Equity trades on through its alternate; no restart, no other class."""
    pid = day.pid()
    with day.trading() as load:
        os.kill(day.gateway_pid("XNAS"), signal.SIGKILL)
        day.triage()
        eventually(lambda: load.send("equity") == 201, within_s=10)

    assert day.pid() == pid
    assert day.actions().keys() <= {"mark_degraded", "reroute_orders", "pause_strategies"}
    assert {"mark_degraded"} <= day.actions().keys()
    assert day.routing()["asset_classes"]["equity"]["gateway"] == "XNYS"
    assert {name for name, state in states(day).items() if state != "active"} == set()
    assert day.told("desk")[0] == (
        "We are experiencing degraded order routing for equity. Investigating. Orders may be delayed. ETA 15m."
    )
    assert any(text.startswith("Incident: order-routing health checks failing since") for text in day.told("tier_3"))


def test_row_10_a_dead_gateway_without_an_alternate_pauses_its_class(day: GameDay) -> None:
    """Futures have one line: they are halted, and only they."""
    os.kill(day.gateway_pid("CRYP"), signal.SIGKILL)

    day.triage()

    assert day.actions() == {"mark_degraded": "done", "pause_strategies": "done"}
    assert {name for name, state in states(day).items() if state != "active"} == {"crypto"}
    assert "Trading in crypto is paused (halted). It holds no cancel back. A person resumes it." in day.told("desk")


def test_row_11_orders_that_a_silent_gateway_swallowed_are_never_sent_again(day: GameDay) -> None:
    """While their fate is open the class is paused, not led around."""
    pid = day.pid()
    with day.trading(), day.fault("XNAS", fault="silence"):
        day.triage()
        stopped = states(day)["equity"]

    assert day.pid() == pid
    assert "restart_service" not in day.actions()
    assert stopped == "halted" or day.routing()["asset_classes"]["equity"]["gateway"] == "XNYS"


def test_row_12_a_gateway_stopped_mid_order_pauses_its_class(day: GameDay) -> None:
    """Orders in it are asked for by id when it is back."""
    pid = day.pid()
    with day.trading(), day.stopped(day.gateway_pid("FXALL")):
        day.triage()
        fx = states(day)["fx"]

    assert day.pid() == pid
    assert fx in {"halted", "reducing"} or day.routing()["asset_classes"]["fx"]["gateway"] == "XCME"
    assert {"restart_service", "roll_back_release"}.isdisjoint(day.actions())


def test_row_15_a_gateway_that_rejects_everything_pauses_its_class_with_the_venues_words(day: GameDay) -> None:
    """Code and text of the venue are in the page."""
    with day.fault("CRYP", fault="reject", code="PRICE_BAND", text="outside of the band"):
        day.triage()

    assert day.actions() == {"pause_strategies": "done"}
    assert states(day)["crypto"] == "halted"
    assert any("PRICE_BAND" in text for text in day.told("tier_3"))


def test_row_16_a_gateway_that_acknowledges_and_never_fills_pauses_its_class(day: GameDay) -> None:
    """Acknowledged is neither filled nor dead."""
    with day.fault("CRYP", fault="ack_without_fill"):
        day.triage()

    assert day.actions() == {"pause_strategies": "done"}
    assert states(day)["crypto"] == "halted"
