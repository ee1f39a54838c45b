"""Game day, the service itself: restarted once where that helps, never where it would harm, and proven afterwards."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
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


def gone(day: GameDay) -> None:
    """Wait until nothing answers on the service's port."""
    eventually(lambda: day.service()["health"] is None, within_s=10, every_s=0.2)


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_rows_1_and_2_a_hung_or_dead_service_is_restarted_once_under_load(day: GameDay, number: signal.Signals) -> None:
    """Orders flow again, and the ones in flight are asked for, never resent."""
    pid = day.pid()
    with day.trading() as load:
        os.kill(pid, number)
        day.triage()
        eventually(lambda: load.send("crypto") == 201, within_s=30)

    assert day.pid() != pid
    assert day.actions() == {"restart_service": "recovered"}
    assert day.count("restart_service") == 1


def test_row_3_a_crash_loop_without_a_deploy_ends_after_two_restarts(day: GameDay) -> None:
    """The third crash is nobody's restart: hands off, and tier 2."""
    for _ in range(2):
        os.kill(day.pid(), signal.SIGKILL)
        gone(day)
        day.triage()
        eventually(lambda: day.service()["health"] == "ok", within_s=30, every_s=0.5)
    os.kill(day.pid(), signal.SIGKILL)
    gone(day)

    day.triage()
    day.triage()

    assert day.count("restart_service") == 2
    assert "roll_back_release" not in day.actions()
    assert day.service()["health"] is None
    assert day.told("tier_2")


def test_row_4_a_crash_loop_right_after_a_deploy_is_rolled_back(day: GameDay) -> None:
    """The release is blamed, and the last good one comes back."""
    day.triage()
    day.deploy("4.0.0", "--fault", "crash_loop")
    for _ in range(4):
        if day.actions().get("roll_back_release") == "recovered":
            break
        gone(day)
        day.triage()

    assert day.service()["release"] == "1.0.0"
    assert day.actions()["roll_back_release"] == "recovered"
    assert day.count("restart_service") <= 2


def test_row_8_a_service_that_takes_no_orders_is_restarted_whatever_its_health_says(day: GameDay) -> None:
    """The synthetic order decides."""
    day.deploy("8.0.0", "--fault", "orders_hang", "--on-signal")
    eventually(lambda: day.check()["status"] == "ok", within_s=30, every_s=1)
    pid = day.pid()
    os.kill(pid, signal.SIGUSR2)

    day.triage()

    assert day.actions() == {"restart_service": "recovered"}
    assert day.pid() != pid


def test_row_6_a_service_that_spins_is_restarted(day: GameDay) -> None:
    """It takes a whole core and answers nobody."""
    day.deploy("6.0.0", "--fault", "cpu_spin", "--on-signal")
    eventually(lambda: day.check()["status"] == "ok", within_s=30, every_s=1)
    pid = day.pid()
    os.kill(pid, signal.SIGUSR2)

    day.triage()

    assert day.count("restart_service") == 1
    assert day.pid() != pid


def test_row_25_a_service_without_descriptors_is_restarted_and_no_gateway_is_blamed(day: GameDay) -> None:
    """A socket that we could not open is not the venue's fault."""
    process = psutil.Process(day.pid())
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds(), process.rlimit(psutil.RLIMIT_NOFILE)[1]))

    day.triage()

    assert day.count("restart_service") == 1
    assert day.pid() != process.pid
    assert {"mark_degraded", "reroute_orders"}.isdisjoint(day.actions())


@contextmanager
def squatting(port: int) -> Iterator[None]:
    """Sit on a port that is somebody else's."""
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        yield


def test_row_26_the_owner_of_a_taken_port_is_named_and_left_alone(day: GameDay) -> None:
    """We are the stranger here, and we live."""
    port = int(day.base_url.rsplit(":", 1)[1])
    os.kill(day.pid(), signal.SIGKILL)
    gone(day)
    with squatting(port):
        day.triage()

    assert "restart_service" not in day.actions()
    assert any(str(os.getpid()) in text for text in day.told("tier_3"))


def test_row_28_a_restart_that_does_not_bring_orders_back_is_not_repeated(day: GameDay) -> None:
    """One restart, then tier 2; a second and a third would only hide the session that is missing."""
    pid = day.pid()
    with day.fault("CRYP", fault="reject", code="SESSION_DOWN", text="no session"):
        os.kill(pid, signal.SIGSTOP)
        day.triage()
        day.triage()

    assert day.count("restart_service") == 1
    assert day.told("tier_2")


def test_row_29_a_hung_service_beside_a_dead_gateway_is_restarted_and_then_the_gateway_marked(day: GameDay) -> None:
    """Both, in order; never both at once."""
    pid = day.pid()
    os.kill(day.gateway_pid("CRYP"), signal.SIGKILL)
    os.kill(pid, signal.SIGSTOP)

    day.triage()
    day.triage()

    assert day.pid() != pid
    assert day.count("restart_service") == 1
    assert day.actions()["mark_degraded"] == "done"
    assert day.actions()["pause_strategies"] == "done"
