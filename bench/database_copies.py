"""Copy the rows of some real minutes into later ones, inside the database itself. For `bench.database`.

The rows are kept in tables of the bench. An id of theirs gets another beginning in each copy, the same one wherever it
is named; each time of theirs moves; every other value stays as Prefect wrote it.
"""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.database_rows import TABLES
from bench.measuring.stack import Database

# What no two rows may share, beside their ids.
UNIQUE_WORDS = frozenset({"idempotency_key"})
ID_KINDS = frozenset({"CHAR(36)", "uuid"})
# Whose row it is. Parents stand before their children in TABLES.
PARENTS = {"flow_run_id": "flow_run", "task_run_id": "task_run"}
TIME_KINDS = frozenset({"DATETIME", "timestamp with time zone"})
# Spreads the copies over the whole of each index, as new ids of Prefect's are spread.
SPREAD, BEGINNINGS = 2_654_435_761, 4_294_967_296
COLUMNS = {
    Database.SQLITE: "SELECT name, type FROM pragma_table_info('{}')",
    Database.POSTGRESQL: "SELECT column_name, data_type FROM information_schema.columns "
    "WHERE table_name = '{}' AND is_generated = 'NEVER' ORDER BY ordinal_position",
}


class Block(NamedTuple):
    """The statements that copy one block of real minutes to every block between `:first` and `:last`."""

    inserts: tuple[str, ...]

    async def write(self, connection: AsyncConnection, first: int, last: int) -> None:
        """Write these blocks."""
        for one in self.inserts:
            await connection.execute(text(one), {"first": first, "last": last})


async def make_block(connection: AsyncConnection, database: Database, minutes: int, blocks: int) -> Block:
    """Keep the rows of the real minutes aside, and say how they are copied.

    Steps: runs that are only scheduled are none of these minutes' own, nor what a run of before has written late.
    """
    kinds = {name: await _columns(connection, database, name) for name in TABLES}
    await _run(connection, "CREATE TABLE bench_beginning (value text PRIMARY KEY, beginning bigint)")
    await _run(connection, "CREATE TABLE bench_block (block bigint)")
    for first in range(1, blocks + 1, 500):
        values = ", ".join(f"({one})" for one in range(first, min(first + 500, blocks + 1)))
        await _run(connection, f"INSERT INTO bench_block VALUES {values}")  # noqa: S608 - numbers
    for name, columns in kinds.items():
        kept = _own(name, columns)
        await _run(connection, f"CREATE TABLE bench_copy_{name} AS SELECT * FROM {name} WHERE {kept}")  # noqa: S608
        await _keep_beginnings(connection, name, columns)
    for name, columns in kinds.items():
        await _mark_own(connection, name, columns)
    return Block(tuple(_insert(database, name, columns, minutes) for name, columns in kinds.items()))


async def _columns(connection: AsyncConnection, database: Database, name: str) -> dict[str, str]:
    found = await connection.execute(text(COLUMNS[database].format(name)))
    return {str(column): str(kind) for column, kind in found}


def _own(name: str, columns: dict[str, str]) -> str:
    new = f"id NOT IN (SELECT id FROM bench_known_{name})"  # noqa: S608 - our own names
    begun = ["state_type <> 'SCHEDULED'"] if name == "flow_run" else []
    of_own_runs = [
        f"({column} IS NULL OR {column} IN (SELECT id FROM bench_copy_{PARENTS[column]}))"  # noqa: S608
        for column in sorted(PARENTS.keys() & columns.keys())
    ]
    return " AND ".join([new, *begun, *of_own_runs])


async def _keep_beginnings(connection: AsyncConnection, name: str, columns: dict[str, str]) -> None:
    for column in sorted({"id", *UNIQUE_WORDS} & columns.keys()):
        found = await connection.execute(text(f"SELECT CAST({column} AS text) FROM bench_copy_{name}"))  # noqa: S608
        values = [{"value": one, "beginning": _beginning(one)} for (one,) in found if one]
        if values:
            statement = "INSERT INTO bench_beginning VALUES (:value, :beginning) ON CONFLICT DO NOTHING"
            await connection.execute(text(statement), values)


async def _mark_own(connection: AsyncConnection, name: str, columns: dict[str, str]) -> None:
    """Mark each id that is one of these minutes' own; a deployment's, a flow's, a worker's is not."""
    for column in _renewed(columns):
        await _run(connection, f"ALTER TABLE bench_copy_{name} ADD COLUMN own_{column} bigint")
        found = f"SELECT beginning FROM bench_beginning WHERE value = CAST({column} AS text)"  # noqa: S608
        await _run(connection, f"UPDATE bench_copy_{name} SET own_{column} = ({found})")  # noqa: S608


def _insert(database: Database, name: str, columns: dict[str, str], minutes: int) -> str:
    values = ", ".join(_value(database, column, kind, minutes) for column, kind in columns.items())
    named = ", ".join(f'"{column}"' for column in columns)
    rows = f"FROM bench_copy_{name}, bench_block WHERE block BETWEEN :first AND :last"
    return f"INSERT INTO {name} ({named}) SELECT {values} {rows}"


def _value(database: Database, column: str, kind: str, minutes: int) -> str:
    if column in _renewed({column: kind}):
        return f'CASE WHEN own_{column} IS NULL THEN "{column}" ELSE {_id(database, column, kind)} END'
    if kind in TIME_KINDS:
        return _time(database, column, minutes)
    return f'"{column}"'


def _id(database: Database, column: str, kind: str) -> str:
    beginning = f"(own_{column} + block * {SPREAD}) % {BEGINNINGS}"
    match database:
        case Database.SQLITE:
            return f"printf('%08x', {beginning}) || substr(\"{column}\", 9)"
        case Database.POSTGRESQL:
            words = f"lpad(to_hex({beginning}), 8, '0') || substr(CAST(\"{column}\" AS text), 9)"
            return f"CAST({words} AS {kind})"


def _time(database: Database, column: str, minutes: int) -> str:
    match database:
        case Database.SQLITE:
            # SQLite keeps a duration as a time of 1970.
            # Whole minutes: the seconds stay, to the last digit, by which two states of one run differ.
            minute = f"strftime('%Y-%m-%d %H:%M:', \"{column}\", '+' || (block * {minutes}) || ' minutes')"
            moved = f'{minute} || substr("{column}", 18)'
            return f'CASE WHEN substr("{column}", 1, 4) = \'1970\' THEN "{column}" ELSE {moved} END'
        case Database.POSTGRESQL:
            return f"\"{column}\" + block * interval '{minutes} minutes'"


def _renewed(columns: dict[str, str]) -> list[str]:
    return [column for column, kind in columns.items() if kind in ID_KINDS or column in UNIQUE_WORDS]


def _beginning(value: str) -> int:
    try:
        return int(value[:8], 16)
    except ValueError:
        return sum(map(ord, value))


async def _run(connection: AsyncConnection, statement: str) -> None:
    await connection.execute(text(statement))
