"""Game day, the service itself: restarted once where that helps, never where it would harm, and proven afterwards."""

import os
import re
import signal
import sys
from contextlib import suppress

import psutil
import pytest

from tests.fakes.drills.game_day import GOOD_RELEASE, GameDay, is_alive
from tests.fakes.polling import eventually
from tests.fakes.process.port_taker import heard_by, squatting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
RESTARTED = ("restart_service", "recovered")


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_rows_1_and_2_a_hung_or_dead_service_is_restarted_once_under_load(day: GameDay, number: signal.Signals) -> None:
    """Orders flow again, and the ones in flight are asked for, never resent."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        os.kill(pid, number)
        day.triage()
        day.fills(load)

    assert day.done() == [RESTARTED]
    assert not is_alive(pid)
    assert {"process.json", "incidents.jsonl"} <= set(day.snapshots())
    assert any(re.match(r"order-service recovered at \S+ after restart service", text) for text in day.told("tier_1"))


def test_row_3_a_crash_loop_without_a_deploy_ends_after_two_restarts(day: GameDay) -> None:
    """The third crash is nobody's restart: hands off, tier 2, and no word of a pause that nobody could take in."""
    with day.trading() as load:
        day.fills(load)
        for count in (1, 2):
            day.kill(day.pid())
            day.triage()
            assert day.done() == [RESTARTED] * count
        day.fills(load)
        day.kill(day.pid())

        day.triage()
        day.triage()

        assert [one for one in day.done() if one[0] != "pause_strategies"] == [RESTARTED] * 2
        assert {outcome for action, outcome in day.done() if action == "pause_strategies"} <= {"refused"}
        assert day.running_pid() is None
        assert any("crash_loop" in text for text in day.told("tier_2"))
        assert not any("trading is halted" in text for text in day.told("desk"))
        day.up()
        day.fills(load)


def test_row_4_a_crash_loop_right_after_a_deploy_is_rolled_back(day: GameDay) -> None:
    """The release is blamed, and the last good one comes back; it is not restarted for ever."""
    with day.trading() as load:
        day.fills(load)
        for _ in range(3):
            day.triage()
        eventually(lambda: day.known_good(GOOD_RELEASE), within_s=90, every_s=2.0)
        day.deploy("4.0.0", "--fault", "crash_loop")
        for _ in range(2):
            eventually(lambda: day.running_pid() is None, within_s=30, every_s=0.1)
            day.triage()
        day.fills(load)

    assert day.done() == [RESTARTED, ("roll_back_release", "recovered")]
    assert day.release() == GOOD_RELEASE
    assert any("4.0.0" in text for text in day.told("tier_2"))


def test_row_5_a_service_that_leaks_is_restarted_in_order_before_the_kernel_ends_it(day: GameDay) -> None:
    """Nobody waits for the kill: the service is drained, and the developers hear that it leaks."""
    day.deploy_ill("5.0.0", "memory_leak")
    day.settle()
    with day.trading() as load:
        day.fills(load)
        pid = day.break_release()
        day.triage_until(day.done)
        day.fills(load)

    assert day.done() == [RESTARTED]
    assert day.opened() == {"resource_exhausted"}
    assert day.pid() != pid
    # By the deploy, and by the restart: the kernel would not have asked it to.
    assert day.types().count("service_stopped") == 2
    assert day.told("tier_1")
    assert any("memory" in text for text in day.told("tier_2"))


def test_row_6_a_service_that_spins_is_restarted(day: GameDay) -> None:
    """It takes a whole core and answers nobody; its stacks are kept, they show where it spins."""
    day.deploy_ill("6.0.0", "cpu_spin")
    day.settle()
    with suppress(psutil.AccessDenied):
        # On a machine that works for others too it would not get the core that it spins on, and that is another fault.
        psutil.Process(day.pid()).nice(-10)
    with day.trading() as load:
        day.fills(load)
        pid = day.break_release()
        day.triage()
        day.fills(load)

    assert day.done() == [RESTARTED]
    assert day.opened() == {"service_hung"}
    assert not is_alive(pid)
    assert "stacks.txt" in day.snapshots()
    assert day.told("tier_1")


