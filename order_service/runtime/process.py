"""The process around the service: its port, its lock, its pid file, its signals, its end."""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import uvicorn
from filelock import FileLock, Timeout

from order_service.api.app import create_app
from order_service.runtime.codes import CannotStart
from order_service.runtime.listening import bind
from order_service.runtime.service import OrderService
from order_service.runtime.settings import Settings

BACKLOG = 2048
LEAVE_S = 2
COLLECT_AT = (10_000, 20, 50)


class Server(uvicorn.Server):
    """Serve until stopped, then drain: the port stays open and says no until the last order is settled."""

    def __init__(self, config: uvicorn.Config, service: OrderService) -> None:
        super().__init__(config)
        self._service = service
        self._asyncio_loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, take the reload signal where there is one, and say under which pid."""
        loop = self._asyncio_loop = asyncio.get_running_loop()
        await super().startup(sockets)
        _spare_orders_the_collector()
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, self._reload)
        settings = self._service.settings
        settings.pid_path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        port = sockets[0].getsockname()[1] if sockets else settings.port
        print(f"{settings.name} {settings.release} listens on http://{settings.host}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's own signature
        """Begin to leave at the first signal; a second one leaves at once."""
        if self._asyncio_loop is None or (self._service.flow.draining and self._leaving is not None):
            self.should_exit = self.force_exit = True
        else:
            self._asyncio_loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._drain_and_exit())

    async def _drain_and_exit(self) -> None:
        await self._service.drained()
        self.should_exit = True

    def _reload(self) -> None:
        self._reloading = asyncio.create_task(self._service.reload())


def run(settings: Settings) -> int:
    """Run the service to its end; give the exit code.

    Errors: CannotStart, with the line an operator reads.
    """
    _make_state_dir(settings.state_dir)
    with _only_one(settings.state_dir), contextlib.closing(_listen(settings.host, settings.port)) as listener:
        service = OrderService(settings)
        config = uvicorn.Config(
            create_app(service),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            lifespan="on",
            backlog=BACKLOG,
            timeout_graceful_shutdown=LEAVE_S,
            server_header=False,
        )
        server = Server(config, service)
        try:
            server.run(sockets=[listener])
        finally:
            _remove_pid(settings.pid_path)
        return 0 if server.started else 1


def _spare_orders_the_collector() -> None:
    """Leave what start-up made out of garbage collection, and collect seldom.

    A full pass over 80,000 objects that stay for good stops every order for 50 ms, and all passes together cost an
    order 0.09 of its 0.7 ms; an order itself leaves next to no cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AT)


def _make_state_dir(state_dir: Path) -> None:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"STATE_DIR_REFUSED: expected a writable directory {state_dir}; {error.strerror}", 2
        ) from error


@contextlib.contextmanager
def _only_one(state_dir: Path) -> Iterator[None]:
    """Hold the state directory, since two processes on one journal would take each other's orders for interrupted."""
    lock = FileLock(state_dir / "order-service.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        line = f"STATE_DIR_IN_USE: another order service runs on {state_dir}; stop it or name another directory"
        raise CannotStart(line, 1) from error
    except OSError as error:
        raise CannotStart(f"STATE_DIR_REFUSED: {state_dir} cannot be locked; {error.strerror}", 2) from error
    try:
        yield
    finally:
        lock.release()


def _listen(host: str, port: int) -> socket.socket:
    try:
        listener = bind(host, port)
        listener.listen(BACKLOG)
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}:
            line = f"PORT_TAKEN: expected {host}:{port} free, was in use; stop its owner or set ORDER_SERVICE_PORT"
            raise CannotStart(line, 1) from error
        raise CannotStart(f"ADDRESS_REFUSED: {host}:{port} cannot be bound; {error.strerror or error}", 2) from error
    return listener


def _remove_pid(path: Path) -> None:
    """Remove the pid file if it is still ours."""
    with contextlib.suppress(OSError, ValueError):
        if int(path.read_text(encoding="utf-8")) == os.getpid():
            path.unlink()
