"""What is worth its cost only where a run or a step lasts: begun or told a moment later, and never where it is over."""

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from prefect.client.schemas.objects import State, TaskRun

Told = TypeVar("Told")
# A healthy triage is over by then, and each of its steps.
STEP_LASTS_S, RUN_LASTS_S = 0.25, 1.0


class Later(Generic[Told]):
    """Some work that is done a moment later, once, in the context of today; or never, where it is stopped before."""

    def __init__(self, after_s: float, work: Callable[[], Told]) -> None:
        self._work: Callable[[], Told] | None = work
        self._gave: Told | None = None
        self._one_at_a_time = threading.Lock()
        self._timer = threading.Timer(after_s, contextvars.copy_context().run, (self._do,))
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> Told | None:
        """Stop it, or wait until it is done, and give what it gave."""
        self._timer.cancel()
        with self._one_at_a_time:
            self._work = None
            return self._gave

    def _do(self) -> None:
        with self._one_at_a_time:
            if self._work is not None:
                self._gave = self._work()


class Tell(Protocol):
    """How Prefect tells of a step; what it gives is what the next word of the same step follows."""

    def __call__(
        self, task_run: TaskRun, initial_state: State[Any] | None, validated_state: State[Any], follows: Any = None
    ) -> Any:
        """Tell of one state."""


class Steps:
    """Tell of each step that it runs once it lasts, and always how it ended: its times stand in that word as well.

    Prefect tells of every step three times: pending, running, ended. Each word is an event with eight resources, a
    state and a write of the server; of a step that is over in milliseconds nobody sees the first two.
    """

    def __init__(self, tell: Tell, after_s: float = STEP_LASTS_S) -> None:
        self._tell = tell
        self._after_s = after_s
        self._running: dict[UUID, Later[Any]] = {}

    def __call__(
        self, task_run: TaskRun, initial_state: State[Any] | None, validated_state: State[Any], follows: Any = None
    ) -> Any:
        """Take the place of Prefect's own function."""
        if validated_state.is_pending():
            return None
        before = self._running.pop(task_run.id, None)
        follows = (before.stop() if before else None) or follows
        if not validated_state.is_running():
            return self._tell(task_run, initial_state, validated_state, follows)
        self._running[task_run.id] = Later(
            self._after_s, lambda: self._tell(task_run, initial_state, validated_state, follows)
        )
        return follows


def once_it_lasts(begin: Callable[..., AbstractContextManager[Any]]) -> Callable[..., AbstractContextManager[None]]:
    """Enter what stands beside a run only where the run lasts; what was asked in its first moment is then read."""

    @contextmanager
    def entered_late(*words: Any, **named: Any) -> Iterator[None]:
        with ExitStack() as stack:
            entering = Later(RUN_LASTS_S, lambda: stack.enter_context(begin(*words, **named)))
            try:
                yield
            finally:
                entering.stop()

    return entered_late
