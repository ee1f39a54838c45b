"""The processes of the runs: each run is a session of the operating system, and ends with all of it."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.runner._process_manager import ProcessHandle, ProcessManager

from deployments.warm.forking import ForkedProcess
from tasks.clients.process_sessions import kill_session, session_pids, signal_session

GRACE_S = 10.0
POLL_S = 0.1


class SessionScope:
    """How Prefect ends a run: every process of its session, and none that has begun a session of its own."""

    wait_after_graceful_kill = True

    def __init__(self, process: ForkedProcess) -> None:
        self._process = process

    def is_alive(self, pid: int) -> bool:
        """Say whether anything of the run is left."""
        return bool(session_pids(pid))

    def graceful_kill(self, pid: int) -> None:
        """Ask all of it to end."""
        signal_session(pid, signal.SIGTERM)

    def hard_kill(self, pid: int) -> None:
        """End all of it."""
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
        """End a run with all its processes: ask, wait, kill."""
        handle = self.get(flow_run_id)
        if handle is None:
            return
        if not force:
            handle.graceful_kill()
            deadline = time.monotonic() + min(grace_seconds, GRACE_S)
            while handle.is_alive() and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells of a session's end
                await asyncio.sleep(POLL_S)
        handle.hard_kill()


class ForkStarter:
    """Start a run as Prefect's executor asks for it: name its process at once, return when it has ended."""

    def __init__(self, fork: Callable[[], Awaitable[ForkedProcess]]) -> None:
        self._fork = fork

    async def start(self, flow_run: FlowRun, task_status: TaskStatus[ProcessHandle] = TASK_STATUS_IGNORED) -> None:  # noqa: ARG002 - the signature is Prefect's own
        """Fork, and wait for the end."""
        process = await self._fork()
        task_status.started(session_handle(process))
        await process.wait()
