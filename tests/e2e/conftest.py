"""One real stack for a session's tests, on free ports, in a folder of its own."""

from collections.abc import Iterator

import pytest

from tests.fakes.local_stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Bring the whole stack up once; tests share it and leave it as they found it."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    started = running.run("up", "--detach")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield running
    finally:
        stopped = running.run("down")
        assert stopped.returncode == 0, stopped.stderr


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack that nobody has started; whatever a test starts in it is stopped."""
    unstarted = Stack(tmp_path_factory.mktemp("empty"))
    yield unstarted
    unstarted.run("down")
