"""The runs under way in one worker: started, canceled, ended and reported by Prefect's own parts, shared by all runs.

The stock process worker makes these parts again for each run, with a connection to the server each. A run is a session
of the operating system, and ends with all of it. What became of it is reported also where Prefect is away for long.
"""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import Abort, ObjectNotFound
from prefect.logging import get_logger
from prefect.states import Cancelled, Crashed

from deployments.warm.forking import ForkedProcess
from deployments.warm.prefect_internals import (
    CONTROL_PORT,
    CONTROL_TOKEN,
    CancellationManager,
    ControlChannel,
    EventEmitter,
    EventsThroughWorker,
    FlowRunExecutor,
    FlowRunHookRunner,
    ProcessHandle,
    ProcessManager,
    ProcessStarter,
    StateProposer,
    propose_state,
)
from tasks.clients.prefect.errors import API_ERRORS, is_away
from tasks.clients.process.sessions import kill_session, session_pids, signal_session

# The reason is reported before the exit code that follows from it.
SAID_FIRST_S = 2.0
AGAIN_S = 3.0
GRACE_S = 10.0
POLL_S = 0.1


class SessionScope:
    """How Prefect ends a run: every process of its session, and none that has begun a session of its own."""

    wait_after_graceful_kill = True

    def __init__(self, process: ForkedProcess) -> None:
        self._process = process

    def is_alive(self, pid: int) -> bool:
        return bool(session_pids(pid))

    def graceful_kill(self, pid: int) -> None:
        signal_session(pid, signal.SIGTERM)

    def hard_kill(self, pid: int) -> None:
        kill_session(pid)

    def close(self) -> None:
        """End what a run that is over has left behind, so that it harms no later one."""
        left = session_pids(self._process.pid)
        # The leader is dead and buried; one that leads now has been given its number since, and is not ours.
        if self._process.returncode is not None and self._process.pid not in left:
            kill_session(self._process.pid)


def session_handle(process: ForkedProcess) -> ProcessHandle:
    """Hand a forked run to Prefect: its pid, its exit code, and how it is ended."""
    return ProcessHandle(process, termination_scope=SessionScope(process))  # type: ignore[arg-type]


class SessionProcesses(ProcessManager):
    """Prefect's process manager with a quicker end: it looks ten times a second, and waits less long."""

    async def kill(self, flow_run_id: UUID, grace_seconds: float = GRACE_S, *, force: bool = False) -> None:
        handle = self.get(flow_run_id)
        if handle is None:
            return
        if not force:
            handle.graceful_kill()
            deadline = time.monotonic() + min(grace_seconds, GRACE_S)
            while handle.is_alive() and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells of a session's end
                await asyncio.sleep(POLL_S)
        handle.hard_kill()


class PatientProposer(StateProposer):
    """Propose the end of a run until Prefect has answered, however long that takes."""

    def __init__(self, *, client: PrefectClient) -> None:
        super().__init__(client=client)
        self._api = client
        self._log = get_logger("warm_worker.reporting")

    async def propose_crashed(self, flow_run: FlowRun, message: str) -> State[Any] | None:
        """Report a crash. None where the run has reported an end of its own, or is no longer known."""
        while True:
            try:
                state = await propose_state(self._api, Crashed(message=message), flow_run_id=flow_run.id)
            except (Abort, ObjectNotFound):
                return None
            except API_ERRORS as error:
                await self._wait(flow_run, error)
            else:
                return state if state.is_crashed() else None

    async def propose_cancelled(self, flow_run: FlowRun, state_updates: dict[str, Any] | None = None) -> bool:
        changes = {"name": "Cancelled", "type": StateType.CANCELLED, **(state_updates or {})}
        state = flow_run.state.model_copy(update=changes) if flow_run.state else Cancelled(**(state_updates or {}))
        while True:
            try:
                await self._api.set_flow_run_state(flow_run.id, state, force=True)
            except ObjectNotFound:
                return False
            except API_ERRORS as error:
                await self._wait(flow_run, error)
            else:
                return True

    async def _wait(self, flow_run: FlowRun, error: Exception) -> None:
        if not is_away(error):
            raise error
        self._log.warning("The end of flow run '%s' is not reported yet: %s", flow_run.name, error)
        await asyncio.sleep(AGAIN_S)


