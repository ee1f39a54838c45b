"""Progress in the Prefect UI: what a long step shows there, and that a healthy run shows none of it."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import Artifact
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.prefect_api.client import PrefectDoor
from deployments.prefect_api.run_progress import RunProgress, latest_progress
from deployments.stack.local_http import ask
from flows.triage import triage
from tasks.clients.prefect import progress
from tasks.clients.prefect.artifacts import ProgressArtifact
from tasks.clients.prefect.progress import Pace, shown_progress
from tasks.model.reports.progress import LongStep, Progress
from tests.fakes.service.monitored_service import running

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
QUICK = Pace(quiet_s=0.05, every_s=0.1, part_of_elapsed=0.0)
HALF = Progress(step=LongStep.START, done=10, of=20)


class Screen:
    """A bar that keeps what it shows."""

    is_shown = True

    def __init__(self) -> None:
        self.words: list[str] = []

    def report(self, progress: Progress) -> None:
        """Keep nothing."""

    def show(self, words: str, ratio: float | None) -> None:
        """Keep the words."""
        self.words.append(f"{words} {ratio}")

    def hidden(self, say: Any) -> None:
        """Say it."""
        say()


async def found(api: str, run_id: str, data: float) -> dict[str, Any]:
    """Wait until the progress artifact of a run stands at so many hundredths."""
    question = {"flow_runs": {"id": {"any_": [run_id]}}, "artifacts": {"type": {"any_": ["progress"]}}}
    async with asyncio.timeout(20):
        while True:
            artifacts = await asyncio.to_thread(ask, f"{api}/artifacts/filter", question, 5.0) or []
            if artifacts and artifacts[0]["data"] == data:
                assert len(artifacts) == 1
                return dict(artifacts[0])
            await asyncio.sleep(0.05)


async def test_a_long_step_is_seen_in_the_ui_and_by_who_follows_the_run(prefect: str) -> None:
    """The artifact is made once and brought up to date; `runbook triage` shows the same, also of a run within."""
    seen: dict[str, Any] = {}

    @flow
    async def within() -> str:
        async with shown_progress("progress-restart", pace=QUICK) as report:
            report(HALF)
            seen["half"] = await found(prefect, str(flow_run.id), 50.0)
            seen["told"] = latest_progress(PrefectDoor(prefect), str(flow_run.parent_flow_run_id))
            seen["shown"] = await asyncio.to_thread(followed, prefect, str(flow_run.parent_flow_run_id))
        seen["done"] = await found(prefect, str(flow_run.id), 100.0)
        return str(flow_run.parent_flow_run_id)

    @flow
    async def outer() -> str:
        return await within()

    run_id = await outer()

    assert seen["half"]["key"] == "progress-restart"
    assert seen["half"]["description"] == "waiting for the new process to answer: 10 of 20 s"
    assert seen["done"]["id"] == seen["half"]["id"]
    assert "done after" in seen["done"]["description"]
    assert seen["told"] == ("waiting for the new process to answer: 10 of 20 s", 0.5)
    assert seen["shown"] == ["Running, 0 s None", "waiting for the new process to answer: 10 of 20 s 0.5"]
    assert latest_progress(PrefectDoor(prefect), run_id) is None


async def test_an_answer_that_was_lost_leaves_no_second_artifact(prefect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy server made it and was too slow to say so; a second one would leave the first half done for ever."""
    create, answers = PrefectClient.create_artifact, iter([True])

    async def too_slow(self: PrefectClient, artifact: ArtifactCreate) -> Artifact:
        made = await create(self, artifact)
        if next(answers, False):
            raise httpx.ReadTimeout("the answer was lost")
        return made

    monkeypatch.setattr(PrefectClient, "create_artifact", too_slow)

    @flow
    async def busy() -> str:
        async with shown_progress("progress-restart", pace=QUICK) as report:
            report(HALF)
            await found(prefect, str(flow_run.id), 50.0)
            report(HALF.model_copy(update={"done": 15}))
            await found(prefect, str(flow_run.id), 75.0)
        return str(flow_run.id)

    run_id = await busy()

    assert (await found(prefect, run_id, 100.0))["key"] == "progress-restart"


def followed(api: str, run_id: str) -> list[str]:
    """Follow a run for two checks, the second one after the first second."""
    screen = Screen()
    progress = RunProgress(PrefectDoor(api), run_id, screen)
    progress.show("Running")
    progress._asked_s -= 1.0
    progress.show("Running")
    return screen.words


async def test_a_healthy_minute_leaves_no_row_more(
    tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run a minute, half a million a year: what is shown of long steps is not paid for by short ones."""
    # However slow the machine, no step of a healthy run counts as a long one here.
    monkeypatch.setattr(progress, "PACE", Pace(quiet_s=600.0))
    with running(tmp_path) as patient:
        patient.watch_from_the_environment(monkeypatch)
        state = await triage(return_state=True)
    question = {"flow_runs": {"id": {"any_": [str(state.state_details.flow_run_id)]}}}
    artifacts = ask(f"{prefect}/artifacts/filter", question, 5.0) or []

    assert [one["type"] for one in artifacts] == ["markdown"]


async def test_a_server_that_goes_away_costs_the_artifact_and_raises_nothing(prefect: str) -> None:
    """Rule 13: what could not be shown is shown the next time, and as one artifact."""

    @flow
    async def with_a_gap() -> str:
        artifact = ProgressArtifact("progress-restart")
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
            await artifact.show(0.25, "a quarter")
        assert artifact._id is None
        await artifact.close()
        await artifact.show(0.5, "half")
        await artifact.close()
        return str(flow_run.id)

    run_id = await with_a_gap()

    assert (await found(prefect, run_id, 50.0))["description"] == "half"
