"""The simulated minutes of the database bench: rows as Prefect wrote them, with ids and times of their own."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bench.database import TABLES, Rows, copies, own_rows

DEPLOYMENT = UUID("11111111-0000-4000-8000-000000000000")
OLD, RUN, DUE, STATE, LATE = (UUID(f"aaaaaaaa-0000-4000-8000-00000000000{number}") for number in range(5))
ENDED_AT = datetime(2026, 11, 22, 10, 0, 59, 500_007, UTC)
TOOK = timedelta(seconds=1)
ENDED = {"at": ENDED_AT, "took": TOOK, "state_type": "COMPLETED", "idempotency_key": "ffffffff00"}


def rows(**found: list[dict[str, object]]) -> Rows:
    """Give the rows of each table that grows."""
    return {name: found.get(name, []) for name in TABLES}


BEFORE = rows(flow_run=[{"id": OLD, "state_type": "COMPLETED"}])
AFTER = rows(
    flow_run=[
        *BEFORE["flow_run"],
        {"id": RUN, "deployment_id": DEPLOYMENT, **ENDED},
        {"id": DUE, "state_type": "SCHEDULED"},
    ],
    flow_run_state=[{"id": STATE, "flow_run_id": RUN, "at": ENDED_AT}],
    task_run=[{"id": LATE, "flow_run_id": OLD}],
)


def test_a_copy_has_ids_and_times_of_its_own_and_names_its_own_run() -> None:
    """Else the clean-up would find children without parents, and no figure of it would be true."""
    own = own_rows(BEFORE, AFTER)
    first, second = (copies(own, number, timedelta(minutes=2 * number)) for number in (1, 2))
    runs = [one["flow_run"][0] for one in (first, second)]

    assert [one["flow_run_state"][0]["flow_run_id"] for one in (first, second)] == [run["id"] for run in runs]
    assert len({RUN, *(run["id"] for run in runs)}) == 3
    assert len({"ffffffff00", *(run["idempotency_key"] for run in runs)}) == 3
    assert [run["deployment_id"] for run in runs] == [DEPLOYMENT, DEPLOYMENT]
    assert [run["at"] - ENDED_AT for run in runs] == [timedelta(minutes=2), timedelta(minutes=4)]
    assert runs[0]["took"] == TOOK


def test_no_id_is_made_twice_in_a_week() -> None:
    """A copy that meets another one's id would not be written, and the week would be a short one."""
    own = own_rows(BEFORE, AFTER)
    made = [copies(own, number, timedelta())["flow_run"][0]["id"] for number in range(7 * 24 * 60)]

    assert len({*made}) == len(made)


def test_what_was_there_before_and_what_is_only_due_is_not_copied() -> None:
    """A minute leaves what its own run and its own heartbeats left."""
    own = own_rows(BEFORE, AFTER)

    assert [run["id"] for run in own["flow_run"]] == [RUN]
    assert [state["id"] for state in own["flow_run_state"]] == [STATE]
    assert own["task_run"] == []
