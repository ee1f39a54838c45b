"""Before a stack starts, its Redis is asked: each trouble is one line that says what to do, without the password."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from deployments.prefect_server.redis_ import check_redis
from deployments.prefect_server.server_settings import ServerSettings
from deployments.stack.environment import server_environment
from deployments.stack.ports import DEFAULTS
from deployments.stack.state_dir import StateDir
from tasks.model.errors import Code, RunbookError
from tests.fakes.ports import free_port
from tests.fakes.stack.redis_server import Redis, no_redis

HAS_PACKAGE = pytest.mark.skipif(no_redis() is not None, reason=no_redis() or "")


def trouble(url: str) -> RunbookError:
    """Check a Redis that is of no use, and give what was said."""
    with pytest.raises(RunbookError) as caught:
        check_redis(SecretStr(url))
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    return caught.value


def test_a_redis_that_lets_us_in_is_fine(redis: Redis) -> None:
    """The usual case says nothing."""
    check_redis(SecretStr(redis.url))


def test_a_wrong_password_is_told_apart_from_nobody_on_the_port(redis: Redis) -> None:
    """One is for whoever types, the other for whoever runs it."""
    assert trouble(redis.url.replace(redis.password, "hunter2")).code is Code.REDIS_REFUSED
    assert trouble(f"redis://127.0.0.1:{redis.port}/0").code is Code.REDIS_REFUSED
    assert trouble(f"redis://:hunter2@127.0.0.1:{free_port()}/0").code is Code.REDIS_UNREACHABLE


@pytest.mark.parametrize(
    "url", ["hunter2", "http://:hunter2@h", "redis://", "redis://:hunter2@h:0", "redis://h:hunter2"]
)
def test_a_wrong_address_is_one_line_before_anything_is_asked(url: str) -> None:
    """It is a typing mistake, and exit 2."""
    with pytest.raises(RunbookError) as caught:
        ServerSettings.asked(redis_url=url)

    assert caught.value.code is Code.BAD_SETTING
    assert "--redis-url or RUNBOOK_REDIS_URL" in caught.value.detail
    assert "hunter2" not in caught.value.detail


@HAS_PACKAGE
def test_prefect_knows_every_module_that_is_named_and_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that Prefect renamed would be ignored, and two servers would each fire the same automation."""
    from importlib import import_module  # noqa: PLC0415

    from prefect.settings.models.root import Settings  # noqa: PLC0415

    asked = ServerSettings.asked(redis_url="redis://:hunter2@127.0.0.1:6379/0")
    for name, value in server_environment(StateDir(tmp_path), DEFAULTS, asked).items():
        monkeypatch.setenv(name, value)
    server = Settings().server
    modules = {
        server.events.messaging_broker,
        server.events.messaging_cache,
        server.events.causal_ordering,
        server.concurrency.lease_storage,
        server.worker_channel.cleanup_queue_storage,
    }

    assert all(one.startswith("prefect_redis.") for one in modules)
    assert all(import_module(one) for one in modules)
    assert "hunter2" not in Settings().model_dump_json()
