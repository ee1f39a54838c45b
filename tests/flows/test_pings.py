"""Every triage is told to an outside watcher, which hears of a machine that is gone because it hears nothing."""

import sys
import time
from pathlib import Path

import pytest

from flows.triage import triage
from tasks.clients.prefect.healthchecks_ping import TIMEOUT_S
from tests.fakes.polling import eventually
from tests.fakes.service.monitored_service import running, watched
from tests.fakes.watcher import watching

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the stub patient is driven by POSIX signals"),
]


async def test_a_triage_that_went_through_is_told_from_its_start_to_its_end(
    tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Completed means the runbook ran, whatever it found; both pings carry the run's own id."""
    assert prefect
    with watching() as watcher, running(tmp_path) as patient:
        patient.watch_from_the_environment(monkeypatch)
        monkeypatch.setenv("RUNBOOK_PING_URL", watcher.url)
        await triage()
        eventually(lambda: len(watcher.pings) == 2)

    assert watcher.words == ["/secret-uuid/start", "/secret-uuid"]
    assert len({one.partition("?rid=")[2] for one in watcher.pings}) == 1


async def test_a_tool_that_broke_is_told(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looked at the service in that minute."""
    assert prefect
    with watching() as watcher:
        watched(tmp_path).watch_from_the_environment(monkeypatch)
        monkeypatch.setenv("RUNBOOK_PING_URL", watcher.url)
        with pytest.raises(Exception, match="nosuch"):
            await triage(service="nosuch")
        eventually(lambda: len(watcher.pings) == 2)

    assert watcher.words == ["/secret-uuid/start", "/secret-uuid/fail"]


async def test_a_silent_watcher_delays_no_triage(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who watches the watch must not slow it: one wait for an answer would be seen."""
    assert prefect
    with watching() as watcher, running(tmp_path) as patient:
        watcher.silent = True
        patient.watch_from_the_environment(monkeypatch)
        plain_s = await triage_seconds()
        monkeypatch.setenv("RUNBOOK_PING_URL", watcher.url)
        told_s = await triage_seconds()
        eventually(lambda: watcher.pings)

    assert told_s < plain_s + TIMEOUT_S
    assert watcher.words[0] == "/secret-uuid/start"


async def triage_seconds() -> float:
    """Run a triage of the healthy patient, and measure it."""
    began = time.monotonic()
    assert (await triage()).startswith("order-service is healthy")
    return time.monotonic() - began
