"""Do work in a thread and an event loop of its own, so that whatever blocks in it delays nobody else.

What is still stuck when its time is up is left behind: a daemon thread, which neither the end of the run nor that of
the process waits for. Python can end no thread; one that waits for a dead file server waits on, unseen.
"""

import asyncio
import contextvars
import os
import selectors
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

IDLE_S = 5.0
TICK_S = 0.02
Result = TypeVar("Result")
T = TypeVar("T")


class IsolatedLoop(Generic[Result]):
    """Asynchronous work in a thread of its own, begun at once."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._selector = _Watched()
        self._ended = _started(lambda: self._run(work))

    async def result(self, within_s: float) -> Result:
        """Wait for its end, and give what it gives, or raise what it raises.

        Errors: `TimeoutError`; then it is left behind.
        """
        return await asyncio.wait_for(asyncio.wrap_future(self._ended), within_s)

    async def settled(self, waits_for_s: float, at_most_s: float) -> None:
        """Wait until it has ended, has waited for answers for a while and computed nothing, or takes too long."""
        ended, until_s = asyncio.wrap_future(self._ended), time.monotonic() + at_most_s
        await asyncio.wait([ended], timeout=waits_for_s)
        while not self.waits(waits_for_s) and time.monotonic() < until_s:
            await asyncio.wait([ended], timeout=TICK_S)

    def waits(self, for_s: float) -> bool:
        """Say whether it has ended, or has waited for answers for a while and computed nothing."""
        since = self._selector.waiting_since
        return self._ended.done() or (since is not None and time.monotonic() - since >= for_s)

    def _run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(self._selector)) as runner:
            runner.get_loop().set_default_executor(_LooseThreads())
            return runner.run(work())


async def in_own_thread(call: Callable[[], T], within_s: float) -> T:
    """Do plain work in a thread of its own, and give what it gives, or raise what it raises.

    Errors: `TimeoutError`; then it is left behind.
    """
    return await asyncio.wait_for(asyncio.wrap_future(_started(call)), within_s)


class _Watched(selectors.DefaultSelector):
    """Tell since when an event loop has nothing to do. Units: seconds on the monotonic clock."""

    waiting_since: float | None = None

    def select(self, timeout: float | None = None) -> Any:
        """Wait for what comes next."""
        self.waiting_since = time.monotonic()
        try:
            return super().select(timeout)
        finally:
            self.waiting_since = None


class _LooseThreads(ThreadPoolExecutor):
    """A thread for each call, none of which is waited for at the end."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Start a call at once."""
        return _started(lambda: fn(*args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the threads to themselves."""


def _started(call: Callable[[], T]) -> "Future[T]":
    ended: Future[T] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        if not ended.set_running_or_notify_cancel():
            return
        try:
            ended.set_result(context.run(call))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            ended.set_exception(error)

    _THREADS.run(run)
    return ended


class _Threads:
    """Threads that wait a while for another call after theirs; one that is stuck in a call is just not among them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[Callable[[], None]]] = []

    def run(self, call: Callable[[], None]) -> None:
        """Run a call at once: by a thread that has nothing to do, else by a new one."""
        with self._lock:
            calls = self._idle.pop() if self._idle else None
        if calls is not None:
            calls.put(call)
            return
        threading.Thread(target=self._serve, args=(call,), name="own-thread", daemon=True).start()

    def forget(self) -> None:
        """Begin without any: a forked process has none of its parent's threads."""
        self.__init__()  # type: ignore[misc]

    def _serve(self, call: Callable[[], None]) -> None:
        calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        while True:
            call()
            with self._lock:
                self._idle.append(calls)
            try:
                call = calls.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if calls in self._idle:
                        self._idle.remove(calls)
                        return
                # Somebody has just taken it for a call.
                call = calls.get()


_THREADS = _Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_THREADS.forget)
