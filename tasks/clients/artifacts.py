"""Show something in the Prefect UI, without waiting for it: what is shown must not hold up what is done."""

import asyncio
from contextlib import AsyncExitStack
from typing import TypeVar
from uuid import UUID

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

from tasks.clients.prefect_api import API_ERRORS

PATIENCE_S = 3.0
# Nobody waits for progress: a server that is busy gets the time that it needs.
PROGRESS_PATIENCE_S = 10.0
RunFilter = TypeVar("RunFilter", ArtifactFilterFlowRunId, ArtifactFilterTaskRunId)
NOT_SHOWN: tuple[type[Exception], ...] = (TimeoutError, *API_ERRORS, PrefectException)


async def published(markdown: str, key: str, description: str) -> bool:
    """Publish one artifact of the run; say whether the server has it.

    Errors: none. A server that is away or slow costs a few seconds, and the artifact: telling never blocks healing
    (safety rule 13).
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            await acreate_markdown_artifact(markdown, key=key, description=description)
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
            async with asyncio.timeout(PROGRESS_PATIENCE_S):
                await self._put(round(100 * ratio, 1), words)
        except NOT_SHOWN:
            return

    async def close(self) -> None:
        """Close the connection."""
        self._client = None
        await self._stack.aclose()

    async def _put(self, percent: float, words: str) -> None:
        if self._client is None:
            # Of its own: the run's client is closed with the step, and the step's end is told after it.
            self._client = await self._stack.enter_async_context(
                get_client(httpx_settings={"timeout": PROGRESS_PATIENCE_S})
            )
        if self._id is None:
            self._id = await self._made_before(self._client)
        if self._id is None:
            self._was_asked = True
            made = PrefectProgress(key=self._key, description=words, progress=percent)
            self._id = (await made.acreate(self._client)).id
        else:
            await aupdate_progress_artifact(self._id, percent, words, self._client)

    async def _made_before(self, client: PrefectClient) -> UUID | None:
        """Look for what a server made unheard: a second one would leave the first one half done for ever."""
        if not self._was_asked:
            return None
        ours = ArtifactFilter(
            key=ArtifactFilterKey(any_=[self._key]),
            flow_run_id=_any_of(ArtifactFilterFlowRunId, self._flow_run_id),
            task_run_id=_any_of(ArtifactFilterTaskRunId, self._task_run_id),
        )
        found = await client.read_artifacts(artifact_filter=ours, limit=1)
        return found[0].id if found else None


def _any_of(kind: type[RunFilter], run_id: UUID | None) -> RunFilter | None:
    return None if run_id is None else kind(any_=[run_id])
