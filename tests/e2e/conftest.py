"""What the tests on the session's stack begin with: a drill's quiet, the minute's own runs, or a stack not started."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from deployments.ci.prefect_process import copy_database
from tests.fakes.drills.game_day import GameDay
from tests.fakes.stack.local_stack import Stack


@pytest.fixture
def day(stack: Stack) -> Iterator[GameDay]:
    """Give the session's stack for one drill: healthy, armed, and watched by no run but the drill's own."""
    one = GameDay(stack.state_dir, stack=stack)
    try:
        one.begin()
        yield one
        one.heal()
    finally:
        one.leave_alone(alone=False)


@pytest.fixture
def live_day(stack: Stack) -> Iterator[GameDay]:
    """Give the session's stack healthy and armed, while its minute's own runs and those of its events go on."""
    one = GameDay(stack.state_dir, stack=stack)
    try:
        one.begin()
        one.leave_alone(alone=False)
        yield one
        one.heal()
    finally:
        one.leave_alone(alone=False)


@pytest.fixture
def empty(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack that nobody has started, its database migrated already; whatever a test starts in it is stopped."""
    unstarted = Stack(tmp_path_factory.mktemp("empty"))
    # Migrating a new database takes longer than all the rest of a start; one session does it once.
    home = unstarted.state_dir / "prefect"
    copy_database(stack.state_dir / "prefect", home)
    # The runs of the other one are not its own: its last triage would be one of theirs.
    with closing(sqlite3.connect(home / "prefect.db")) as database, database:
        database.execute("DELETE FROM flow_run")
    yield unstarted
    unstarted.run("down")
