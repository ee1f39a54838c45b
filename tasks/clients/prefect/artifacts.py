"""Show something in the Prefect UI without waiting: no artifact, name or tag delays a recovery (safety rule 13)."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

from prefect import runtime
from prefect.artifacts import ProgressArtifact as PrefectProgress
from prefect.artifacts import acreate_markdown_artifact, aupdate_progress_artifact
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    ArtifactFilterTaskRunId,
)
from prefect.exceptions import PrefectException
from prefect.utilities.context import get_task_and_flow_run_ids

from tasks.clients.prefect.errors import API_ERRORS

NAME_LIMIT_S = 1.0
PUBLISH_LIMIT_S = 3.0
# Nobody waits for progress: a server that is busy gets the time that it needs.
PROGRESS_LIMIT_S = 10.0
NOT_SHOWN: tuple[type[Exception], ...] = (TimeoutError, *API_ERRORS, PrefectException)


async def published(markdown: str, key: str, description: str, limit_s: float = PUBLISH_LIMIT_S) -> bool:
    """Publish one artifact of the run; say whether the server has it.

    Errors: none. A server that is away or slow costs `limit_s`, and the artifact.
    """
    try:
        async with asyncio.timeout(limit_s):
            await acreate_markdown_artifact(markdown, key=key, description=description)
    except NOT_SHOWN:
        return False
    return True


async def renamed(name: str, tags: tuple[str, ...] = ()) -> bool:
    """Give this run another name and further tags, in one call; say whether the server has them.

    Errors: none. A server that is away or slow costs `NAME_LIMIT_S`, and the name.
    """
    run_id = runtime.flow_run.id
    if run_id is None:
        return False
    wanted = list(dict.fromkeys((*runtime.flow_run.tags, *tags)))
    try:
        async with asyncio.timeout(NAME_LIMIT_S), get_client() as client:
            await client.update_flow_run(run_id, name=name, tags=wanted)
    except NOT_SHOWN:
        return False
    return True


class ProgressArtifact:
    """One progress artifact of the run that this is made in; outside of a run it shows nothing."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._id: UUID | None = None
        self._client: PrefectClient | None = None
        self._stack = AsyncExitStack()
        self._was_asked = False
        self._task_run_id, self._flow_run_id = get_task_and_flow_run_ids()

    async def show(self, ratio: float, words: str) -> None:
        """Make the artifact, or bring it up to date.

        Units: `ratio` from 0 to 1. Errors: none; what a server that is away or slow does not take is not shown.
        """
        if self._task_run_id is None and self._flow_run_id is None:
            return
        try:
            async with asyncio.timeout(PROGRESS_LIMIT_S):
                await self._put(round(100 * ratio, 1), words)
        except NOT_SHOWN:
            return

    async def close(self) -> None:
        self._client = None
        await self._stack.aclose()

    async def _put(self, percent: float, words: str) -> None:
        if self._client is None:
            # Its own: the run's client is closed with the step, and the step's end is shown after it.
            settings = {"timeout": PROGRESS_LIMIT_S}
            self._client = await self._stack.enter_async_context(get_client(httpx_settings=settings))
        if self._id is None:
            self._id = await self._made_before(self._client)
        if self._id is None:
            self._was_asked = True
            made = PrefectProgress(key=self._key, description=words, progress=percent)
            self._id = (await made.acreate(self._client)).id
        else:
            await aupdate_progress_artifact(self._id, percent, words, self._client)

    async def _made_before(self, client: PrefectClient) -> UUID | None:
        """Find what a server made though its answer was lost: a second one would leave the first half done for ever."""
        if not self._was_asked:
            return None
        flow_run, task_run = self._flow_run_id, self._task_run_id
        ours = ArtifactFilter(
            key=ArtifactFilterKey(any_=[self._key]),
            flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run]) if flow_run else None,
            task_run_id=ArtifactFilterTaskRunId(any_=[task_run]) if task_run else None,
        )
        found = await client.read_artifacts(artifact_filter=ours, limit=1)
        return found[0].id if found else None
