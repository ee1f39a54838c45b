"""What a worker buries at its start: the dead of its own queue, and nobody of another host's."""

import os
import uuid
from types import SimpleNamespace
from typing import Any

from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Running

from deployments.stack.leftovers import end_leftovers
from deployments.warm.places import place_here
from tasks.clients.process.processes import identify
from tasks.model.probes.processes import ProcessIdentity

OWN, IDLE, OTHERS = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


class Server:
    """A Prefect server with runs under way, none of which has a process here."""

    def __init__(self, *runs: FlowRun) -> None:
        self.runs = runs
        self.ended: list[uuid.UUID] = []
        self.places: tuple[uuid.UUID | str, ...] = (OWN, OTHERS, "desk")
        self.slots: dict[str, int] = {}

    async def read_flow_runs(self, **_: Any) -> list[FlowRun]:
        """Give all that are under way, on every host."""
        return list(self.runs)

    async def set_flow_run_state(self, flow_run_id: uuid.UUID, *_: Any, **__: Any) -> None:
        """Take a death."""
        self.ended.append(flow_run_id)

    async def read_deployments(self, **_: Any) -> list[SimpleNamespace]:
        """Give the deployments of the queue that is asked for."""
        return [SimpleNamespace(id=OWN), SimpleNamespace(id=IDLE)]

    async def read_global_concurrency_limits(self, **_: Any) -> list[SimpleNamespace]:
        """Give the places of both hosts' deployments, each taken."""
        return [SimpleNamespace(name=f"deployment:{one}", active_slots=1, limit=1) for one in self.places]

    async def update_global_concurrency_limit(self, name: str, update: Any) -> None:
        """Take the places of a limit."""
        self.slots[name] = update.active_slots


def run(queue: str | None, deployment: uuid.UUID | None = None, **more: Any) -> FlowRun:
    """A run under way; one without a queue is a part of another one."""
    given = {"flow_id": uuid.uuid4(), "state": Running(), "parent_task_run_id": None if queue else uuid.uuid4(), **more}
    return FlowRun(deployment_id=deployment, work_queue_name=queue, **given)


async def test_a_worker_buries_its_own_and_leaves_another_hosts_runs_and_places() -> None:
    """Else each restart of one host's worker would crash the triages of all others, in the middle of their actions."""
    mine, theirs, part = run("a", OWN), run("b", OTHERS), run(None)
    server = Server(mine, theirs, part)
    await end_leftovers(server, "a")  # type: ignore[arg-type]

    assert server.ended == [mine.id]
    assert server.slots == {f"deployment:{OWN}": 0}


async def test_alone_on_the_server_the_parts_of_dead_runs_are_buried_too() -> None:
    """A part that stays *Running* for ever is counted as work that goes on."""
    mine, part = run("a", OWN), run(None)
    server = Server(mine, part)
    await end_leftovers(server, "a")  # type: ignore[arg-type]

    assert set(server.ended) == {mine.id, part.id}


async def test_what_lives_or_waits_is_left_alone_with_its_place_and_the_dead_are_ended() -> None:
    """A restart of the service that a killed worker's run is carrying out is not done twice."""
    own = identify(os.getpid())
    assert own is not None
    gone = ProcessIdentity(pid=own.pid, created_at_s=own.created_at_s - 60)
    living = run("a", OWN, infrastructure_pid=str(place_here(own)))
    dead = run("a", IDLE, infrastructure_pid=str(place_here(gone)))
    waiting = run("a", state=State(type=StateType.PAUSED, name="Suspended"))
    server = Server(living, dead, waiting)
    server.places = (OWN, IDLE, "desk")
    ended_count = await end_leftovers(server, "a")  # type: ignore[arg-type]

    assert ended_count == 1
    assert server.ended == [dead.id]
    assert server.slots == {f"deployment:{OWN}": 1, f"deployment:{IDLE}": 0}
