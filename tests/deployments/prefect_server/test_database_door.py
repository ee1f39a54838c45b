"""Before a stack starts, its database is asked: each trouble is one line that says what to do, without the password."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from deployments.prefect_server.database import check_database
from tasks.model.errors import Code, RunbookError
from tests.fakes.ports import free_port
from tests.fakes.stack.postgres import Cluster

pytestmark = pytest.mark.live


def trouble(url: str) -> RunbookError:
    """Check a database that is of no use, and give what was said."""
    with pytest.raises(RunbookError) as caught:
        check_database(SecretStr(url))
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_fresh_database_is_fine(cluster: Cluster) -> None:
    """The usual case says nothing."""
    with cluster.database() as url:
        check_database(SecretStr(url))


def test_a_wrong_password_is_named_as_one(cluster: Cluster) -> None:
    """Not a page of somebody's library, and not the password."""
    said = trouble(cluster.url("postgres").replace(cluster.password, "hunter2"))

    assert said.code is Code.DATABASE_REFUSED
    assert "user=runbook" in said.detail
    assert "hunter2" not in said.detail


def test_a_missing_database_comes_with_the_command_that_makes_it(cluster: Cluster) -> None:
    """It is copied and run."""
    said = trouble(cluster.url("nobody_made_it"))

    assert said.code is Code.DATABASE_REFUSED
    assert "createdb -O runbook nobody_made_it" in said.detail


def test_a_user_who_may_make_no_tables_is_found_before_the_server_is(cluster: Cluster) -> None:
    """Since PostgreSQL 15 a user may make none in a database that is another's; Prefect would die of it in its log."""
    with cluster.database() as url:
        cluster.ask("DROP ROLE IF EXISTS guest")
        cluster.ask("CREATE ROLE guest LOGIN PASSWORD 'hunter2'")
        said = trouble(url.replace(f"runbook:{cluster.password}", "guest:hunter2"))

    assert said.code is Code.DATABASE_REFUSED
    assert "OWNER TO guest" in said.detail
    assert "hunter2" not in said.detail


def test_nobody_on_the_port_is_told_apart_from_a_refusal() -> None:
    """One is for whoever runs the database, the other for whoever types."""
    port = free_port()
    said = trouble(f"postgresql+asyncpg://runbook:hunter2@127.0.0.1:{port}/prefect")

    assert said.code is Code.DATABASE_UNREACHABLE
    assert f"host=127.0.0.1 port={port} database=prefect" in said.detail
    assert "hunter2" not in said.detail


def test_an_option_that_nobody_knows_is_one_line() -> None:
    """An address is often copied from another tool."""
    assert trouble("postgresql+asyncpg://u:hunter2@127.0.0.1:1/d?nonsense=hunter2").code is Code.DATABASE_REFUSED


def test_a_file_needs_a_folder(tmp_path: Path) -> None:
    """SQLite says no more than that it cannot open it."""
    check_database(SecretStr(f"sqlite+aiosqlite:///{tmp_path}/prefect.db"))

    assert trouble(f"sqlite+aiosqlite:///{tmp_path}/none/prefect.db").code is Code.DATABASE_REFUSED
