"""The worker type `warm-process`: `prefect worker start --pool runbook --type warm-process`.

An ordinary Prefect worker that forks each run from a process which has imported Prefect and the flows, and that hears
of due and canceled runs by events. What it cannot fork (code that must be pulled, a platform without fork) it runs
as the stock process worker does. No run brings a command, an environment or a working directory of its own.
"""

import asyncio
import contextlib
import os
import pkgutil
import signal
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.settings import get_current_settings
from prefect.workers.process import ProcessWorkerResult

import flows
from deployments.warm.adoption import Ours, adopt, canceled, put_back
from deployments.warm.configuration import WarmJobConfiguration, WarmVariables
from deployments.warm.due import choose, skip
from deployments.warm.fork_servers import ForkServers, ServerMaker
from deployments.warm.forking import ForkServerClient
from deployments.warm.listening import Listener, Outage
from deployments.warm.prefect_internals import RUNS_ONLY, SubmitRuns, WorkerInternals, asked_once
from deployments.warm.reads import read_once
from deployments.warm.running import Running
from deployments.warm.stock_runs import StockRuns
from deployments.warm.unstarted import Seen, Unstarted, end, find_overdue
from tasks.clients.prefect.errors import API_ERRORS, is_away
from tasks.model.errors import CannotAct, Code
from tasks.settings import load_settings

PRELOADED = "deployments.warm.preloaded"
# Runs that are scheduled together are asked for together.
TOGETHER_S = 0.05
REPORT_S = 3.0


