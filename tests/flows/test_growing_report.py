"""The report while the run waits and acts: one page from the diagnosis on, which no server of Prefect can hold up."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.prefect_api.approvals import answer, waiting_approvals
from deployments.prefect_api.client import PrefectDoor
from deployments.stack.local_http import ask
from flows.triage import triage
from tasks.clients.incidents.mode import set_mode
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.prefect import artifacts, growing_artifact
from tasks.clients.prefect.growing_artifact import GrowingArtifact, ReportPage, opened, rewritten, settled
from tasks.model.incidents.modes import Mode
from tests.fakes.service.monitored_service import Patient, running

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
NOBODY = "http://127.0.0.1:9/api"
TEXT = ReportPage("# text", "words")


@pytest.fixture
def hung(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A hung stub in mode propose."""
    assert prefect
    with running(tmp_path, control_token="any") as one:
        one.watch_from_the_environment(monkeypatch)
        set_mode(one.settings, Mode.PROPOSE)
        assert one.pid
        os.kill(one.pid, signal.SIGSTOP)
        yield one


async def eventually(api: str, path: str, holds: Callable[[Any], bool]) -> Any:
    """Ask until the answer is as expected; it comes beside the work."""
    found: Any = None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = await asyncio.to_thread(ask, f"{api}{path}")
        if found and holds(found):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} stays {found}")


async def plan_that_waits(api: str, incident_id: str) -> dict[str, Any]:
    """Wait until the plan of an incident waits for an answer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for one in await asyncio.to_thread(waiting_approvals, PrefectDoor(api), datetime.now(UTC)):
            if incident_id in one["incident_ids"]:
                return one
        await asyncio.sleep(0.1)
    raise AssertionError("no plan waits for an answer")


async def first_message(patient: Patient) -> Any:
    """Wait for the first message of a run."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := read_deliveries(patient.settings.notifications_path):
            return found[0]
        await asyncio.sleep(0.1)
    raise AssertionError("nobody was notified")


async def test_the_link_of_the_first_message_answers_the_four_questions_while_the_plan_waits_and_after(
    hung: Patient, prefect: str
) -> None:
    """What is broken, since when, what is being done, what must I do: on one page, before anybody has answered."""
    run = asyncio.create_task(triage())
    message = await first_message(hung)
    path = f"/artifacts/{message.run_url.rpartition('/')[2]}"
    plan = await plan_that_waits(prefect, message.incident_id)
    waiting = await eventually(prefect, path, lambda found: "waiting for YOU" in found["data"])
    child = await eventually(prefect, f"/flow_runs/{plan['flow_run_id']}", lambda found: "waiting" in found["name"])
    whole = await eventually(prefect, f"/flow_runs/{waiting['flow_run_id']}", lambda found: "waiting" in found["name"])
    await asyncio.to_thread(answer, PrefectDoor(prefect), plan["flow_run_id"], "approve", "ada", "")
    line = await asyncio.wait_for(run, 90)
    after = await eventually(prefect, path, lambda found: "Recovered" in found["description"])
    ended = await asyncio.to_thread(ask, f"{prefect}/flow_runs/{waiting['flow_run_id']}") or {}

    until = datetime.fromisoformat(plan["expires_at"])
    assert waiting["description"].startswith("order-service has been hung since ")
    head, *bullets = [one.replace("\\", "") for one in waiting["data"].partition("## Cause")[0].splitlines() if one]
    assert head.startswith("## order-service hung since ")
    assert bullets[0].startswith("- **Since**: 20")
    assert bullets[1].startswith("- **Now**: waiting for YOU until ")
    assert bullets[1].endswith(": restart service?")
    assert bullets[2].startswith("- **To do**: approve or reject by ")
    assert f"/flow-runs/flow-run/{plan['flow_run_id']}) and press Resume" in bullets[2]
    assert bullets[3] == f"- **To do**: acknowledge {message.incident_id}"
    assert child["state"]["type"] == "PAUSED"
    for named in (child["name"], whole["name"]):
        assert named.startswith("order-service hung since ")
        said = named.partition(", waiting for YOU until ")[2].removesuffix("Z")
        assert abs((datetime.strptime(said, "%H:%M:%S").replace(tzinfo=UTC) - at_that_day(until)).total_seconds()) <= 5
    assert line == after["description"]
    assert after["id"] == waiting["id"], "one page, from the diagnosis on"
    assert "waiting for YOU" not in after["data"]
    assert "**Now**" not in after["data"]
    assert "- **Done**: Restart service: recovered since " in after["data"]
    assert (ended["state_type"], ended["state_name"]) == ("COMPLETED", "Recovered")
    assert {one.run_url for one in read_deliveries(hung.settings.notifications_path)} == {message.run_url}


