"""Carry one run from its order to its reported end, in a forked process; its flow's own hooks where it ends badly."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from anyio import TASK_STATUS_IGNORED, create_task_group
from anyio.abc import TaskStatus
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.logging.loggers import flow_run_logger

from deployments.warm.attempts import Attempts, session_handle
from deployments.warm.configuration import WarmJobConfiguration
from deployments.warm.fork_servers import ForkServers
from deployments.warm.forking import ForkedProcess
from deployments.warm.places import place_here
from deployments.warm.prefect_internals import (
    RUNS_ONLY,
    FlowRunExecutionResult,
    FlowRunExecutor,
    ProcessHandle,
)
from deployments.warm.protocol import ForkOrder, HookCall
from tasks.model.errors import CannotAct, Code, RunbookError

# A fork server that dies while it is asked is followed by another one.
TRIES_COUNT = 2
Fork = Callable[[ForkOrder], Awaitable[ForkedProcess]]


class ForkedHooks:
    """Prefect's hook runner, in a process of the flow's own code and environment."""

    def __init__(self, fork: Fork) -> None:
        self._fork = fork
        self._orders: dict[UUID, ForkOrder] = {}

    def remember(self, flow_run_id: UUID, order: ForkOrder) -> None:
        self._orders[flow_run_id] = order

    def forget(self, flow_run_id: UUID) -> None:
        self._orders.pop(flow_run_id, None)

    async def run_cancellation_hooks(self, flow_run: FlowRun, state: State[Any]) -> None:
        if state.is_cancelling():
            await self._run("cancellation", flow_run, state)

    async def run_crashed_hooks(self, flow_run: FlowRun, state: State[Any]) -> None:
        if state.is_crashed():
            await self._run("crashed", flow_run, state)

    async def _run(self, when: Literal["cancellation", "crashed"], flow_run: FlowRun, state: State[Any]) -> None:
        order = self._orders.get(flow_run.id)
        if order is None:
            return
        call = HookCall(when=when, flow_run=flow_run.model_dump_json(), state=state.model_dump_json())
        with tempfile.TemporaryDirectory(prefix="prefect-hooks-") as directory:
            changes = {"hook": call, "key": f"{order.key}-{when}", "directory": directory}
            try:
                process = await self._fork(order.model_copy(update=changes))
            except RunbookError as error:
                flow_run_logger(flow_run).warning("The hooks for %s were not run: %s", when, error)
            else:
                await process.wait()


class ForkStarter:
    """Start a run as Prefect's executor asks for it: name its process at once, return when it has ended."""

    def __init__(self, fork: Callable[[], Awaitable[ForkedProcess]]) -> None:
        self._fork = fork

    async def start(self, flow_run: FlowRun, task_status: TaskStatus[ProcessHandle] = TASK_STATUS_IGNORED) -> None:  # noqa: ARG002 - the signature is Prefect's own
        process = await self._fork()
        task_status.started(session_handle(process))
        await process.wait()


class Running:
    """The runs of one worker: forked from one succession of fork servers, their ends heard and told in one place."""

    def __init__(self, client: PrefectClient, servers: ForkServers, worker_name: str) -> None:
        self._servers = servers
        self._hooks = ForkedHooks(self.fork)
        self.attempts = Attempts(client, self._hooks, worker_name)
        self._carried_count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def fork(self, order: ForkOrder) -> ForkedProcess:
        """Fork from the fork server of the moment.

        Errors: `START_FAILED` where there is none, or it does not answer.
        """
        refusal = CannotAct(Code.START_FAILED, "expected a fork server was none; see the worker's log")
        for _ in range(TRIES_COUNT):
            server = await self._servers.usable(order.entrypoint)
            if server is None:
                break
            try:
                return await server.fork(order)
            except CannotAct as error:
                refusal = error
        raise refusal

    async def run(
        self, flow_run: FlowRun, configuration: WarmJobConfiguration, started: TaskStatus[Any]
    ) -> FlowRunExecutionResult | None:
        """Run one flow run to its end; None where it never had a process, which is then reported already."""
        self._carried_count += 1
        self._idle.clear()
        try:
            with working_directory(configuration.working_dir) as directory:
                order = self._order(flow_run, configuration, directory)
                self._hooks.remember(flow_run.id, order)
                executor = self.attempts.executor(flow_run, ForkStarter(partial(self.fork, order)))
                execution = await _carry(executor, started, partial(self._limit, flow_run, configuration))
                await self.attempts.settled(flow_run.id)
                return execution
        finally:
            self._hooks.forget(flow_run.id)
            self.attempts.control.unregister(flow_run.id)
            self._carried_count -= 1
            if not self._carried_count:
                self._idle.set()

    async def drain(self, patience_s: float, report_s: float) -> None:
        """Let the runs under way end, or end them after a while; then wait until what became of them is reported."""
        await self.attempts.drain(patience_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(report_s):
                await self._idle.wait()

    def _order(self, flow_run: FlowRun, configuration: WarmJobConfiguration, directory: str) -> ForkOrder:
        variables = {
            **configuration.env,
            **RUNS_ONLY,
            **self.attempts.control_variables(flow_run.id),
        }
        return ForkOrder(
            key=str(flow_run.id),
            entrypoint=configuration.entrypoint or "",
            directory=directory,
            environment={name: value for name, value in variables.items() if value is not None},
            quiet=not configuration.stream_output,
            flow_run=flow_run.model_dump_json(),
            around=configuration.around,
        )

    async def _limit(self, flow_run: FlowRun, configuration: WarmJobConfiguration) -> None:
        if configuration.run_limit_s is not None:
            await asyncio.sleep(configuration.run_limit_s)
            await self.attempts.give_up(flow_run, configuration.over_limit())


async def _carry(
    executor: FlowRunExecutor, started: TaskStatus[Any], limit: Callable[[], Coroutine[Any, Any, None]]
) -> FlowRunExecutionResult | None:
    """Let Prefect's executor carry the run; name its process, for good, as soon as there is one; then its time runs."""
    results: list[FlowRunExecutionResult | None] = []

    async def submit(*, task_status: TaskStatus[ProcessHandle]) -> None:
        results.append(await executor.submit(task_status=task_status))
        group.cancel_scope.cancel()

    async with create_task_group() as group:
        handle: ProcessHandle = await group.start(submit)
        process = handle.raw_process
        if isinstance(process, ForkedProcess):
            started.started(str(place_here(process.identity)))
        group.start_soon(limit)
    return results[0]


@contextlib.contextmanager
def working_directory(named: Path | None) -> Iterator[str]:
    """Give the folder that the job names, or one of the run's own that ends with it, as the stock worker does."""
    if named is not None:
        yield str(named)
        return
    with tempfile.TemporaryDirectory(suffix="prefect", ignore_cleanup_errors=True) as directory:
        yield os.path.realpath(directory)
