"""A private Redis for tests: real, on this machine, on a port of its own, with a password, gone afterwards.

    with redis_server() as redis:
        redis.url  # redis://:PASSWORD@127.0.0.1:PORT/0

`no_redis()` gives the reason why there can be none here, or None.
"""

import importlib.util
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.polling import eventually

START_WITHIN_S = 20.0
STOP_WITHIN_S = 10.0


@dataclass(frozen=True)
class Redis:
    """One running server."""

    port: int
    password: str

    @property
    def url(self) -> str:
        """Its address, as Prefect takes it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def held_keys(self) -> set[str]:
        """Name every key that it holds."""
        from redis import Redis as Client  # noqa: PLC0415

        with Client.from_url(self.url, decode_responses=True) as client:
            return set(client.keys("*"))


def no_redis() -> str | None:
    """Say why no Redis can be started here, or nothing could talk to it."""
    if not shutil.which("redis-server"):
        return "Redis is not installed (Debian: redis-server)"
    return None if importlib.util.find_spec("prefect_redis") else "the extra `redis` is not installed"


@contextmanager
def redis_server() -> Iterator[Redis]:
    """Start a server of this test alone, and end it by its pid."""
    folder = Path(tempfile.mkdtemp(prefix="runbook-redis-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    redis = Redis(port, secrets.token_hex(8))
    lines = (
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {redis.password}",
        'save ""',
        "appendonly no",
        f"dir {folder}",
    )
    (folder / "redis.conf").write_text("\n".join(lines) + "\n", "utf-8")
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen(
            ["redis-server", str(folder / "redis.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        eventually(lambda: _listens(port), within_s=START_WITHIN_S, every_s=0.05)
        yield redis
    finally:
        server.terminate()
        try:
            server.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