def test_row_8_a_service_that_takes_no_orders_is_restarted_whatever_its_health_says(day: GameDay) -> None:
    """The synthetic order decides."""
    day.deploy_ill("8.0.0", "orders_hang")
    day.settle()
    with day.trading() as load:
        day.fills(load)
        pid = day.break_release()
        day.triage()
        day.fills(load)

    assert day.done() == [RESTARTED]
    assert day.opened() == {"service_hung"}
    assert day.pid() != pid
    assert day.told("tier_1")


def test_row_25_a_service_without_descriptors_is_restarted_and_no_gateway_is_blamed(day: GameDay) -> None:
    """A socket that we could not open is not the venue's fault; the developers look for what holds them."""
    with day.trading() as load:
        day.fills(load)
        process = psutil.Process(day.pid())
        process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds(), process.rlimit(psutil.RLIMIT_NOFILE)[1]))
        day.triage_until(day.done)
        day.fills(load)

    assert day.done() == [RESTARTED]
    assert day.opened() == {"resource_exhausted"}
    assert not is_alive(process.pid)
    assert "process.json" in day.snapshots()
    assert day.told("tier_1")
    assert any("descriptors" in text for text in day.told("tier_2"))


def test_row_26_the_owner_of_a_taken_port_is_named_and_left_alone(day: GameDay) -> None:
    """We are the stranger here, and we live; nobody sends a stranger the token of the control plane."""
    with day.trading() as load:
        day.fills(load)
        day.kill(day.pid())
        with squatting(day.settings.port) as squatter:
            day.triage()
            heard = heard_by(squatter)

        assert {action for action, _ in day.done()} <= {"pause_strategies"}
        assert {outcome for _, outcome in day.done()} <= {"refused"}
        assert day.opened() == {"infrastructure"}
        assert any(f"pid={os.getpid()}" in text for text in day.told("tier_3"))
        assert b"authorization: bearer" not in heard
        assert day.running_pid() is None
        day.up()
        day.fills(load)


def test_row_28_a_restart_that_does_not_bring_orders_back_is_not_repeated(day: GameDay) -> None:
    """One restart, then tier 2; a second and a third would only hide the session that is missing."""
    with day.trading() as load:
        day.fills(load)
        os.kill(day.pid(), signal.SIGSTOP)
        with day.fault("CRYP", fault="reject", code="SESSION_DOWN", text="no session"):
            for _ in range(3):
                day.triage()

            restarts = [one for one in day.done() if one[0] == "restart_service"]
            assert restarts == [("restart_service", "not_recovered")]
            assert {action for action, _ in day.done()} <= {"restart_service", "pause_strategies"}
            assert any("did not help" in text for text in day.told("tier_2"))
            day.fills(load, "equity", "future", "fx")
        day.resume()
        day.fills(load)


def test_row_29_a_hung_service_beside_a_dead_gateway_is_restarted_and_then_the_gateway_marked(day: GameDay) -> None:
    """Both, in order; the second begins when the first has ended."""
    pid = day.pid()
    with day.trading() as load:
        day.fills(load)
        day.kill(day.gateway_pid("CRYP"))
        os.kill(pid, signal.SIGSTOP)
        day.triage()

        assert day.done() == [RESTARTED, ("mark_degraded", "done"), ("pause_strategies", "done")]
        ends = [one.finished_at for one in day.timeline()]
        assert all(end and end <= after.started_at for end, after in zip(ends, day.timeline()[1:], strict=False))
        assert day.states() == {"crypto": "halted"}
        day.fills(load, "equity", "future", "fx")
        day.up()
        day.resume("crypto")
        day.fills(load, "crypto")

    assert not is_alive(pid)
    assert day.told("tier_1")
    assert day.told("tier_3")