class WarmWorker(WorkerInternals):
    """A Prefect worker whose runs start in a tenth of a second."""

    type = "warm-process"
    job_configuration = WarmJobConfiguration
    # Prefect's own form has a command and an environment.
    job_configuration_variables = WarmVariables  # type: ignore[assignment]
    _display_name = "Warm process"
    _description = "Forks each flow run from a process that has imported Prefect and the flows."

    def __init__(self, work_pool_name: str, make_server: ServerMaker = ForkServerClient, **options: Any) -> None:
        super().__init__(work_pool_name, **options)
        self._servers = ForkServers(flow_modules(), fork_environment, self.log, make_server)
        self._outage = Outage(self.log)
        settings = load_settings()
        self._drain_s, self._run_limit_s = settings.worker_drain_s, settings.run_limit_s
        self._late_after = timedelta(seconds=settings.late_after_s)
        self._running: Running | None = None
        self._stock: StockRuns | None = None
        self._listener: Listener | None = None
        self._due = asyncio.Event()
        self._polling = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        self._unstarted = Unstarted()

    async def setup(self) -> None:
        """Start the fork server first: it imports while Prefect answers."""
        await self._servers.start()
        await super().setup()
        read_once(self.client)
        self._running = Running(self.client, self._servers, self.name)
        self._stock = StockRuns(self.pool_name, self._running.attempts.report)
        await self.close_at_teardown(self._running.attempts)
        self._keep(self._servers.keep())
        self._keep(self._poll_when_due())
        self._reload_on_hangup()
        self._begin()

    async def teardown(self, *exc_info: Any) -> None:
        """Take nothing new, let the runs under way end, end the others, report, stop."""
        self.is_setup = False
        for task in tuple(self._background):
            task.cancel()
        await self._submitted()
        runs = (self._running, self._stock)
        await asyncio.gather(*(kind.drain(self._drain_s, REPORT_S) for kind in runs if kind is not None))
        await super().teardown(*exc_info)
        await self._servers.close()

    async def run(
        self, flow_run: FlowRun, configuration: WarmJobConfiguration, task_status: TaskStatus[Any] | None = None
    ) -> ProcessWorkerResult:
        """Fork the run where it can be forked; else give it a process of its own, as the stock worker does."""
        started = task_status or TASK_STATUS_IGNORED
        entrypoint = configuration.entrypoint
        if self._running is None or self._stock is None:
            raise CannotAct(Code.START_FAILED, "expected a worker that is set up was none; start it")
        if entrypoint is None or await self._servers.usable(entrypoint) is None:
            return await self._stock.run(flow_run, configuration, started)
        execution = await self._running.run(flow_run, configuration, started)
        if execution is None or execution.status_code is None:
            raise CannotAct(Code.START_FAILED, f"expected a process was none flow_run={flow_run.id}; see its logs")
        return ProcessWorkerResult(status_code=execution.status_code, identifier=str(execution.handle.pid))

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Ask for due runs, one question at a time; a server that is away is asked again, for as long as it takes."""
        async with self._polling:
            try:
                found = await super().get_and_submit_flow_runs()
                await self._settle()
            except API_ERRORS as error:
                self.forgive(error)
                return []
            self._outage.back()
            return found

    async def submit_due(self, runs: list[FlowRun], submit: SubmitRuns) -> list[FlowRun]:
        """Submit what runs now, first; then report of each run that is too late that it is skipped."""
        now = datetime.now(UTC)
        chosen = await choose(self.client, runs, now, self._late_after)
        submitted = await submit([run for due in chosen for run in due.run])
        await skip(self.client, chosen, now)
        return submitted

    async def sync_with_backend(self) -> None:
        """Send the heartbeat and read the work pool; also for as long as it takes."""
        try:
            await super().sync_with_backend()
        except API_ERRORS as error:
            self.forgive(error)
        self._begin()

    async def _submitted(self) -> None:
        """Wait until every run that was taken has its process, so that none stays *Pending*."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain_s):
                while self.submitting:  # noqa: ASYNC110 - the base class keeps a set, and no event
                    await asyncio.sleep(TOGETHER_S)

    async def _settle(self) -> None:
        """Carry out what no event has told: missed cancels, and runs that were left *Pending* or do not start."""
        if self._running is None or not self.is_setup:
            return
        with asked_once():
            wanted = await canceled(self.client, self._running.attempts.under_way())
            doubtful = self.unsure - self._running.attempts.under_way()
            settled = {one for one in doubtful if await put_back(self.client, one)}
            seen = Seen(submitting=self.submitting, put_back=self.unsure - settled)
            overdue = await find_overdue(self.client, self._ours(), self._unstarted, seen)
        self.unsure -= settled
        for run in overdue:
            self._keep(end(self.client, self._running.attempts, run))
        for flow_run_id in wanted:
            self._running.attempts.cancel(flow_run_id)

    def _begin(self) -> None:
        """Listen, and look for what an earlier worker left, once the work pool is known."""
        if self._listener is not None or self.pool_id is None or self._running is None:
            return
        attempts = self._running.attempts
        self._listener = Listener(self.pool_id, self._due.set, self._cancel)
        self._keep(self._listener.listen())
        self._keep(adopt(self.client, attempts, self._ours()))

    def _ours(self) -> Ours:
        return Ours(self.pool_name, self.queues, self._run_limit_s)

    def _cancel(self, flow_run_id: UUID) -> None:
        if self._running is not None:
            self._running.attempts.cancel(flow_run_id, expected=flow_run_id in self.submitting)

    async def _poll_when_due(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            await self.get_and_submit_flow_runs()
            await asyncio.sleep(TOGETHER_S)

    def forgive(self, error: Exception) -> None:
        if not self.is_setup or not is_away(error):
            raise error
        self._outage.away(error)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _reload_on_hangup(self) -> None:
        # In a terminal a hangup means that the person is gone; to a service it means: read everything again.
        if hasattr(signal, "SIGHUP") and not (sys.stdin and sys.stdin.isatty()):
            with contextlib.suppress(RuntimeError, ValueError):
                hangup = asyncio.get_running_loop().add_signal_handler
                hangup(signal.SIGHUP, lambda: self._keep(self._servers.reload("SIGHUP")))


def flow_modules() -> tuple[str, ...]:
    """Name what the fork server imports from the start: every flow, and what flows load late."""
    return (*(found.name for found in pkgutil.iter_modules(flows.__path__, prefix="flows.")), PRELOADED)


def fork_environment() -> dict[str, str]:
    """Give the fork server the settings that its runs will have, so that they need not read them again."""
    return {**os.environ, **get_current_settings().to_environment_variables(exclude_unset=True), **RUNS_ONLY}