def at_that_day(moment: datetime) -> datetime:
    """The same time of the day that `strptime` takes for the first."""
    return moment.replace(year=1900, month=1, day=1, microsecond=0)


async def never(*_: object, **__: object) -> None:
    """Answer as a server that hangs."""
    await asyncio.sleep(60)


async def test_a_server_that_is_away_costs_the_page_and_a_bounded_time(
    prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 13: no page delays a recovery; what is shown beside the work costs it nothing at all."""
    monkeypatch.setattr(growing_artifact, "acreate_markdown_artifact", never)
    monkeypatch.setattr(growing_artifact, "PUBLISH_LIMIT_S", 0.2)

    @flow
    async def without_a_server() -> tuple[object, float, float, bool]:
        begun_s = time.monotonic()
        report = await opened(TEXT, "triage-x")
        took_s = time.monotonic() - begun_s
        with temporary_settings({PREFECT_API_URL: NOBODY}):
            artifact_id = uuid4()
            growing = GrowingArtifact(artifact_id)
            begun_s = time.monotonic()
            growing.show(lambda: TEXT)
            beside_s = time.monotonic() - begun_s
            return report, took_s, beside_s, await rewritten(artifact_id, TEXT)

    assert prefect
    report, took_s, beside_s, is_written = await without_a_server()

    assert report is None
    assert 0.2 <= took_s < 5.0
    assert beside_s < 0.1
    assert not is_written


async def test_only_the_last_text_stays_however_fast_they_come(prefect: str) -> None:
    """The end of the run is the last word: nothing that was still on its way writes over it."""

    @flow
    async def fast() -> tuple[str, str]:
        report = await opened(TEXT, "triage-x")
        assert report
        growing = GrowingArtifact(report.artifact_id)
        for number in range(50):
            growing.show(lambda number=number: ReportPage(f"# {number}", "words", "under way"))
            await asyncio.sleep(0)
        growing.stop()
        await settled(report.artifact_id)
        assert await artifacts.renamed("ended")
        assert await rewritten(report.artifact_id, ReportPage("# the end", "over"))
        await asyncio.sleep(0.5)
        return str(report.artifact_id), str(flow_run.id)

    artifact_id, run_id = await fast()
    found = ask(f"{prefect}/artifacts/{artifact_id}") or {}

    assert (ask(f"{prefect}/flow_runs/{run_id}") or {})["name"] == "ended"
    assert (found["data"], found["description"]) == ("# the end", "over")


async def test_a_report_that_no_server_takes_fails_no_triage(
    tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service was checked, and that counts; a page that is missing is no reason to page the platform team."""

    async def refused(*_: object, **__: object) -> None:
        raise TimeoutError

    assert prefect
    monkeypatch.setattr(artifacts, "acreate_markdown_artifact", refused)
    with running(tmp_path) as patient:
        patient.watch_from_the_environment(monkeypatch)
        state = await triage(return_state=True)

    assert (state.is_completed(), state.name) == (True, "Healthy")
    assert str(state.message).startswith("order-service is healthy")
