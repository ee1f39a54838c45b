"""The guide's walk over one laptop, by its own commands: a foreign service hangs, and is restarted and proven."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.foreign.shops import SPRING, Shop, open_shop
from tests.house.source import REPOSITORY

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform == "win32", reason="the walk stops a process by a signal"),
]
GUIDE = (REPOSITORY / "docs" / "own-service.md").read_text("utf-8")
WALK = GUIDE.partition("## On one laptop")[2].partition("\n## ")[0].partition("\n### ")[0]


def commands(*containing: str) -> list[str]:
    """The commands of the first block of the guide that holds these words, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", WALK, re.DOTALL)
    block = next(one for one in blocks if all(word in one for word in containing))
    return [line.partition("  #")[0].strip() for line in block.splitlines() if line.strip()]


@dataclass
class Laptop:
    """A folder with a `runbook.toml`, and a shell in it."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def environment(self) -> dict[str, str]:
        """What a shell has there: the guide's port is one that nobody else has."""
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("RUNBOOK_", "PREFECT_"))}
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        return {**clean, "PATH": path, "PREFECT_HOME": str(self.folder / "prefect")}

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Type one command, and wait for its end."""
        words = shlex.split(command)
        return subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    @contextmanager
    def terminal(self, lines: list[str], name: str) -> Iterator[None]:
        """Type lines in a terminal of its own; the last one runs until it is ended by Ctrl-C."""
        text = " && ".join((*lines[:-1], f"exec {lines[-1]}")).replace("4200", str(self.port))
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", text], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    def incidents(self) -> list[dict[str, Any]]:
        """The incidents as the command shows them to programs."""
        found: list[dict[str, Any]] = json.loads(self.run("runbook incidents --json").stdout)
        return found

    def answers(self) -> bool:
        """Say whether the server of Prefect answers."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/api/health", timeout=2).status_code == 200
        return False


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A Spring service; whichever process of it is left at the end is ended, by its pid."""
    with open_shop(SPRING, tmp_path) as running:
        try:
            yield running
        finally:
            for process in psutil.process_iter(["cmdline"]):
                words = process.info["cmdline"] or []
                if "spring_oms.py" in " ".join(words) and str(running.port) in words:
                    process.kill()


def test_the_walk_over_one_laptop_ends_with_a_hang_that_was_restarted_and_proven(shop: Shop, tmp_path: Path) -> None:
    """Every command is the guide's; only the port of Prefect's server is another."""
    laptop = Laptop(tmp_path)
    (tmp_path / "runbook.toml").write_text(shop.description().replace('mode = "act"', 'mode = "observe"'), "utf-8")

    for command in commands("runbook check", "runbook plan"):
        done = laptop.run(command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    with laptop.terminal(commands("deployments.prefect_server"), "server"):
        eventually(laptop.answers, within_s=120, every_s=0.5)
        with laptop.terminal(commands("runbook worker"), "worker"):
            eventually((tmp_path / "var" / "looks" / "oms.finished").exists, within_s=300, every_s=1)
            assert "`runbook mode act`" in WALK
            assert laptop.run("runbook mode act").returncode == 0
            assert shop.process is not None
            shop.process.send_signal(signal.SIGSTOP)
            eventually(lambda: recovered(laptop), within_s=240, every_s=2)

    (incident,) = laptop.incidents()
    assert incident["causes"] == ["service_hung"]
    assert [(one["action"], one["outcome"]) for one in incident["actions"]] == [("restart_service", "recovered")]


def recovered(laptop: Laptop) -> bool:
    """Say whether an action was proven."""
    return any(one["outcome"] == "recovered" for incident in laptop.incidents() for one in incident["actions"])
