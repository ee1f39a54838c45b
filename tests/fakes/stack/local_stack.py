"""A real stack in a folder of its own, driven by the real command as a person would drive it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from deployments.prefect_server.server_settings import kept
from deployments.stack.live_status import gather_status
from deployments.stack.local_http import with_login
from deployments.stack.ports import DEFAULTS, HOST
from deployments.stack.state_dir import StateDir
from tasks.clients.process.marks import marked
from tests.fakes.polling import eventually

REPOSITORY = Path(__file__).resolve().parents[3]
MARK = "TRADING_RUNBOOK_STACK"
UP_TIMEOUT_S = 150.0
# Between choosing free ports and listening on them, no other stack of these tests may do the same.
COMING_UP = FileLock(Path(tempfile.gettempdir()) / "runbook-stack-comes-up.lock", mode=0o666)


@dataclass(frozen=True)
class Stack:
    """One stack under one state directory."""

    state_dir: Path

    def command(self, *words: str) -> Sequence[str]:
        """Write one `runbook` command for this interpreter."""
        return [sys.executable, "-c", "from deployments.cli import main; main()", *words]

    def environment(self, **more: str) -> dict[str, str]:
        """Give the environment that points at this stack alone."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "PREFECT_"))}
        return {**kept, "RUNBOOK_STATE_DIR": str(self.state_dir), **more}

    def run(self, *words: str, timeout_s: float = UP_TIMEOUT_S, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run one command to its end."""
        with COMING_UP if words[:1] == ("up",) else nullcontext():
            return subprocess.run(
                self.command(*words),
                cwd=REPOSITORY,
                env=self.environment(**more),
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )

    def up(self) -> "subprocess.CompletedProcess[str]":
        """Start everything on ports that no other stack comes up on: one that is killed here frees its own."""
        with COMING_UP, _taken(DEFAULTS.values()):
            return self.run("up", "--detach")

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start one command and leave it running."""
        return subprocess.Popen(
            self.command(*words),
            cwd=REPOSITORY,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def status(self) -> dict[str, Any]:
        """Gather what `runbook status --json` prints, in this process: a poll of it would take half a core."""
        return gather_status(StateDir(self.state_dir.resolve()))

    def api(self) -> str:
        """Prefect's API of this stack, with the login that lets us in."""
        return with_login(self.status()["prefect"]["api_url"], login_of(self.state_dir))

    def mark(self) -> str:
        """Read the mark that every process of this stack carries."""
        return str(json.loads((self.state_dir / "stack.json").read_text("utf-8"))["mark"])

    def wait_for_triage(self, within_s: float = 90.0) -> dict[str, Any]:
        """Wait until a triage has finished, and give what it found."""
        found: list[dict[str, Any]] = []

        def finished() -> bool:
            found[:] = filter(None, [self.status()["triage"]["last"]])
            return bool(found)

        eventually(finished, within_s=within_s, every_s=0.5)
        return found[0]


def login_of(state_dir: Path) -> str:
    """Read what lets a person in to a stack's Prefect server."""
    found = kept(StateDir(state_dir)).server_auth
    assert found, "the stack's Prefect server is open"
    return found.get_secret_value()


@contextmanager
def _taken(ports: Iterable[int]) -> Iterator[None]:
    """Hold ports until the block ends; those that others hold are taken already."""
    with ExitStack() as held:
        for port in ports:
            one = held.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                one.bind((HOST, port))
                one.listen(1)
        yield


def nothing_carries(mark: str) -> bool:
    """Say whether no living process belongs to the stack of this mark."""
    return not marked(MARK, mark)
