"""Game day, changes: what a bad table, a bad feature or a bad release broke is taken back, and nothing else."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.drills.game_day import GOOD_RELEASE, GameDay
from tests.fakes.drills.order_load import OrderLoad
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
RESTORED, ROLLED_BACK = ("restore_routing", "recovered"), ("roll_back_release", "recovered")


def table(day: GameDay) -> Path:
    """The live routing table."""
    return day.state_dir / "order-service" / "routing.toml"


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
    pid, good, routes = day.pid(), table(day).read_text("utf-8"), day.routes()
    with day.trading() as load:
        day.fills(load)
        table(day).write_text(spoil(good), "utf-8")
        day.reload()
        eventually(lambda: day.routes() != routes, within_s=30, every_s=0.2)
        day.triage()
        day.fills(load)

    assert day.done() == [RESTORED]
    assert day.opened() == {"routing_misconfigured"}
    assert (day.pid(), day.routes(), day.states()) == (pid, routes, {})
    assert table(day).read_text("utf-8") == good
    assert day.told("tier_2")


def test_row_19_a_corrupted_table_is_put_right_before_a_restart_makes_it_real(day: GameDay) -> None:
    """The service never stopped serving, and the next start finds a table that it takes."""
    pid, good = day.pid(), table(day).read_text("utf-8")
    with day.trading() as load:
        table(day).write_text("[routes\n", "utf-8")
        day.triage()
        day.fills(load)
        assert day.done() == [RESTORED]
        assert day.pid() == pid
        assert table(day).read_text("utf-8") == good
        day.restart()
        day.fills(load)

    assert day.told("tier_2")


def seen_well(day: GameDay, load: OrderLoad, runs_count: int) -> None:
    """Let some runs see the good release under load, and let it record a healthy run: only then is it a way back."""
    day.fills(load)
    for _ in range(runs_count):
        day.triage()
    eventually(lambda: day.known_good(GOOD_RELEASE), within_s=90, every_s=2.0)


@pytest.mark.parametrize(
    ("version", "fault", "runs_before"), [("20.0.0", "order_errors", 3), ("21.0.0", "slow_orders", 9)]
)
def test_rows_20_and_21_a_bad_release_is_rolled_back_to_the_one_that_was_seen_healthy(
    day: GameDay, version: str, fault: str, runs_before: int
) -> None:
    """A third of the orders fail, or all are slow: the numbers before and after the deploy decide."""
    with day.trading(per_s=16) as load:
        seen_well(day, load, runs_before)
        day.deploy_ill(version, fault)
        day.break_release()
        after = len(load.answers) + 80
        eventually(lambda: len(load.answers) >= after, within_s=60)
        day.triage_until(day.done)
        day.fills(load)

    assert day.done() == [ROLLED_BACK]
    assert day.opened() == {"bad_release"}
    assert day.release() == GOOD_RELEASE
    assert any(version in text for text in day.told("tier_2"))


def test_row_20_errors_that_began_before_the_deploy_are_not_its_fault(day: GameDay) -> None:
    """A deploy in the middle of trouble is not rolled back for it: a person looks."""
    with day.trading(per_s=16) as load:
        seen_well(day, load, 2)
        day.deploy_ill("20.1.0", "order_errors")
        assert day.stack.run("mode", "observe").returncode == 0
        day.break_release()
        for _ in range(3):
            day.triage()
        day.deploy("20.2.0", "--fault", "order_errors")
        failed = load.counted("INTERNAL_ERROR")
        eventually(lambda: load.counted("INTERNAL_ERROR") >= failed + 20, within_s=60)
        assert day.stack.run("mode", "act").returncode == 0
        day.triage()

        assert day.done() == []
        assert day.release() == "20.2.0"
        assert day.told("tier_2")


def test_row_22_a_feature_that_breaks_one_class_is_switched_off_and_its_release_stays(day: GameDay) -> None:
    """Only crypto fails: the feature that came with the release goes, the release does not."""
    with day.trading(per_s=16) as load:
        seen_well(day, load, 3)
        day.deploy_ill("22.0.0", "feature_breaks_crypto")
        pid = day.break_release()
        eventually(lambda: load.counted("INTERNAL_ERROR") >= 12, within_s=60)
        day.triage_until(day.done)
        day.fills(load)

    assert day.done() == [("disable_feature", "recovered")]
    assert day.opened() == {"bad_feature"}
    assert (day.pid(), day.release()) == (pid, "22.0.0")
    assert any("crypto_price_guard" in text for text in day.told("tier_2"))
