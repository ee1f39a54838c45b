"""The database of a Prefect server, made once for all servers of the tests."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock

from deployments.ci.prefect_process import copy_database, server
from tests.fakes.ports import free_port


@contextmanager
def migrated_server(home: Path, session: Path, **variables: str) -> Iterator[str]:
    """Run a server on a database that one process of the session has migrated for all: it takes most of a start."""
    migrated = session / "migrated"
    with ExitStack() as running:
        with FileLock(session / "migrated.lock"):
            if migrated.exists():
                copy_database(migrated, home)
            api = running.enter_context(server(home, free_port(), **variables))
            if not migrated.exists():
                copy_database(home, migrated)
        yield api
