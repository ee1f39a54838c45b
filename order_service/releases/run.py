"""Running a release's own code: to check itself, to read a routing table, to serve."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NoReturn

from order_service.releases.manifest import verify
from order_service.releases.store import ReleaseCode, ReleaseError, ReleaseStore

_CHECK_TIMEOUT_S = 30
_READ_TABLE = """
import pathlib, sys, tomllib
try:
    from order_service.routing.table import parse_table
except ModuleNotFoundError:  # a release from before the routing folder
    from order_service.routing import parse_table
raw = pathlib.Path(sys.argv[1]).read_bytes()
gateways = tomllib.loads(raw.decode()).get("gateways", {})
parse_table(raw, frozenset(gateways if isinstance(gateways, dict) else ()))
"""


def environment_of(release: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(release / "code")}


def ask_release(release: Path) -> None:
    """Let a release check itself.

    Errors: ReleaseError with what the release said last.
    """
    fault = _fault(release, ["-m", "order_service.releases", "check", "--release", str(release)])
    if fault:
        raise _broken(release.name, fault)


def ask_release_of_table(release: Path, table: Path) -> None:
    """Let a release read a routing table that it was not shipped with, in its own code.

    Errors: ReleaseError with what the release said last. An older release knows no command for it, so it is given one.
    """
    fault = _fault(release, ["-c", _READ_TABLE, str(table)])
    if fault:
        raise ReleaseError(
            ReleaseCode.LIVE_TABLE_REFUSED,
            f"expected release {release.name} to take the live routing table {table}, was: {fault}; "
            "nothing was changed; name --with-shipped-table to install the table that it was shipped with",
        )


def _fault(release: Path, words: list[str]) -> str | None:
    """Say what a release wrote last when a command of its own code failed."""
    command, code, env = [sys.executable, *words], release / "code", environment_of(release)
    try:
        result = subprocess.run(
            command, cwd=code, env=env, capture_output=True, text=True, timeout=_CHECK_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {_CHECK_TIMEOUT_S} s"
    if result.returncode != 0:
        return (result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1]
    return None


def check(release: Path) -> None:
    """Check the release that this very code belongs to.

    Errors: SyntaxError, or what the release's own routing module raises.
    """
    for path in sorted((release / "code").rglob("*.py")):
        compile(path.read_bytes(), str(path), "exec")
    from order_service.routing.table import parse_table  # noqa: PLC0415 - must come after the code is known to compile

    raw = (release / "config" / "routing.toml").read_bytes()
    parse_table(raw, frozenset(_named_gateways(raw)))


def _named_gateways(raw: bytes) -> set[str]:
    """Name the table's own gateways: their addresses belong to the place, not to the release."""
    gateways = tomllib.loads(raw.decode()).get("gateways", {})
    return set(gateways) if isinstance(gateways, dict) else set()


def _broken(version: str, was: str) -> ReleaseError:
    return ReleaseError(
        ReleaseCode.RELEASE_BROKEN,
        f"expected release {version} to compile and to take its own routing table, was: {was}; nothing was changed",
    )


_PATHS = ("STATE_DIR", "ROUTING_FILE", "GATEWAYS_FILE", "CONTROL_TOKEN_FILE", "INCIDENTS_FILE", "LOG_FILE", "PID_FILE")
_DEFAULT_STATE_DIR = "var/order-service"


def run(store: ReleaseStore) -> int:
    """Become the current release's service, or wait for it where a process cannot become another.

    Errors: ReleaseError when the current release is missing or not as it was built.
    """
    release = store.current_path()
    verify(release)
    command = [sys.executable, "-m", "order_service"]
    environment = service_environment(release, Path.cwd())
    if sys.platform == "win32":
        return subprocess.run(command, cwd=release / "code", env=environment, check=False).returncode
    return _become(command, release / "code", environment)


def _become(command: list[str], directory: Path, environment: dict[str, str]) -> NoReturn:
    os.chdir(directory)
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


def service_environment(release: Path, started_in: Path) -> dict[str, str]:
    """Give the service's environment; relative paths mean the directory it was started in, not the release's."""
    environment = environment_of(release)
    environment.setdefault("ORDER_SERVICE_STATE_DIR", _DEFAULT_STATE_DIR)
    for name in (f"ORDER_SERVICE_{path}" for path in _PATHS):
        if environment.get(name):
            environment[name] = str(started_in / environment[name])
    environment["ORDER_SERVICE_RELEASE"] = release.name
    return environment
