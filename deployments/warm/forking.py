"""The worker's side of one fork server: start it, ask it for processes, hear when they end."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from deployments.warm.importing import changed
from deployments.warm.protocol import Ended, Forked, ForkOrder, Ready, Refused, Unready, line, read_told
from tasks.clients.process.processes import identify, is_running
from tasks.clients.process.sessions import kill_session
from tasks.model.errors import CannotAct, Code
from tasks.model.probes.processes import ProcessIdentity

# One line of the fork server holds the fingerprints of all its sources; one to it the environment of a run.
LINE_LIMIT_BYTES = 16_777_216
FORK_TIMEOUT_S = 10.0
LOST_POLL_S = 0.2
# A process whose exit code nobody could collect did not end well, unless its engine said so.
EXIT_CODE_UNKNOWN = 1


class ForkedProcess:
    """One forked run: its pid, and its exit code once it has ended. Prefect reads both by these names."""

    def __init__(self, identity: ProcessIdentity) -> None:
        self.pid = identity.pid
        self.identity = identity
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, exit_code: int) -> None:
        """Keep the exit code; the first one counts."""
        if self.returncode is None:
            self.returncode = exit_code
            self._ended.set()

    async def wait(self) -> None:
        await self._ended.wait()


class Started(Protocol):
    """A fork server that was forked already, and our end of its socket pair."""

    pid: int
    channel: socket.socket

    def kill(self) -> None: ...

    async def wait(self) -> object: ...


class ForkServerClient:
    """One fork server as the worker sees it: importing, then ready, then at last gone."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str], started: Started | None = None) -> None:
        self.modules = tuple(modules)
        self.started_at_s = time.monotonic()
        self._environment = dict(environment)
        self.ready: Ready | None = None
        self.unready: Unready | None = None
        self._settled = asyncio.Event()
        self._asked: dict[str, asyncio.Future[int]] = {}
        self._running: dict[int, ForkedProcess] = {}
        self._early: dict[int, int] = {}
        self._retired = False
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | Started | None = started
        self._started = started
        self._hearing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process; it imports while we go on."""
        ours = self._started.channel if self._started else await self._spawn()
        if ours is None:
            # No process to be had: it is gone before it was there, and is tried again later.
            self._settled.set()
            return
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=LINE_LIMIT_BYTES)
        self._hearing = asyncio.create_task(self._hear(reader))

    async def _spawn(self) -> socket.socket | None:
        ours, its = socket.socketpair()
        command = (sys.executable, "-P", "-m", "deployments.warm.fork_server", str(its.fileno()), *self.modules)
        try:
            with its:
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    env=self._environment,
                    pass_fds=[its.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            return None
        return ours

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def gone(self) -> bool:
        return self._settled.is_set() and self.ready is None

    async def settle(self, within_s: float) -> None:
        """Wait until it is ready or has failed, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._settled.wait()

    def stale(self) -> str | None:
        """Name the file that has changed since it was imported, or None."""
        return changed(self.ready.sources) if self.ready else None

    async def fork(self, order: ForkOrder) -> ForkedProcess:
        """Fork one run.

        Errors: `START_FAILED` when there is no process to be had.
        """
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asked[order.key] = answer
        try:
            pid = await self._send(order, answer)
        except (OSError, TimeoutError) as error:
            raise CannotAct(
                Code.START_FAILED, f"expected a forked process was {str(error) or 'no answer'} pid={self.pid}"
            ) from None
        finally:
            self._asked.pop(order.key, None)
        return self._keep(pid)

    async def _send(self, order: ForkOrder, answer: "asyncio.Future[int]") -> int:
        if self._writer is None or self.gone:
            raise ConnectionError("no fork server")
        self._writer.write(line(order))
        await self._writer.drain()
        async with asyncio.timeout(FORK_TIMEOUT_S):
            return await answer

    def _keep(self, pid: int) -> ForkedProcess:
        process = ForkedProcess(identify(pid) or ProcessIdentity(pid=pid, created_at_s=0.0))
        self._running[pid] = process
        if pid in self._early:
            self._end(Ended(pid=pid, exit_code=self._early.pop(pid)))
        return process

    def retire(self) -> None:
        """Fork no more; end once its last run has ended, so that none loses its exit code."""
        self._retired = True
        self._close_when_idle()

    async def close(self) -> None:
        """End it now; what it has forked goes on."""
        if self._writer is not None:
            self._writer.close()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._hearing is not None:
            self._hearing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._hearing

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        try:
            while text := await reader.readline():
                self._take(read_told(text))
        except (OSError, ValueError):
            # A line cut short by its death.
            pass
        finally:
            await self._lost()

    def _take(self, told: "Ready | Unready | Forked | Refused | Ended") -> None:
        match told:
            case Ready():
                self.ready = told
                self._settled.set()
            case Unready():
                self.unready = told
                self._settled.set()
            case Forked():
                self._answer(told)
            case Refused():
                waiting = self._waiting(told.key)
                if waiting is not None:
                    waiting.set_exception(OSError(told.reason))
            case Ended():
                self._end(told)

    def _answer(self, told: Forked) -> None:
        waiting = self._waiting(told.key)
        if waiting is not None:
            waiting.set_result(told.pid)
        else:
            # Too late: nobody waits for it any more, so nobody would ever end it.
            self._running[told.pid] = ForkedProcess(ProcessIdentity(pid=told.pid, created_at_s=0.0))
            kill_session(told.pid)

    def _waiting(self, key: str) -> "asyncio.Future[int] | None":
        waiting = self._asked.get(key)
        return waiting if waiting is not None and not waiting.done() else None

    def _end(self, told: Ended) -> None:
        process = self._running.pop(told.pid, None)
        if process is None:
            self._early[told.pid] = told.exit_code
        else:
            process.end(told.exit_code)
            self._close_when_idle()

    def _close_when_idle(self) -> None:
        if self._retired and not self._running and not self._asked and self._writer is not None:
            self._writer.close()

    async def _lost(self) -> None:
        """Watch, without the fork server, the runs that it leaves behind: they are nobody's children of ours."""
        self.ready = None
        self._settled.set()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the fork server is gone"))
        while self._running:
            for pid, process in list(self._running.items()):
                if not is_running(process.identity):
                    self._running.pop(pid)
                    process.end(EXIT_CODE_UNKNOWN)
            await asyncio.sleep(LOST_POLL_S)
