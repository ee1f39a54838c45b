"""The fork server: a process that has imported Prefect and the flows, and forks itself for each run.

Started by the worker as `python -P -m deployments.warm.fork_server FD MODULE…`; FD is its end of a socket pair. It has
one thread, runs no flow itself, and ends when the worker is gone; runs that it has started go on to their own end. A
forked child puts on the run's environment, runs Prefect's engine, and ends as a process of its own would.
"""

import asyncio
import atexit
import os
import random
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import load_flow_from_entrypoint

from deployments.warm.importing import import_all
from deployments.warm.killable import killable
from deployments.warm.prefect_internals import ENGINE, ENTRYPOINT, HookRunner, begin_with, read_settings_again
from deployments.warm.protocol import Ended, Forked, ForkOrder, HookCall, Ready, Refused, line, read_order
from tasks.model.values import Value

CHUNK_BYTES = 65_536


class ForkServer:
    """One fork server: its socket, and the children that it has not told the end of."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._selector = selectors.DefaultSelector()
        self._wakeup_in, self._wakeup_out = os.pipe()
        self._read = b""

    def tell(self, message: Value) -> None:
        """Tell the worker; a worker that is gone ends the server."""
        try:
            self._channel.sendall(line(message))
        except OSError:
            sys.exit(0)

    def serve(self) -> ForkOrder:
        """Fork for every order until the worker is gone; returns in the forked children alone, each with its order."""
        self._watch_children()
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._selector.register(self._wakeup_in, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in self._selector.select()}
            if self._wakeup_in in ready:
                os.read(self._wakeup_in, CHUNK_BYTES)
                self._bury()
            if self._channel.fileno() in ready:
                for text in self._lines():
                    order = read_order(text)
                    if self._fork(order):
                        return order

    def _watch_children(self) -> None:
        os.set_blocking(self._wakeup_out, False)
        signal.set_wakeup_fd(self._wakeup_out, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _lines(self) -> list[bytes]:
        found = self._channel.recv(CHUNK_BYTES)
        if not found:
            sys.exit(0)
        *whole, self._read = (self._read + found).split(b"\n")
        return whole

    def _fork(self, order: ForkOrder) -> bool:
        """Fork; say whether this is the child. Signals wait, so that none finds the child half made."""
        sys.stdout.flush()
        sys.stderr.flush()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self.tell(Refused(key=order.key, reason=str(error)))
            return False
        if pid == 0:
            self._forget()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return True
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.tell(Forked(key=order.key, pid=pid))
        return False

    def _forget(self) -> None:
        """Let go, in a child, of all that is the server's own: its session, its descriptors, its signal handlers."""
        os.setsid()
        killable()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._selector.close()
        self._channel.close()
        os.close(self._wakeup_in)
        os.close(self._wakeup_out)

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.tell(Ended(pid=pid, exit_code=os.waitstatus_to_exitcode(status)))


def become_run(order: ForkOrder) -> NoReturn:
    """Run the flow and end; never returns into the fork server's code."""
    exit_code = 1
    try:
        put_on(order)
        exit_code = run_hooks(order.hook, order.entrypoint) if order.hook else run_engine()
    except BaseException:  # noqa: BLE001 - the outermost door of this process: it reports, and ends with 1
        traceback.print_exc()
    finally:
        end(exit_code)


def put_on(order: ForkOrder) -> None:
    """Take the run's environment, folder and output.

    Steps:
        1. what the worker has read of the run
        2. the run's variables, and only those; Prefect's settings again where they differ from the fork server's
        3. the run's working folder, first on the path as `python -m` has it
        4. no output where none is wanted; seeds that no other run has
    """
    before = _settings(os.environ)
    begin_with(order.flow_run, order.around)
    os.environ.clear()
    os.environ.update(order.environment)
    os.environ[ENTRYPOINT] = order.entrypoint
    time.tzset()
    if _settings(order.environment) != before:
        read_settings_again()
    os.chdir(order.directory)
    sys.path.insert(0, order.directory)
    if order.quiet:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def run_engine() -> int:
    """Run `python -m prefect.engine` in this process, and give its exit code."""
    sys.argv = [ENGINE]
    # A second copy as `__main__` beside the imported one is what `python -m` would make, without a warning.
    sys.modules.pop(ENGINE, None)
    try:
        runpy.run_module(ENGINE, run_name="__main__")
    except SystemExit as stop:
        return _exit_code(stop.code)
    except KeyboardInterrupt:
        return 130
    except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody caught
        traceback.print_exc()
        return 1
    return 0


def run_hooks(call: HookCall, entrypoint: str) -> int:
    """Run the flow's hooks for a run that was canceled or has crashed; the worker itself never imports a flow."""

    async def find(_: FlowRun) -> Any:
        return load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)

    flow_run, state = FlowRun.model_validate_json(call.flow_run), State[Any].model_validate_json(call.state)
    runner = HookRunner(resolve_flow=find)
    match call.when:
        case "cancellation":
            asyncio.run(runner.run_cancellation_hooks(flow_run, state))
        case "crashed":
            asyncio.run(runner.run_crashed_hooks(flow_run, state))
    return 0


def end(exit_code: int) -> NoReturn:
    """End as the interpreter does: threads, exit functions, output; but leave the memory to the operating system."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what Py_Finalize calls first
        atexit._run_exitfuncs()  # noqa: SLF001 - Prefect sends its last logs and events here
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(exit_code)


def _settings(variables: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in variables.items()
        if name.startswith("PREFECT_") and not name.startswith("PREFECT__")
    }


def _exit_code(code: str | int | None) -> int:
    match code:
        case None:
            return 0
        case int():
            return code & 0xFF
        case str():
            sys.stderr.write(f"{code}\n")
            return 1


def serve(channel: socket.socket, modules: Sequence[str], since_s: float) -> None:
    """Import, say so, serve; in a forked child, run the flow.

    Units: `since_s` in seconds since the epoch: from then on a file that changes is not what was imported.
    """
    # A Ctrl-C or a service manager's signal to the whole group is for the worker, whose end is ours.
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    server = ForkServer(channel)
    imported = import_all(modules, since_s)
    server.tell(imported)
    if isinstance(imported, Ready):
        become_run(server.serve())


def main() -> None:
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:], time.time())


if __name__ == "__main__":
    main()
