"""What is worth its cost only where a run or a step lasts: done a moment later, and never where that is over."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from prefect.client.schemas.objects import State, TaskRun

Given = TypeVar("Given")
# A healthy triage is over by then, and each of its steps.
STEP_LASTS_S, RUN_LASTS_S = 0.25, 1.0


class Later(Generic[Given]):
    """Some work that is done a moment later, once, in the context of today; or never, where it is stopped before."""

    def __init__(self, after_s: float, work: Callable[[], Given]) -> None:
        self._work: Callable[[], Given] | None = work
        self._gave: Given | None = None
        self._one_at_a_time = threading.Lock()
        self._timer = threading.Timer(after_s, copy_context().run, (self._do,))
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> Given | None:
        """Stop it, or wait until it is done, and give what it gave."""
        self._timer.cancel()
        with self._one_at_a_time:
            self._work = None
            return self._gave

    def _do(self) -> None:
        with self._one_at_a_time:
            if self._work is not None:
                self._gave = self._work()


class Report(Protocol):
    """How Prefect reports a step; what it gives is what the next word of the same step follows."""

    def __call__(
        self, task_run: TaskRun, initial_state: State[Any] | None, validated_state: State[Any], follows: Any = None
    ) -> Any:
        """Report one state."""


class Steps:
    """Report each step as running once it lasts, and always how it ended: its times stand in that word as well.

    Prefect reports every step three times: pending, running, ended. Each word is an event with eight resources, a
    state and a write of the server; of a step that is over in milliseconds nobody sees the first two. One thread looks
    for steps that last, for as long as one runs.
    """

    def __init__(self, report: Report, look_every_s: float = STEP_LASTS_S) -> None:
        self._report = report
        self._look_every_s = look_every_s
        self._one_at_a_time = threading.Lock()
        self._unreported: dict[UUID, Callable[[], None]] = {}
        self._reported: dict[UUID, Any] = {}
        self._looking = False

    def __call__(
        self, task_run: TaskRun, initial_state: State[Any] | None, validated_state: State[Any], follows: Any = None
    ) -> Any:
        """Take the place of Prefect's own function."""
        if validated_state.is_pending():
            return None
        report = partial(self._report, task_run, initial_state, validated_state)
        with self._one_at_a_time:
            self._unreported.pop(task_run.id, None)
            follows = self._reported.pop(task_run.id, None) or follows
            if not validated_state.is_running():
                return report(follows=follows)
            self._unreported[task_run.id] = partial(copy_context().run, self._report_late, task_run.id, report, follows)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, daemon=True).start()
        return follows

    def _report_late(self, step_id: UUID, report: Callable[..., Any], follows: Any) -> None:
        self._reported[step_id] = report(follows=follows)

    def _look(self) -> None:
        seen: set[UUID] = set()
        while self._looking:
            time.sleep(self._look_every_s)
            with self._one_at_a_time:
                for step_id in seen & self._unreported.keys():
                    self._unreported.pop(step_id)()
                seen = set(self._unreported)
                self._looking = bool(seen)


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
