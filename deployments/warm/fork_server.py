"""The fork server: a process that has imported Prefect and the flows, and forks itself for each run.

Started by the worker as `python -P -m deployments.warm.fork_server FD MODULE…`; FD is its end of a socket pair. It has
one thread, runs no flow itself, and ends when the worker is gone; runs that it has started go on to their own end.
"""

import os
import selectors
import signal
import socket
import sys

from deployments.warm.forked_run import become_run
from deployments.warm.importing import import_all
from deployments.warm.killable import killable
from deployments.warm.protocol import Ended, Forked, ForkOrder, Ready, Refused, line, read_order
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
        """Fork; say whether this is the child. Signals wait meanwhile, so that none finds the child half made."""
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


def main() -> None:
    """Import, say so, serve; in a forked child, run the flow."""
    # A Ctrl-C or a service manager's signal to the whole group is for the worker, whose end is ours.
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    server = ForkServer(socket.socket(fileno=int(sys.argv[1])))
    imported = import_all(sys.argv[2:])
    server.tell(imported)
    if isinstance(imported, Ready):
        become_run(server.serve())


if __name__ == "__main__":
    main()
