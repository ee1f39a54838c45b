"""What is told or begun only where a run or a step lasts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from prefect.client.schemas.objects import State, StateType, TaskRun
from prefect.states import Completed, Failed, Pending, Running

from deployments.warm import lasting
from deployments.warm.lasting import Later, Steps, once_it_lasts
from tests.fakes.polling import eventually

NEVER_S, AT_ONCE_S = 3600.0, 0.0


class Told:
    """What Prefect would have told, word by word, with what each follows."""

    def __init__(self) -> None:
        self.words: list[tuple[str | None, Any]] = []

    def __call__(
        self,
        task_run: TaskRun,
        initial_state: Any,  # noqa: ARG002 - the signature is Prefect's own
        validated_state: State[Any],
        follows: Any = None,
    ) -> Any:
        self.words.append((validated_state.name, follows))
        return f"{validated_state.name} of {task_run.name}"


def step() -> TaskRun:
    return TaskRun(id=uuid4(), name="probe", task_key="probe", dynamic_key="0", flow_run_id=uuid4())


def test_a_step_that_is_over_at_once_is_told_in_one_word() -> None:
    """Ten steps a minute with three words each were two thirds of what Prefect wrote."""
    told, one = Told(), step()
    steps = Steps(told, NEVER_S)

    pending = steps(one, None, Pending())
    running = steps(one, Pending(), Running(), follows=pending)
    steps(one, Running(), Completed(), follows=running)

    assert told.words == [("Completed", None)]


def test_a_step_that_lasts_is_seen_to_run() -> None:
    """A person watches a restart as it goes on, and its end is known to follow."""
    told, one = Told(), step()
    steps = Steps(told, AT_ONCE_S)

    running = steps(one, Pending(), Running())
    eventually(lambda: told.words == [("Running", None)])
    steps(one, Running(), Failed(), follows=running)

    assert told.words == [("Running", None), ("Failed", "Running of probe")]


def test_a_step_that_is_tried_again_tells_of_each_try() -> None:
    """A wait between two tries is no beginning that nobody sees."""
    told, one = Told(), step()
    steps = Steps(told, NEVER_S)

    running = steps(one, Pending(), Running())
    again: State[Any] = State(type=StateType.SCHEDULED, name="AwaitingRetry")
    waiting = steps(one, Running(), again, follows=running)
    running = steps(one, again, Running(name="Retrying"), follows=waiting)
    steps(one, Running(), Completed(), follows=running)

    assert told.words == [("AwaitingRetry", None), ("Completed", "AwaitingRetry of probe")]


def test_work_that_has_begun_is_waited_for() -> None:
    """An end that is told before its beginning would be put aside by the server, for minutes."""
    began, may_end = threading.Event(), threading.Event()

    def work() -> str:
        began.set()
        may_end.wait()
        return "done"

    later = Later(AT_ONCE_S, work)
    began.wait()
    threading.Timer(0.01, may_end.set).start()

    assert later.stop() == "done"


def test_what_stands_beside_a_run_is_entered_only_where_it_lasts(monkeypatch: Any) -> None:
    """A healthy triage paid for an ear that it never used; one that lasts can be suspended as ever."""
    seen: list[str] = []

    @contextmanager
    def ear(name: str) -> Iterator[None]:
        seen.append(f"{name} begins")
        yield
        seen.append(f"{name} ends")

    monkeypatch.setattr(lasting, "RUN_LASTS_S", NEVER_S)
    with once_it_lasts(ear)("short"):
        pass
    monkeypatch.setattr(lasting, "RUN_LASTS_S", AT_ONCE_S)
    with once_it_lasts(ear)("long"):
        eventually(lambda: seen == ["long begins"])

    assert seen == ["long begins", "long ends"]
