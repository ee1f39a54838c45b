"""Source trees to build releases from, and the commands as a person types them."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import order_service
from order_service.releases.deploy import MoveRequest
from order_service.releases.store import ReleaseStore

PACKAGE = Path(order_service.__file__).parent
# Stands in for the service where a test needs to see which code runs and where.
_TELLS_WHO_IT_IS = """
import os
print("{marker}", os.getpid(), os.environ["ORDER_SERVICE_RELEASE"], os.environ["ORDER_SERVICE_STATE_DIR"], __file__)
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A root of releases beside the sources they come from."""

    base: Path

    @property
    def store(self) -> ReleaseStore:
        """Give the releases."""
        return ReleaseStore(self.base / "releases")

    @property
    def live(self) -> Path:
        """Give the live routing table."""
        return self.base / "state" / "routing.toml"

    @property
    def request(self) -> MoveRequest:
        """Give a request as the desk would make it."""
        return MoveRequest("desk", "drill", self.live)

    def source(self, marker: str) -> Path:
        """Copy the package as it is, with a main module and a table that carry a marker."""
        package = self.base / f"source-{marker}" / "order_service"
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "gateway_simulator", "stub"))
        (package / "__main__.py").write_text(f'"""A marked service."""{_TELLS_WHO_IT_IS.format(marker=marker)}')
        table = package / "config" / "routing.toml"
        table.write_text(f"# {marker}\n{table.read_text()}")
        return package

    def command(self, *words: str) -> list[str]:
        """Give a release command on this root."""
        return [sys.executable, "-m", "order_service.releases", *words, "--root", str(self.store.root)]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a release command to its end, in the directory of this tree."""
        command = self.command(*words)
        return subprocess.run(command, cwd=self.base, capture_output=True, text=True, timeout=30, check=False)
