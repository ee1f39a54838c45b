"""The first fork server, forked from the worker as soon as that has imported Prefect: both share the memory of it.

It imports the flows while the worker waits for Prefect's server and registers. One that follows is a new process.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from typing import NoReturn

from deployments.warm.fork_server import serve
from deployments.warm.forking import ForkServerClient
from deployments.warm.prefect_internals import read_settings_again
from tasks.clients.process.processes import own_start_s


class EarlyServer:
    """A forked fork server, as asyncio would show a process that it has started."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid, self.channel = pid, channel
        self._ended = threading.Event()
        threading.Thread(target=self._bury, name="first fork server", daemon=True).start()

    def kill(self) -> None:
        if not self._ended.is_set():
            os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> None:
        await asyncio.to_thread(self._ended.wait)

    def _bury(self) -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self._ended.set()


class EarlyFork:
    """Fork now, while there is one thread; a worker takes the client of it later, where it wants the very same one."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._wanted: tuple[tuple[str, ...], dict[str, str]] | None = (tuple(modules), dict(environment))
        ours, its = socket.socketpair()
        # What was imported before the fork counts as imported from our own start on.
        since_s = own_start_s()
        gc.collect()
        gc.freeze()
        self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            _become(its, modules, environment, since_s)
        its.close()
        self._channel = ours

    def client(self, modules: list[str], environment: dict[str, str]) -> ForkServerClient:
        """Give the client of the one that was forked, once; of a new process ever after."""
        wanted, self._wanted = self._wanted, None
        if wanted == (tuple(modules), environment):
            return ForkServerClient(modules, environment, EarlyServer(self._pid, self._channel))
        if wanted is not None:
            EarlyServer(self._pid, self._channel).channel.close()
        return ForkServerClient(modules, environment)


def _become(channel: socket.socket, modules: Sequence[str], environment: Mapping[str, str], since_s: float) -> NoReturn:
    """Be what `python -P -m deployments.warm.fork_server` would be, in its environment and a session of its own."""
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(environment)
        read_settings_again()
        if not sys.flags.safe_path:
            sys.path.pop(0)
        serve(channel, modules, since_s)
    except SystemExit:
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the outermost door of this process: it reports, and ends with 1
        traceback.print_exc()
    os._exit(1)