class Attempts:
    def __init__(self, client: PrefectClient, hooks: FlowRunHookRunner, worker_name: str) -> None:
        self.control = ControlChannel()
        self.processes = SessionProcesses(on_add=self._added, on_remove=self._forget)
        self._hooks = hooks
        self._proposer = PatientProposer(client=client)
        self._events = EventEmitter(runner_name=worker_name, client=client, get_events_client=EventsThroughWorker)
        self._cancellation = CancellationManager(
            process_manager=self.processes,
            hook_runner=hooks,
            state_proposer=self._proposer,
            event_emitter=self._events,
            client=client,
            control_channel=self.control,
        )
        self._canceling: dict[UUID, asyncio.Task[None]] = {}
        self._to_cancel: set[UUID] = set()
        self._adopted: set[UUID] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._events)
        await self._stack.enter_async_context(self.control)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for canceling in self._canceling.values():
            canceling.cancel()
        await asyncio.gather(*self._canceling.values(), return_exceptions=True)
        await self._stack.__aexit__(kind, error, trace)

    def executor(self, flow_run: FlowRun, starter: ProcessStarter) -> FlowRunExecutor:
        """Make what carries one run from its start to its reported end."""
        return FlowRunExecutor(
            flow_run=flow_run,
            starter=starter,
            process_manager=self.processes,
            state_proposer=self._proposer,
            hook_runner=self._hooks,
            get_attempt_conclusion=self.control.get_conclusion,
            propose_submitting=False,
        )

    def control_variables(self, flow_run_id: UUID) -> dict[str, str]:
        """Give the run what it needs to hear that it is canceled, and to say how it ended."""
        try:
            port, token = self.control.register(flow_run_id)
        except RuntimeError:
            # No port could be had: a cancel is then a kill, as in the stock worker.
            return {}
        return {CONTROL_PORT: str(port), CONTROL_TOKEN: token}

    def under_way(self) -> set[UUID]:
        return self.processes.flow_run_ids()

    def cancel(self, flow_run_id: UUID, *, expected: bool = False) -> None:
        """Cancel one of our runs; said twice, it is done once. Runs of others are none of our business.

        A run that is `expected` and has no process yet is canceled as soon as it has one.
        """
        if flow_run_id not in self.under_way():
            self._to_cancel |= {flow_run_id} if expected else set()
        elif flow_run_id not in self._canceling:
            task = asyncio.create_task(self._cancellation.cancel_by_id(flow_run_id))
            self._canceling[flow_run_id] = task
            task.add_done_callback(lambda _: self._canceling.pop(flow_run_id, None))

    async def settled(self, flow_run_id: UUID) -> None:
        """Wait until a cancel of the run that is being carried out is done: its hooks, its state, its event."""
        canceling = self._canceling.get(flow_run_id)
        if canceling is not None:
            await asyncio.wait({canceling})

    async def add(self, flow_run_id: UUID, process: ForkedProcess) -> None:
        """Take charge of a run that is under way already, and that goes on when this worker stops."""
        self._adopted.add(flow_run_id)
        await self.processes.add(flow_run_id, session_handle(process))

    async def report(self, flow_run: FlowRun, message: str) -> None:
        """Report a crash; a run that has reported its own end keeps it."""
        await self._proposer.propose_crashed(flow_run, message)

    async def give_up(self, flow_run: FlowRun, message: str) -> None:
        """End a run that may go on no longer, and say why; it ends in time also while Prefect is away."""
        said = asyncio.create_task(self._proposer.propose_crashed(flow_run, message))
        await asyncio.wait({said}, timeout=SAID_FIRST_S)
        await self.processes.kill(flow_run.id)
        await said

    async def drain(self, patience_s: float) -> None:
        """Let the runs under way end by themselves; after a while, end them.

        An adopted run goes on, and the next worker adopts it: another worker of this machine may have started it.
        """
        try:
            async with asyncio.timeout(patience_s):
                await self._idle.wait()
        except TimeoutError:
            await asyncio.gather(*(self.processes.kill(one) for one in self._own()))

    def _own(self) -> set[UUID]:
        return self.under_way() - self._adopted

    async def _added(self, flow_run_id: UUID) -> None:
        if flow_run_id not in self._adopted:
            self._idle.clear()
        if flow_run_id in self._to_cancel:
            self.cancel(flow_run_id)

    async def _forget(self, flow_run_id: UUID) -> None:
        self._to_cancel.discard(flow_run_id)
        self._adopted.discard(flow_run_id)
        self.control.unregister(flow_run_id)
        if not self._own():
            self._idle.set()
