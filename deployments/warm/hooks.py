"""Run a flow's own hooks, after a cancel or a crash, in a forked process: the worker never imports a flow."""

import tempfile
from collections.abc import Awaitable, Callable
from typing import Any, Literal
from uuid import UUID

from prefect.client.schemas.objects import FlowRun, State
from prefect.logging.loggers import flow_run_logger

from deployments.warm.forking import ForkedProcess
from deployments.warm.protocol import ForkOrder, HookCall
from tasks.model.errors import RunbookError

Fork = Callable[[ForkOrder], Awaitable[ForkedProcess]]


class ForkedHooks:
    """Prefect's hook runner, in a process of the flow's own code and environment."""

    def __init__(self, fork: Fork) -> None:
        self._fork = fork
        self._orders: dict[UUID, ForkOrder] = {}

    def remember(self, flow_run_id: UUID, order: ForkOrder) -> None:
        """Keep how a run was started; its hooks run likewise."""
        self._orders[flow_run_id] = order

    def forget(self, flow_run_id: UUID) -> None:
        """Let go of a run that has ended."""
        self._orders.pop(flow_run_id, None)

    async def run_cancellation_hooks(self, flow_run: FlowRun, state: State[Any]) -> None:
        """Run `on_cancellation`."""
        if state.is_cancelling():
            await self._run("cancellation", flow_run, state)

    async def run_crashed_hooks(self, flow_run: FlowRun, state: State[Any]) -> None:
        """Run `on_crashed`."""
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
