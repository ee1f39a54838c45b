"""The worker type `warm-process`: `prefect worker start --pool runbook --type warm-process`.

An ordinary Prefect worker that forks each run from a process which has imported Prefect and the flows, and that hears
of due and canceled runs by events. What it cannot fork (code that must be pulled, a platform without fork) it runs
as the stock process worker does. No run brings a command, an environment or a working directory of its own.
"""

import asyncio
import contextlib
import functools
import os
import pkgutil
import signal
import sys
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.context import SettingsContext, get_settings_context
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, Settings, get_current_settings
from prefect.workers.base import BaseVariables, BaseWorker, BaseWorkerResult
from prefect.workers.process import ProcessWorkerResult

import flows
from deployments.warm.adoption import Ours, adopt, canceled, put_back
from deployments.warm.configuration import WarmJobConfiguration, WarmVariables
from deployments.warm.due import choose, skip
from deployments.warm.fork_servers import ForkServers
from deployments.warm.listening import Listener
from deployments.warm.outage import Outage
from deployments.warm.running import Running
from deployments.warm.stock_runs import StockRuns
from deployments.warm.unstarted import Seen, Unstarted, end, find_overdue
from tasks.clients.prefect_api import API_ERRORS, is_away
from tasks.model.errors import CannotAct, Code
from tasks.settings import load_settings

PRELOADED = "deployments.warm.preloaded"
# Runs that are scheduled together are asked for together.
TOGETHER_S = 0.05
REPORT_S = 3.0


