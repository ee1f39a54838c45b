"""Do work in a thread and an event loop of its own, so that whatever blocks in it delays nobody else.

What is still stuck when its time is up is left behind: a daemon thread, which neither the end of the run nor that of
the process waits for. Python can end no thread; one that waits for a dead file server waits on, unseen.
"""

import asyncio
import contextvars
import selectors
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

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

    def waits(self, for_s: float) -> bool:
        """Say whether it has ended, or has waited for answers for a while and computed nothing."""
        since = self._selector.waiting_since
        return self._ended.done() or (since is not None and time.monotonic() - since >= for_s)

    def _run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(self._selector)) as runner:
            runner.get_loop().set_default_executor(_LooseThreads())
            return runner.run(work())


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

    threading.Thread(target=run, name="own-thread", daemon=True).start()
    return ended
