"""The pings of a run: heard in order, told apart, and never in its way."""

import logging
import subprocess
import sys
import time

import pytest

from tasks.clients.prefect.healthchecks_ping import LIMIT_S, LOGGER, Ping, address, send_ping
from tests.fakes.polling import eventually
from tests.fakes.watcher import watching

pytestmark = pytest.mark.live

HANGS = """
from tasks.clients.prefect.healthchecks_ping import Ping, send_ping
import sys, time
began = time.monotonic()
send_ping(sys.argv[1], Ping.START, "run")
send_ping(sys.argv[1], Ping.SUCCESS, "run")
print(time.monotonic() - began)
"""


def test_a_run_is_heard_from_its_start_to_its_end_in_this_order() -> None:
    """A start that is heard after its end would leave a run open that is over."""
    with watching() as watcher:
        send_ping(watcher.url, Ping.START, "run-1")
        send_ping(watcher.url, Ping.SUCCESS, "run-1")
        eventually(lambda: len(watcher.pings) == 2)

    assert watcher.pings == ["/secret-uuid/start?rid=run-1", "/secret-uuid?rid=run-1"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hc.example/uuid", "https://hc.example/uuid/fail?rid=r%201"),
        ("https://hc.example/uuid/", "https://hc.example/uuid/fail?rid=r%201"),
        ("https://hc.example/ping/key/name?create=1#x", "https://hc.example/ping/key/name/fail?create=1&rid=r%201"),
    ],
)
def test_the_word_goes_to_the_end_of_the_path(url: str, expected: str) -> None:
    """An address with a query of its own keeps it."""
    assert address(url, Ping.FAIL, "r 1") == expected


@pytest.mark.parametrize("status", [404, 500])
def test_a_watcher_that_refuses_is_a_line_in_the_log_without_the_address(
    status: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows the address can say that everything is healthy."""
    # Who configures logging again, as Prefect's command line does, disables the loggers that were there.
    monkeypatch.setattr(LOGGER, "disabled", False)
    with caplog.at_level(logging.DEBUG), watching(status) as watcher:
        send_ping(watcher.url, Ping.SUCCESS, "run")
        eventually(lambda: caplog.records)

    assert watcher.words == ["/secret-uuid"]
    assert "secret-uuid" not in caplog.text


def test_a_watcher_that_never_answers_delays_nothing_and_its_process_ends() -> None:
    """The call returns at once, the process ends within the limit of two pings, and exits well."""
    with watching() as watcher:
        watcher.silent = True
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-c", HANGS, watcher.url], capture_output=True, text=True, check=False, timeout=60
        )
        took_s = time.monotonic() - began

    assert ended.returncode == 0
    assert float(ended.stdout) < LIMIT_S
    assert took_s < 2 * LIMIT_S + 5
    assert watcher.words == ["/secret-uuid/start", "/secret-uuid"]
