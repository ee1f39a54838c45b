"""Show something in the Prefect UI, without waiting for it: what is shown must not hold up what is done."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

from prefect.artifacts import ProgressArtifact as PrefectProgress
from prefect.artifacts import acreate_markdown_artifact, aupdate_progress_artifact
from prefect.client.orchestration import PrefectClient, get_client
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import PrefectException

from tasks.clients.prefect_api import API_ERRORS

PATIENCE_S = 3.0
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
        self._in_run = (TaskRunContext.get() or FlowRunContext.get()) is not None

    async def show(self, ratio: float, words: str) -> None:
        """Make the artifact, or bring it up to date.

        Units: `ratio` from 0 to 1. Errors: none; what a server that is away or slow does not take is not shown.
        """
        if not self._in_run:
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
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
            self._client = await self._stack.enter_async_context(get_client(httpx_settings={"timeout": PATIENCE_S}))
        if self._id is None:
            made = PrefectProgress(key=self._key, description=words, progress=percent)
            self._id = (await made.acreate(self._client)).id
        else:
            await aupdate_progress_artifact(self._id, percent, words, self._client)
