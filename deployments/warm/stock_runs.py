"""Runs that cannot be forked, as Prefect's process worker runs them; with our limit, and with our end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.workers.process import ProcessWorker, ProcessWorkerResult

from deployments.warm.configuration import WarmJobConfiguration
from deployments.warm.killable import Killable

STOPPED = "The worker was stopped while it ran."
ENDED = 1


class StockRuns:
    """The runs of one worker that have a process of their own from the start."""

    def __init__(self, work_pool_name: str, report: Callable[[FlowRun, str], Awaitable[None]]) -> None:
        self._stock = ProcessWorker(work_pool_name)
        self._report = report
        self._limits: dict[UUID, asyncio.Timeout] = {}
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(
        self, flow_run: FlowRun, configuration: WarmJobConfiguration, started: TaskStatus[Any]
    ) -> ProcessWorkerResult:
        """Run one run; one that is ended here is reported, which the stock worker leaves undone."""
        self._idle.clear()
        limit = asyncio.timeout(configuration.run_limit_s)
        self._limits[flow_run.id] = limit
        try:
            async with limit:
                return await self._stock.run(flow_run, configuration, Killable(started))
        except TimeoutError:
            if not limit.expired():
                raise
            await self._report(flow_run, STOPPED if self._stopping else configuration.over_limit())
            return ProcessWorkerResult(status_code=ENDED, identifier=str(flow_run.id))
        finally:
            self._limits.pop(flow_run.id, None)
            if not self._limits:
                self._idle.set()

    async def drain(self, patience_s: float, report_s: float) -> None:
        """Let the runs under way end by themselves; after a while, end and report them."""
        if await self._within(patience_s):
            return
        self._stopping = True
        for limit in self._limits.values():
            limit.reschedule(asyncio.get_running_loop().time())
        await self._within(report_s)

    async def _within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        return self._idle.is_set()
