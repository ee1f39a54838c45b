"""What runs after an outage of the worker, where every minute of it is due at once."""

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions, FlowRun, State, StateType

from deployments.warm.due import choose, newest_due, skip
from tests.fakes.prefect.flow_runs import NOW, FakeApi, flow_run

LATE = timedelta(seconds=30)
DEPLOYMENT = uuid.uuid4()


def due(ago_s: float, **facts: Any) -> FlowRun:
    """One run of the schedule that was due some seconds ago."""
    base = {"expected_start_time": NOW - timedelta(seconds=ago_s), "auto_scheduled": True, "deployment_id": DEPLOYMENT}
    return flow_run(StateType.SCHEDULED, **{**base, **facts})


class Api(FakeApi):
    """A server with one deployment."""

    def __init__(self, limit: int | None = 1, strategy: str = "CANCEL_NEW") -> None:
        super().__init__()
        self.limit = limit
        self.strategy = ConcurrencyLimitStrategy(strategy)
        self.created: list[tuple[uuid.UUID, str]] = []
        self.skipped: dict[uuid.UUID, State[Any]] = {}

    async def read_deployment(self, _: uuid.UUID) -> Any:
        """Give what it allows."""
        limit = SimpleNamespace(limit=self.limit) if self.limit else None
        return SimpleNamespace(
            global_concurrency_limit=limit, concurrency_options=ConcurrencyOptions(collision_strategy=self.strategy)
        )

    async def create_flow_run_from_deployment(self, deployment_id: uuid.UUID, *, idempotency_key: str) -> None:
        """Make a run."""
        self.created.append((deployment_id, idempotency_key))

    async def set_flow_run_state(self, flow_run_id: uuid.UUID, state: State[Any], *, force: bool = False) -> Any:
        """End a run that nobody has started."""
        assert not force
        self.skipped[flow_run_id] = state


def test_after_an_outage_the_newest_due_run_runs_and_the_late_ones_are_skipped_at_once() -> None:
    """A service that hangs is restarted by the run that may act, not looked at by one that is too late to."""
    oldest, older, newest = due(130), due(70), due(10)

    found = newest_due([older, newest, oldest], NOW, LATE)

    assert (found.run, found.skip, found.again) == ((newest,), (oldest, older), None)


@pytest.mark.parametrize(("ago_s", "runs"), [(29.9, True), (30, True), (30.1, False)])
def test_a_run_of_the_schedule_that_is_too_late_to_act_is_replaced_by_one_of_now(ago_s: float, *, runs: bool) -> None:
    """The worker is back fifty seconds after the minute: the hung service does not wait for the next one."""
    late = due(ago_s)

    found = newest_due([late], NOW, LATE)

    assert (found.run, found.skip, found.again) == (((late,), (), None) if runs else ((), (late,), late))


def test_a_late_run_that_a_person_asked_for_runs_with_what_was_asked() -> None:
    """Its parameters are its own; it checks and reports, and does not act."""
    older, newest = due(95, auto_scheduled=False), due(90, auto_scheduled=False)

    assert newest_due([older, newest], NOW, LATE) == ((newest,), (older,), None)


def test_a_late_run_does_not_take_the_place_of_the_one_that_comes_in_a_moment() -> None:
    """At 10:00:55 the run of 10:01 is taken ahead of its time; it is on time, and acts."""
    late, coming = due(55), due(-5)

    assert newest_due([late, coming], NOW, LATE) == ((coming,), (late,), None)


def test_a_run_that_comes_waits_until_the_one_that_is_due_has_begun() -> None:
    """Taken ahead, it would be canceled beside the one that runs."""
    on_time, coming = due(3), due(-5)

    assert newest_due([on_time, coming], NOW, LATE) == ((on_time,), (), None)
    assert newest_due([coming], NOW, LATE) == ((coming,), (), None)
    assert newest_due([due(0)], NOW, LATE).run


def test_no_run_is_forgotten_and_one_at_most_works() -> None:
    """Whatever is due when the worker comes back, each run is taken, skipped, or comes later."""
    chance = random.Random(7)
    for _ in range(500):
        runs = [due(chance.uniform(-8, 200), auto_scheduled=chance.random() < 0.5) for _ in range(chance.randint(1, 6))]
        found = newest_due(runs, NOW, LATE)
        on_time = [one for one in runs if one.expected_start_time and NOW - one.expected_start_time <= LATE]
        left = {one.id for one in runs} - {one.id for one in (*found.run, *found.skip)}
        assert all(one.expected_start_time and one.expected_start_time > NOW for one in runs if one.id in left)
        assert not {one.id for one in found.run} & {one.id for one in found.skip}
        assert sum(bool(one.expected_start_time and one.expected_start_time <= NOW) for one in found.run) <= 1
        assert bool(found.run) is (found.again is None)
        assert not on_time or {one.id for one in found.run} <= {one.id for one in on_time}


@pytest.mark.parametrize(("limit", "strategy"), [(None, "CANCEL_NEW"), (2, "CANCEL_NEW"), (1, "ENQUEUE")])
async def test_where_runs_may_wait_or_work_together_each_has_its_turn(limit: int | None, strategy: str) -> None:
    """A person's own deployment is none of our business."""
    runs = [due(130), due(70), due(10), due(-5)]

    (found,) = await choose(Api(limit, strategy), runs, NOW, LATE)  # type: ignore[arg-type]

    assert found == (tuple(runs), (), None)
    (found,) = await choose(Api(limit, strategy), runs[2:], NOW, LATE)  # type: ignore[arg-type]
    assert found == (tuple(runs[2:]), (), None)


@pytest.mark.parametrize("facts", [{"run_count": 1}, {"start_time": NOW - timedelta(seconds=90)}])
async def test_a_run_that_goes_on_after_it_was_suspended_is_never_skipped(facts: dict[str, Any]) -> None:
    """A person has just approved what it waits to do."""
    goes_on, fresh = due(600, **facts), due(5)

    found = await choose(Api(), [goes_on, fresh], NOW, LATE)  # type: ignore[arg-type]

    assert {run.id for one in found for run in one.run} == {goes_on.id, fresh.id}
    assert not [run for one in found for run in one.skip]


async def test_runs_of_two_deployments_skip_none_of_the_others() -> None:
    """Each has a place of its own."""
    runs = [due(20), due(10, deployment_id=uuid.uuid4())]

    found = await choose(Api(), runs, NOW, LATE)  # type: ignore[arg-type]

    assert {run.id for one in found for run in one.run} == {run.id for run in runs}


async def test_a_skipped_run_says_so_and_its_stand_in_is_made_once() -> None:
    """The list of runs says what became of each minute; two workers of one queue start one new run."""
    api, late = Api(), due(50)
    chosen = await choose(api, [late], NOW, LATE)  # type: ignore[arg-type]

    await asyncio.gather(skip(api, chosen, NOW), skip(api, chosen, NOW))  # type: ignore[arg-type]

    assert set(api.created) == {(DEPLOYMENT, f"instead-of-{late.id}")}
    state = api.skipped[late.id]
    assert (state.type, state.name) == (StateType.CANCELLED, "Skipped")
    assert "2026-11-27T13:59:10" in (state.message or "")
    assert "50 s" in (state.message or "")


def test_a_run_without_a_time_is_due_now() -> None:
    """Prefect may not say when."""
    run = due(0, expected_start_time=None)

    assert newest_due([run], datetime.now(UTC), LATE).run == (run,)
