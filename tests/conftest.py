"""What all tests share: a Prefect server a session for the few that run a flow, one stack for those that need all."""

import gc
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from deployments.ci.prefect_process import KEEPS_RUNS_ALONE
from deployments.stack.interrupts import hear_interrupts
from tests.fakes.prefect.prefect_process import migrated_server
from tests.fakes.sharing import Together, end_what_is_over, sort
from tests.fakes.stack.local_stack import Stack
from tests.fakes.stack.postgres import Cluster, missing, postgres
from tests.fakes.stack.redis_server import Redis, no_redis, redis_server


def pytest_configure(config: pytest.Config) -> None:
    """Keep Prefect off a person's own home, and from starting a server where a test has forgotten to give it one.

    What a script started in the background is deaf to Ctrl-C, and so would be all that the tests start and stop.
    """
    hear_interrupts()
    # How long an example takes on a busy machine proves nothing.
    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")
    # Nothing of what is imported is ever garbage; to look through it again and again takes a third of the collection.
    gc.disable()
    home = tempfile.TemporaryDirectory(prefix="prefect-home-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    os.environ.update(
        PREFECT_HOME=home.name, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="false", PREFECT_LOGGING_LEVEL="ERROR"
    )


def pytest_collection_finish() -> None:
    """Collect garbage again, but for what was imported."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the Prefect server is outside the fast part."""
    for item in items:
        if {"prefect_api", "quiet_api"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.prefect)
    sort(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    """Keep together what shares a server or a stack, where a scope is asked for."""
    return Together(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Free the machine of what only earlier tests have used."""
    yield
    end_what_is_over(item, nextitem)


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Put the environment back as it was: a command that is called here sets variables for what it would start."""
    kept = dict(os.environ)
    yield
    # pytest itself counts on this one.
    kept["PYTEST_CURRENT_TEST"] = os.environ.get("PYTEST_CURRENT_TEST", "")
    if os.environ != kept:
        os.environ.clear()
        os.environ.update(kept)


@pytest.fixture(scope="session")
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name a folder that outlives a session, where there is one."""
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    return cache.mkdir("trading-runbook") if cache else tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="session")
def prefect_api(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Prefect server of this session alone, on a database of its own."""
    with _of_this_session(kept, tmp_path_factory) as api:
        yield api


@pytest.fixture(scope="session")
def quiet_api(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start one that keeps what flows tell it, and does nothing of its own."""
    with _of_this_session(kept, tmp_path_factory, **KEEPS_RUNS_ALONE) as api:
        yield api


@contextmanager
def _of_this_session(kept: Path, folders: pytest.TempPathFactory, **variables: str) -> Iterator[str]:
    from deployments.warm.prefect_internals import make_ready  # noqa: PLC0415 - few tests need Prefect, and it takes seconds

    # Runs begin as the warm worker's do.
    make_ready()
    with migrated_server(folders.mktemp("prefect"), kept, **variables) as api:
        yield api
        say_what_is_left()


def say_what_is_left() -> None:
    """Send what the flows here have to say while their server lives: at exit, each sender tries for a minute."""
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    EventsWorker.drain_all(timeout=10, at_exit=False)
    APILogWorker.drain_all(timeout=10, at_exit=False)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Bring the whole stack up once, on free ports, in a folder of its own; tests leave it as they found it."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    started = running.up()
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield running
    finally:
        stopped = running.run("down")
        assert stopped.returncode == 0, stopped.stderr


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start a PostgreSQL of this session alone; without one on the machine the test skips, and says why."""
    if reason := missing():
        pytest.skip(reason)
    with postgres() as running:
        yield running


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """Start a Redis of this session alone; without one on the machine the test skips, and says why."""
    if reason := no_redis():
        pytest.skip(reason)
    with redis_server() as running:
        yield running


@pytest.fixture
def prefect(quiet_api: str) -> Iterator[str]:
    """Let the flows of one test run against the session's server."""
    from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_LEVEL, temporary_settings  # noqa: PLC0415

    with temporary_settings({PREFECT_API_URL: quiet_api, PREFECT_LOGGING_LEVEL: "ERROR"}):
        yield quiet_api
