"""One markdown artifact of the run that grows beside the work: nobody waits for it, and only its last text counts."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from prefect import runtime
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.settings import PREFECT_UI_URL

from tasks.clients.prefect.artifacts import NOT_SHOWN, PROGRESS_LIMIT_S, PUBLISH_LIMIT_S
from tasks.model.reports.report import OpenReport

_GROWING: dict[UUID, "GrowingArtifact"] = {}


class ReportPage(NamedTuple):
    """What an artifact shows, and what its run is called with it; without a name the run keeps the one it has."""

    markdown: str
    description: str
    run_name: str = ""


async def opened(page: ReportPage, key: str) -> OpenReport | None:
    """Make the artifact, and say where it is read; None where the server does not give it within `PUBLISH_LIMIT_S`.

    Errors: none. A server that is away or slow costs this time, and the page until the end of the run.
    """
    try:
        async with asyncio.timeout(PUBLISH_LIMIT_S):
            artifact_id = await acreate_markdown_artifact(page.markdown, key=key, description=page.description)
    except NOT_SHOWN:
        return None
    # Prefect's own `url_for` knows no page of an artifact.
    ui_url = PREFECT_UI_URL.value()
    return OpenReport(artifact_id=artifact_id, url=f"{ui_url}/artifacts/artifact/{artifact_id}" if ui_url else None)


async def settled(artifact_id: UUID) -> None:
    """Let what is still on its way to an artifact and its run arrive, so that no older word comes after the last one.

    Errors: none. A server that is away or slow costs `PUBLISH_LIMIT_S`.
    """
    if (before := _GROWING.pop(artifact_id, None)) is not None:
        await before.ended()


async def rewritten(artifact_id: UUID, page: ReportPage) -> bool:
    """Write the last text of an artifact; say whether the server has it.

    Errors: none. A server that is away or slow costs `PROGRESS_LIMIT_S`, and the text.
    """
    await settled(artifact_id)
    return await _written(artifact_id, ReportPage(page.markdown, page.description), None)


async def _written(artifact_id: UUID, page: ReportPage, run_id: str | None) -> bool:
    text = ArtifactUpdate(data=page.markdown, description=page.description)
    try:
        async with asyncio.timeout(PROGRESS_LIMIT_S), get_client() as client:
            await client.update_artifact(artifact_id, text)
            if run_id and page.run_name:
                await client.update_flow_run(UUID(str(run_id)), name=page.run_name)
    except NOT_SHOWN:
        return False
    return True


class GrowingArtifact:
    """Writes the newest text beside the work; a text that a newer one overtakes is never written."""

    def __init__(self, artifact_id: UUID) -> None:
        self._artifact_id, self._run_id = artifact_id, runtime.flow_run.id
        self._next: Callable[[], ReportPage] | None = None
        self._task: asyncio.Task[None] | None = None
        _GROWING[artifact_id] = self

    def show(self, page: Callable[[], ReportPage]) -> None:
        """Show a page as soon as the one before it is written."""
        self._next = page
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())
            self._task.add_done_callback(_forget)

    def stop(self) -> None:
        """Write nothing more but what is on its way."""
        self._next = None

    async def ended(self) -> None:
        """Let what is on its way arrive, within `PUBLISH_LIMIT_S`."""
        self.stop()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=PUBLISH_LIMIT_S)
            self._task.cancel()

    async def _write(self) -> None:
        while (page := self._next) is not None:
            self._next = None
            await _written(self._artifact_id, page(), self._run_id)


def _forget(task: asyncio.Task[None]) -> None:
    # Whatever broke in showing: the run goes on, and Python must not complain of an error that nobody asked for.
    if not task.cancelled():
        task.exception()
