"""What a worker buries at its start: the dead of its own queue, and nobody of another host's."""

import uuid
from types import SimpleNamespace
from typing import Any

from prefect.client.schemas.objects import FlowRun
from prefect.states import Running

from deployments.leftovers import end_leftovers

OWN, OTHERS = uuid.uuid4(), uuid.uuid4()


class Server:
    """A Prefect server with runs under way, none of which has a process here."""

    def __init__(self, *runs: FlowRun) -> None:
        self.runs = runs
        self.ended: list[uuid.UUID] = []
        self.freed: list[str] = []

    async def read_flow_runs(self, **_: Any) -> list[FlowRun]:
        """Give all that are under way, on every host."""
        return list(self.runs)

    async def set_flow_run_state(self, flow_run_id: uuid.UUID, *_: Any, **__: Any) -> None:
        """Take a death."""
        self.ended.append(flow_run_id)

    async def read_deployments(self, **_: Any) -> list[SimpleNamespace]:
        """Give the deployments of the queue that is asked for."""
        return [SimpleNamespace(id=OWN)]

    async def read_global_concurrency_limits(self, **_: Any) -> list[SimpleNamespace]:
        """Give the places of both hosts' deployments, each taken."""
        return [SimpleNamespace(name=f"deployment:{one}", active_slots=1, limit=1) for one in (OWN, OTHERS)]

    async def update_global_concurrency_limit(self, name: str, _: object) -> None:
        """Free a place."""
        self.freed.append(name)


def run(queue: str | None, deployment: uuid.UUID | None = None) -> FlowRun:
    """A run under way; one without a queue is a part of another one."""
    place = {"deployment_id": deployment, "work_queue_name": queue}
    return FlowRun(flow_id=uuid.uuid4(), state=Running(), parent_task_run_id=None if queue else uuid.uuid4(), **place)


async def test_a_worker_buries_its_own_and_leaves_another_hosts_runs_and_places() -> None:
    """Else each restart of one host's worker would crash the triages of all others, in the middle of their actions."""
    mine, theirs, part = run("a", OWN), run("b", OTHERS), run(None)
    server = Server(mine, theirs, part)
    await end_leftovers(server, "a")  # type: ignore[arg-type]

    assert server.ended == [mine.id]
    assert server.freed == [f"deployment:{OWN}"]


async def test_alone_on_the_server_the_parts_of_dead_runs_are_buried_too() -> None:
    """A part that stays *Running* for ever is counted as work that goes on."""
    mine, part = run("a", OWN), run(None)
    server = Server(mine, part)
    await end_leftovers(server, "a")  # type: ignore[arg-type]

    assert set(server.ended) == {mine.id, part.id}
