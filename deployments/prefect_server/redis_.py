"""Ask a Redis, before anything is started, whether Prefect's server can use it: one line instead of a log."""

import importlib.util
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from tasks.model.errors import CannotAct, Code

TIMEOUT_S = 5.0
# Prefect takes over the events of a server that died with XAUTOCLAIM.
LEAST_VERSION = (6, 2)
WHERE = "--redis-url or RUNBOOK_REDIS_URL"


def check_redis(secret: SecretStr) -> None:
    """Connect once and ask for its version.

    Errors: `NOT_CONFIGURED` without the extra, `REDIS_UNREACHABLE` when nothing answers, `REDIS_REFUSED` when it does
    and is of no use; none shows the password.
    """
    if importlib.util.find_spec("prefect_redis") is None:
        todo = "`pip install 'trading-runbook[redis]'`"
        raise CannotAct(Code.NOT_CONFIGURED, f"expected the package prefect-redis was missing; {todo}")
    parts = urlsplit(secret.get_secret_value())
    place = f"host={parts.hostname} port={parts.port or 6379}"
    version = _version(secret.get_secret_value(), place)
    if tuple(int(one) for one in version.split(".")[:2]) < LEAST_VERSION:
        raise CannotAct(Code.REDIS_REFUSED, f"expected Redis 6.2 or newer was {version} {place}; upgrade it")


def _version(url: str, place: str) -> str:
    # Only who names a Redis waits for this import, and has the package.
    import redis  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    client = redis.Redis.from_url(url, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S)
    try:
        found: Any = client.info("server")
        return str(found["redis_version"])
    except redis.exceptions.AuthenticationError:
        raise CannotAct(
            Code.REDIS_REFUSED, f"expected to be let in was refused {place}; correct user and password in {WHERE}"
        ) from None
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError):
        raise CannotAct(
            Code.REDIS_UNREACHABLE,
            f"expected Redis to answer was silent {place}; start it, or correct {WHERE}",
            retryable=True,
        ) from None
    except redis.exceptions.RedisError as error:
        found = type(error).__name__
        raise CannotAct(Code.REDIS_REFUSED, f"expected an answer was {found} {place}; see its log") from None
    finally:
        client.close()
