"""Game day, changes: what a bad table, a bad feature or a bad release broke is taken back, and nothing else."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.drills import GameDay, make_quick
from tests.fakes.local_stack import Stack
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(400),
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


def table(day: GameDay) -> Path:
    """The live routing table."""
    return day.stack.state_dir / "order-service" / "routing.toml"


def with_equity_at_fxall(text: str) -> str:
    """A table that the service takes and that leads equities to a gateway which does not."""
    head, rest = text.split("[gateways.FXALL]", 1)
    rest = rest.replace('["fx"]', '["fx", "equity"]', 1)
    return head + "[gateways.FXALL]" + rest.replace('gateway = "XNAS"', 'gateway = "FXALL"', 1)


def without_crypto(text: str) -> str:
    """A table that has no route for crypto."""
    head, rest = text.split("[routes.crypto]", 1)
    others = rest.split("\n[", 1)
    return head + (f"[{others[1]}" if len(others) > 1 else "")


@pytest.mark.parametrize("spoil", [with_equity_at_fxall, without_crypto])
def test_rows_17_and_18_a_wrong_table_is_restored_and_its_class_proven(
    day: GameDay, spoil: Callable[[str], str]
) -> None:
    """The last good table serves again; no restart, no default route."""
    pid, good = day.pid(), table(day).read_text("utf-8")
    day.triage()
    with day.trading():
        table(day).write_text(spoil(good), "utf-8")
        day.reload()
        eventually(lambda: day.check()["causes"], within_s=15, every_s=0.5)
        day.triage()

    assert day.actions() == {"restore_routing": "recovered"}
    assert day.pid() == pid
    assert table(day).read_text("utf-8") == good
    assert day.check()["status"] == "ok"


def test_row_19_a_corrupted_table_is_put_right_before_a_restart_makes_it_real(day: GameDay) -> None:
    """The service never stopped serving."""
    pid, good = day.pid(), table(day).read_text("utf-8")
    table(day).write_text("[routes\n", "utf-8")

    day.triage()

    assert day.actions() == {"restore_routing": "recovered"}
    assert day.pid() == pid
    assert table(day).read_text("utf-8") == good


def broken(day: GameDay, version: str, fault: str) -> None:
    """Deploy a release that is well, let it be seen so, then let its fault begin."""
    day.deploy(version, "--fault", fault, "--on-signal")
    os.kill(day.pid(), signal.SIGUSR2)


def rolled_back(day: GameDay) -> None:
    """The good release is back, by one rollback and no restart."""
    assert day.service()["release"] == "1.0.0"
    assert day.actions()["roll_back_release"] == "recovered"
    assert day.count("roll_back_release") == 1
    assert {"restart_service", "reroute_orders", "mark_degraded"}.isdisjoint(day.actions())


@pytest.mark.parametrize(("version", "fault"), [("20.0.0", "order_errors"), ("21.0.0", "slow_orders")])
def test_rows_20_and_21_a_bad_release_is_rolled_back_to_the_one_that_was_seen_healthy(
    day: GameDay, version: str, fault: str
) -> None:
    """A third of the orders fail, or all are slow: the numbers before and after the deploy decide."""
    with day.trading(per_s=16):
        for _ in range(9):
            day.triage()
        broken(day, version, fault)
        time.sleep(10)
        for _ in range(8):
            if "roll_back_release" in day.actions():
                break
            day.triage()

    rolled_back(day)


def test_row_20_errors_that_began_before_the_deploy_are_not_its_fault(day: GameDay) -> None:
    """A deploy in the middle of trouble is not rolled back for it."""
    day.deploy("20.1.0", "--fault", "order_errors", "--on-signal")
    eventually(lambda: day.check()["status"] == "ok", within_s=30, every_s=1)
    assert day.stack.run("mode", "observe").returncode == 0
    with day.trading(per_s=16):
        os.kill(day.pid(), signal.SIGUSR2)
        for _ in range(3):
            day.triage()
        day.deploy("20.2.0", "--fault", "order_errors", "--on-signal")
        os.kill(day.pid(), signal.SIGUSR2)
        time.sleep(5)
        assert day.stack.run("mode", "act").returncode == 0
        day.triage()

    assert "roll_back_release" not in day.actions()


def test_row_22_a_feature_that_breaks_one_class_is_switched_off_and_its_release_stays(day: GameDay) -> None:
    """Only crypto fails: the feature that came with the release goes, the release does not."""
    with day.trading(per_s=16):
        for _ in range(3):
            day.triage()
        broken(day, "22.0.0", "feature_breaks_crypto")
        time.sleep(10)
        for _ in range(4):
            if day.actions():
                break
            day.triage()

    assert day.actions() == {"disable_feature": "recovered"}
    assert day.service()["release"] == "22.0.0"
