"""A private PostgreSQL for tests and benchmarks: real, on this machine, on a port of its own, gone afterwards.

    with postgres() as cluster, cluster.database() as url:
        ...  # url is postgresql+asyncpg://runbook:PASSWORD@127.0.0.1:PORT/NAME of a fresh, empty database

- `missing()` gives the reason why there can be none here, or None. `postgres()` raises `NoPostgres` with it.
- `postgres(durable=True)` leaves fsync on, as a benchmark must; tests turn it off, which saves a second a migration.
- `cluster.database()` makes a database and drops it at the end; any number at once. `cluster.port` and
  `cluster.password` are there for a test that wants a wrong one; `cluster.ask(sql)` runs one statement as the owner.
- Starting takes some 2 s (`initdb` most of it): one cluster a session, one database a test.
- It listens on 127.0.0.1 and on a socket in its own folder. Root becomes the user `postgres`: initdb refuses root.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.polling import eventually

OWNER = "runbook"
# Where Debian, Red Hat and Homebrew keep what they do not put on the path.
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
START_WITHIN_S = 30.0
STOP_WITHIN_S = 20.0


class NoPostgres(Exception):
    """There is no PostgreSQL here, and why."""


@dataclass(frozen=True)
class Cluster:
    """One running server."""

    programs: Path
    folder: Path
    port: int
    password: str

    def url(self, name: str) -> str:
        """Write the address of one database, as Prefect takes it."""
        return f"postgresql+asyncpg://{OWNER}:{self.password}@127.0.0.1:{self.port}/{name}"

    def ask(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the owner of everything, and give what it prints."""
        words = ("-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER)
        done = subprocess.run(
            [self.programs / "psql", *words, "-d", database, "-c", statement],
            env={**os.environ, "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{statement!r}: {done.stderr}")
        return done.stdout.strip()

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make a fresh database, give its URL, and drop it at the end whoever is still connected."""
        name = f"test_{secrets.token_hex(6)}"
        self.ask(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def missing() -> str | None:
    """Say why no PostgreSQL can be started here."""
    if sys.platform == "win32":
        return "the private PostgreSQL of the tests is for POSIX"
    return None if _programs() else "PostgreSQL is not installed (Debian: postgresql)"


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Cluster]:
    """Start a server of this session alone, and end it by its pid.

    Errors: `NoPostgres` with the reason.
    """
    programs, reason = _programs(), missing()
    if programs is None or reason:
        raise NoPostgres(reason)
    # Not in pytest's folders: those are closed to the user that root becomes.
    folder = Path(tempfile.mkdtemp(prefix="runbook-postgres-"))
    cluster = Cluster(programs, folder, _free_port(), secrets.token_hex(8))
    try:
        _make(cluster)
        server = _start(cluster, durable=durable)
        try:
            eventually(lambda: _accepts(cluster, server), within_s=START_WITHIN_S, every_s=0.05)
            yield cluster
        finally:
            _end(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    places = [path for place in PLACES for path in Path("/").glob(place.lstrip("/")) if (path / "initdb").exists()]
    return max(places, key=_version, default=None)


def _version(place: Path) -> list[int]:
    return [int(part) for part in place.parts[-2].split("-") if part.isdigit()]


def _user() -> str | None:
    return "postgres" if os.geteuid() == 0 else None


def _make(cluster: Cluster) -> None:
    word = cluster.folder / "password"
    word.write_text(cluster.password, "utf-8")
    if _user():
        shutil.chown(cluster.folder, user=_user())
        shutil.chown(word, user=_user())
    options = ("--username", OWNER, "--pwfile", str(word), "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync")
    made = subprocess.run(
        [cluster.programs / "initdb", "--pgdata", cluster.folder / "data", "--locale", "C.UTF-8", *options],
        user=_user(),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if made.returncode:
        raise NoPostgres(f"initdb failed: {made.stderr.strip()[-400:]}")


def _start(cluster: Cluster, *, durable: bool) -> "subprocess.Popen[bytes]":
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(cluster.port),
        "unix_socket_directories": str(cluster.folder),
        **({} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
    }
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (cluster.folder / "server.log").open("wb") as log:
        return subprocess.Popen(
            [cluster.programs / "postgres", "-D", cluster.folder / "data", *words],
            user=_user(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _accepts(cluster: Cluster, server: "subprocess.Popen[bytes]") -> bool:
    if server.poll() is not None:
        raise AssertionError((cluster.folder / "server.log").read_text("utf-8", errors="replace")[-2000:])
    words = ("-q", "-h", "127.0.0.1", "-p", str(cluster.port))
    return subprocess.run([cluster.programs / "pg_isready", *words], check=False).returncode == 0


def _end(server: "subprocess.Popen[bytes]") -> None:
    # SIGINT is PostgreSQL's fast shutdown: it asks no client, and leaves no shared memory behind.
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
