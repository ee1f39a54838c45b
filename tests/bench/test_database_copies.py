"""The simulated minutes of the database bench: rows as Prefect wrote them, with ids and times of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bench.database_copies import make_block
from bench.database_rows import TABLES, count, keep_known
from bench.measuring.stack import Database

DEPLOYMENT = "11111111-0000-4000-8000-000000000000"
RUN = "aaaaaaaa-0000-4000-8000-000000000001"
STATE = "bbbbbbbb-0000-4000-8000-000000000002"
TOOK = "1970-01-01 00:00:01.000000"
ENDED = {"at": "2026-11-22 10:00:59.500007", "took": TOOK, "state_type": "COMPLETED", "idempotency_key": "ffffffff00"}
ROWS = (
    ("flow_run", {"id": RUN, "deployment_id": DEPLOYMENT, **ENDED}),
    ("flow_run", {"id": "cccccccc-0000-4000-8000-000000000003", "state_type": "SCHEDULED"}),
    ("task_run", {"id": "dddddddd-0000-4000-8000-000000000004", "flow_run_id": "old"}),
    ("flow_run_state", {"id": STATE, "flow_run_id": RUN, "at": "2026-11-22 10:00:59.600000"}),
)
COLUMNS = "id CHAR(36) PRIMARY KEY, deployment_id CHAR(36), at DATETIME, took DATETIME"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    """Give a small database with one run of a measured minute, and one of before that writes still."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'prefect.db'}")
    async with engine.connect() as connection:
        for name in TABLES:
            own_words = "state_type VARCHAR, idempotency_key VARCHAR"
            more = own_words if name == "flow_run" else "flow_run_id CHAR(36)"
            await connection.execute(text(f"CREATE TABLE {name} ({COLUMNS}, {more})"))
        await connection.execute(text("INSERT INTO flow_run (id, state_type) VALUES ('old', 'COMPLETED')"))
        await keep_known(connection)
        for name, row in ROWS:
            words = ", ".join(f":{column}" for column in row)
            await connection.execute(text(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({words})"), row)  # noqa: S608
        yield connection
    await engine.dispose()


async def test_a_copy_has_ids_and_times_of_its_own_and_names_its_own_run(database: AsyncConnection) -> None:
    """Else the clean-up would find children without parents, and no figure of it would be true."""
    block = await make_block(database, Database.SQLITE, minutes=2, blocks=3)
    await block.write(database, 1, 2)

    question = "SELECT id, deployment_id, at, took, idempotency_key FROM flow_run WHERE at IS NOT NULL ORDER BY at"
    _, first, second = (await database.execute(text(question))).all()
    states = {row[0] for row in await database.execute(text("SELECT flow_run_id FROM flow_run_state"))}
    assert states == {RUN, first[0], second[0]}
    assert len({RUN, first[0], second[0]}) == 3
    assert len({first[4], second[4], "ffffffff00"}) == 3
    assert first[1] == second[1] == DEPLOYMENT
    assert (first[2], second[2]) == ("2026-11-22 10:02:59.500007", "2026-11-22 10:04:59.500007")
    assert first[3] == TOOK


async def test_what_was_there_before_and_what_is_only_due_is_not_copied(database: AsyncConnection) -> None:
    """A minute leaves what its own run and its own heartbeats left."""
    before = await count(database)
    block = await make_block(database, Database.SQLITE, minutes=1, blocks=4)
    await block.write(database, 1, 4)
    after = await count(database)

    assert after["task_run"] == 1
    assert after["flow_run"] - before["flow_run"] == 4
    assert after["flow_run_state"] - before["flow_run_state"] == 4
    assert after["log"] == 0
