"""Running the current release: its code, not ours, under the pid that was started."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from order_service.releases.check import environment_of
from order_service.releases.manifest import verify
from order_service.releases.store import ReleaseStore

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