class WarmWorker(BaseWorker[WarmJobConfiguration, BaseVariables, ProcessWorkerResult]):
    """A Prefect worker whose runs start in a tenth of a second."""

    type = "warm-process"
    job_configuration = WarmJobConfiguration
    # Prefect's own form has a command and an environment.
    job_configuration_variables = WarmVariables  # type: ignore[assignment]
    _display_name = "Warm process"
    _description = "Forks each flow run from a process that has imported Prefect and the flows."

    def __init__(self, work_pool_name: str, **options: Any) -> None:
        super().__init__(work_pool_name, **options)
        self._servers = ForkServers(flow_modules(), fork_environment, self._logger)
        self._outage = Outage(self._logger)
        settings = load_settings()
        self._drain_s, self._run_limit_s = settings.worker_drain_s, settings.run_limit_s
        self._late_after = timedelta(seconds=settings.late_after_s)
        self._running: Running | None = None
        self._stock: StockRuns | None = None
        self._listener: Listener | None = None
        self._due = asyncio.Event()
        self._polling = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        self._unsure: set[UUID] = set()
        self._unstarted = Unstarted()

    async def setup(self) -> None:
        """Start the fork server first: it imports while Prefect answers."""
        await self._servers.start()
        await super().setup()
        self._running = Running(self.client, self._servers, self.name)
        self._stock = StockRuns(self._work_pool_name, self._running.attempts.report)
        await self._exit_stack.enter_async_context(self._running.attempts)
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
                self._forgive(error)
                return []
            self._outage.back()
            return found

    async def _get_scheduled_flow_runs(self) -> list[Any]:
        with at_once():
            return await super()._get_scheduled_flow_runs()

    async def _submit_scheduled_flow_runs(self, flow_run_response: list[WorkerFlowRunResponse]) -> list[FlowRun]:
        """Submit what runs now, first; then say of each run that is too late that it is skipped."""
        now, runs = datetime.now(UTC), {entry.flow_run.id: entry for entry in flow_run_response}
        open_runs = [entry.flow_run for one, entry in runs.items() if one not in self._submitting_flow_run_ids]
        chosen = await choose(self.client, open_runs, now, self._late_after)
        submitted = await super()._submit_scheduled_flow_runs([runs[run.id] for due in chosen for run in due.run])
        await skip(self.client, chosen, now)
        return submitted

    async def sync_with_backend(self) -> None:
        """Send the heartbeat and read the work pool; likewise for as long as it takes."""
        try:
            await super().sync_with_backend()
        except API_ERRORS as error:
            self._forgive(error)
        self._begin()

    async def _setup_cancellation_observer(self) -> None:
        # Our own listener hears of cancels of runs in every state, with one subscription for all of them.
        return

    async def _submit_run(self, flow_run: FlowRun) -> None:
        try:
            await super()._submit_run(flow_run)
        except API_ERRORS as error:
            # The run may be *Pending* by now, and nobody's: it is looked at again once Prefect answers.
            self._unsure.add(flow_run.id)
            self._release_limit_slot(flow_run.id)
            self._forgive(error)
        finally:
            self._submitting_flow_run_ids.discard(flow_run.id)

    async def _propose_pending_state(self, flow_run: FlowRun) -> bool:
        ready = await super()._propose_pending_state(flow_run)
        if not ready:
            # Refused, or never answered: the base class does not say which.
            self._unsure.add(flow_run.id)
        return ready

    async def _submit_run_and_capture_errors(
        self, flow_run: FlowRun, task_status: TaskStatus[Any] | None = None
    ) -> BaseWorkerResult | Exception:
        result = await super()._submit_run_and_capture_errors(flow_run, task_status)
        if isinstance(result, Exception):
            # What the base class had to say of it may not have been heard either.
            self._unsure.add(flow_run.id)
        return result

    async def _submitted(self) -> None:
        """Wait until every run that was taken has its process, so that none stays *Pending*."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._drain_s):
                while self._submitting_flow_run_ids:  # noqa: ASYNC110 - the base class keeps a set, and no event
                    await asyncio.sleep(TOGETHER_S)

    async def _settle(self) -> None:
        """Carry out what no event has told: missed cancels, and runs that were left *Pending* or do not start."""
        if self._running is None or not self.is_setup:
            return
        with at_once():
            wanted = await canceled(self.client, self._running.attempts.under_way())
            doubtful = self._unsure - self._running.attempts.under_way()
            settled = {one for one in doubtful if await put_back(self.client, one)}
            seen = Seen(submitting=self._submitting_flow_run_ids, put_back=self._unsure - settled)
            overdue = await find_overdue(self.client, self._ours(), self._unstarted, seen)
        self._unsure -= settled
        for run in overdue:
            self._keep(end(self.client, self._running.attempts, run))
        for flow_run_id in wanted:
            self._running.attempts.cancel(flow_run_id)

    def _begin(self) -> None:
        """Listen, and look for what an earlier worker left, once the work pool is known."""
        if self._listener is not None or self._work_pool is None or self._running is None:
            return
        attempts = self._running.attempts
        self._listener = Listener(self._work_pool.id, self._due.set, self._cancel)
        self._keep(self._listener.listen())
        self._keep(adopt(self.client, attempts, self._ours()))

    def _ours(self) -> Ours:
        return Ours(self._work_pool_name, tuple(sorted(self._work_queues)), self._run_limit_s)

    def _cancel(self, flow_run_id: UUID) -> None:
        if self._running is not None:
            self._running.attempts.cancel(flow_run_id, expected=flow_run_id in self._submitting_flow_run_ids)

    async def _poll_when_due(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            await self.get_and_submit_flow_runs()
            await asyncio.sleep(TOGETHER_S)

    def _forgive(self, error: Exception) -> None:
        if not self.is_setup or not is_away(error):
            raise error
        self._outage.away(error)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _reload_on_hangup(self) -> None:
        # In a terminal a hangup means that the person is gone; to a service it means: read everything anew.
        if hasattr(signal, "SIGHUP") and not (sys.stdin and sys.stdin.isatty()):
            with contextlib.suppress(RuntimeError, ValueError):
                hangup = asyncio.get_running_loop().add_signal_handler
                hangup(signal.SIGHUP, lambda: self._keep(self._servers.reload("SIGHUP")))


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Ask Prefect once, and not again after ever longer pauses: the next poll does that, and sooner."""
    context = get_settings_context()
    with SettingsContext(profile=context.profile, settings=_impatient()):
        yield


@functools.cache
def _impatient() -> Settings:
    return get_current_settings().copy_with_update({PREFECT_CLIENT_MAX_RETRIES: 0})


def flow_modules() -> tuple[str, ...]:
    """Name what the fork server imports from the start: every flow, and what flows load late."""
    return (*(found.name for found in pkgutil.iter_modules(flows.__path__, prefix="flows.")), PRELOADED)


def fork_environment() -> dict[str, str]:
    """Give the fork server the settings that its runs will have, so that they need not read them again."""
    return {**os.environ, **get_current_settings().to_environment_variables(exclude_unset=True)}
