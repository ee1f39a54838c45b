"""Runs as Prefect tells of them, and the part of its API that reports and adoption use."""

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import ObjectNotFound

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)


def flow_run(kind: StateType = StateType.RUNNING, **facts: Any) -> FlowRun:
    """Make a run in a state."""
    state = State[Any](type=kind, timestamp=facts.pop("since", NOW), name=facts.pop("state_name", None))
    return FlowRun(id=uuid.uuid4(), flow_id=uuid.uuid4(), name="a run", state=state, **facts)


class FakeApi:
    """The part of Prefect's API that reports use."""

    def __init__(self, *runs: FlowRun, failures: tuple[Exception, ...] = ()) -> None:
        self.runs = {run.id: run for run in runs}
        self.failures = list(failures)
        self.set_states: list[tuple[uuid.UUID, StateType]] = []

    async def set_flow_run_state(self, flow_run_id: uuid.UUID, state: State[Any], *, force: bool = False) -> Any:
        """Take a state, or fail as often as told."""
        if self.failures:
            raise self.failures.pop(0)
        self.set_states.append((flow_run_id, state.type))
        accepted = SimpleNamespace(id=uuid.uuid4(), timestamp=NOW, state_details=None)
        return SimpleNamespace(status="ACCEPT", state=accepted, forced=force)

    async def read_flow_run(self, flow_run_id: uuid.UUID) -> FlowRun:
        """Give a run."""
        if flow_run_id not in self.runs:
            raise ObjectNotFound(Exception())
        return self.runs[flow_run_id]
