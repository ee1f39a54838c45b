"""The database of a Prefect server, made once for all servers of the tests."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from deployments.ci.prefect_process import copy_database, server
from tests.fakes.ports import free_port


def migrated_in(kept: Path) -> Path:
    """Name the database that a server of this Prefect has migrated, as the plugin for CI does."""
    return kept / f"prefect-{version('prefect')}"


@contextmanager
def migrated_server(home: Path, kept: Path, **variables: str) -> Iterator[str]:
    """Run a server on a database that an earlier one has migrated: that takes most of a start."""
    migrated = migrated_in(kept)
    with ExitStack() as running:
        with FileLock(kept / "migrating.lock"):
            if migrated.exists():
                copy_database(migrated, home)
            api = running.enter_context(server(home, free_port(), **variables))
            if not migrated.exists():
                # Whole or not at all, whenever the tests are ended.
                making = kept / f".{migrated.name}-{os.getpid()}"
                copy_database(home, making)
                making.rename(migrated)
        yield api
