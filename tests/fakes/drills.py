"""A game day on the real stack: break something from outside, run a triage, read what was done, heal it again."""

import json
import os
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.local_stack import REPOSITORY, Stack
from tests.fakes.order_load import SYMBOLS, OrderLoad, doubled, lost, unproven
from tests.fakes.polling import eventually

NAME = "order-service"
GOOD_RELEASE = "1.0.0"
# Drills prove a recovery in seconds, close at the first good run, and trade at any hour of the week.
QUICK = """
[services.order-service.restart]
confirm_for_s = 2
confirm_timeout_s = 25

[services.order-service.limits]
close_good_count = 1
close_good_s = 0

[services.order-service.calendars]
equity = "24/7"
future = "24/7"
fx = "24/7"
crypto = "24/7"
"""


@dataclass
class GameDay:
    """One stack under drill; `before` are the incidents that were there when the drill began."""

    stack: Stack
    before: set[str] = field(default_factory=set)

    def begin(self) -> "GameDay":
        """Take a healthy armed stack and remember its incidents."""
        self.before = {one["incident_id"] for one in self.incidents()}
        return self

    # What is there.

    @property
    def settings(self) -> dict[str, Any]:
        """The watched service's table of the stack's settings."""
        text = (self.stack.state_dir / "runbook.toml").read_text("utf-8")
        table: dict[str, Any] = tomllib.loads(text)["services"][NAME]
        return table

    @property
    def base_url(self) -> str:
        """Where the order service answers."""
        return str(self.settings["base_url"])

    @property
    def admin_urls(self) -> list[str]:
        """The admin ports of all gateways."""
        return [one["admin_url"] for one in self.settings["gateways"].values()]

    def service(self) -> dict[str, Any]:
        """The order service as the status tells it."""
        found: dict[str, Any] = self.stack.status()["services"][NAME]
        return found

    def pid(self) -> int:
        """The order service's pid."""
        return int(self.service()["pid"])

    def gateway_pid(self, gateway: str) -> int:
        """A gateway's pid."""
        return int(self.stack.status()["gateways"][gateway]["pid"])

    def check(self) -> dict[str, Any]:
        """Look and name the cause, as monitoring would."""
        found: dict[str, Any] = json.loads(self.stack.run("check", "--json").stdout)
        return found

    def incidents(self) -> list[dict[str, Any]]:
        """Every incident of the ledger."""
        found: list[dict[str, Any]] = json.loads(self.stack.run("incidents", "--json").stdout)
        return found

    def new_incidents(self) -> list[dict[str, Any]]:
        """The incidents that this drill opened, or opened again."""
        return [one for one in self.incidents() if one["incident_id"] not in self.before]

    def actions(self) -> dict[str, str]:
        """What this drill's incidents were acted on with, and what it came to; the last end of each action."""
        return {one["action"]: one["outcome"] for found in self.new_incidents() for one in found["actions"]}

    def count(self, action: str) -> int:
        """How often an action was begun in this drill."""
        return sum(one["action"] == action for found in self.new_incidents() for one in found["actions"])

    def told(self, audience: str) -> list[str]:
        """What an audience heard of this drill."""
        lines = (self.stack.state_dir / "notifications.jsonl").read_text("utf-8").splitlines()
        ids = {one["incident_id"] for one in self.new_incidents()}
        return [
            one["text"] for one in map(json.loads, lines) if one["incident_id"] in ids and one["audience"] == audience
        ]

    def routing(self) -> dict[str, Any]:
        """The routing table as the service tells it."""
        with urllib.request.urlopen(f"{self.base_url}/routing", timeout=5) as answer:  # noqa: S310
            found: dict[str, Any] = json.loads(answer.read())
        return found

    # What is done.

    def triage(self) -> None:
        """Run one triage by hand, to its end."""
        done = self.stack.run("triage", "--json")
        assert done.returncode == 0, done.stdout + done.stderr

    def put(self, url: str, body: dict[str, Any]) -> None:
        """Set a switch over HTTP."""
        token = self.settings["control_token"]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PUT")  # noqa: S310
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            assert answer.status == 200

    @contextmanager
    def fault(self, gateway: str, **switch: Any) -> Iterator[None]:
        """Break a gateway for as long as the block takes."""
        admin_url = self.settings["gateways"][gateway]["admin_url"]
        self.put(f"{admin_url}/faults", switch)
        try:
            yield
        finally:
            self.put(f"{admin_url}/faults", {"fault": "none"})

    @contextmanager
    def stopped(self, pid: int) -> Iterator[None]:
        """Stop a process for as long as the block takes; it may be gone at its end."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def releases(self, *words: str) -> str:
        """Run one command of the releases."""
        command = [sys.executable, "-m", "order_service.releases", words[0], "--root", str(self.root), *words[1:]]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def root(self) -> str:
        """Where the releases lie."""
        return str(self.stack.state_dir / "releases")

    def deploy(self, version: str, *fault: str) -> None:
        """Build a release, make it current, and start it as a deploy does: stop, start."""
        if version not in {one["version"] for one in json.loads(self.releases("list", "--json"))["releases"]}:
            self.releases("build", version, *fault)
        self.releases("deploy", version, "--by", "drill", "--reason", "a drill")
        self.restart()

    def restart(self) -> None:
        """Stop the service in order and start it again, as a person would."""
        pid = self.service()["pid"]
        if pid:
            os.kill(pid, signal.SIGTERM)
            eventually(lambda: self.service()["pid"] != pid, within_s=20, every_s=0.2)
        assert self.stack.run("up", "--detach").returncode == 0

    def reload(self) -> None:
        """Let the service take the table on disk."""
        os.kill(self.pid(), signal.SIGHUP)

    @contextmanager
    def trading(self, per_s: float = 8.0) -> Iterator[OrderLoad]:
        """Send real orders during the block; none may be lost or doubled, and each must be proven afterwards."""
        load = OrderLoad(self.base_url, per_s)
        with load.running():
            yield load
        eventually(lambda: not unproven(load), within_s=40, every_s=0.5)
        assert doubled(load, self.admin_urls) == []
        assert lost(load, self.admin_urls) == []

    # Afterwards.

    def heal(self) -> None:
        """Undo what the drill and the automation did, and wait until all is well and no incident is open."""
        for admin_url in self.admin_urls:
            with suppress(OSError):
                self.put(f"{admin_url}/faults", {"fault": "none"})
        assert self.stack.run("up", "--detach").returncode == 0
        if self.service()["release"] != GOOD_RELEASE:
            self.deploy(GOOD_RELEASE)
        for asset_class in SYMBOLS:
            self.put(f"{self.base_url}/control/trading/{asset_class}", {"state": "active", "reason": "drill over"})
            self.put(f"{self.base_url}/control/routes/{asset_class}", {"gateway": None, "reason": "drill over"})
        for gateway in self.settings["gateways"]:
            self.put(f"{self.base_url}/control/gateways/{gateway}", {"state": "enabled", "reason": "drill over"})
        assert self.stack.run("rearm", "--reason", "drill over").returncode == 0
        eventually(self._is_quiet, within_s=120, every_s=1)

    def _is_quiet(self) -> bool:
        if self.check()["status"] != "ok":
            return False
        if all(one["closed_at"] for one in self.incidents()):
            return True
        self.triage()
        return False


def make_quick(stack: Stack) -> None:
    """Let drills prove, close and trade as they need it."""
    path = stack.state_dir / "runbook.toml"
    text = path.read_text("utf-8")
    if QUICK not in text:
        head = text.split("\n[services.order-service.restart]")[0]
        rest = text.split("\n[services.order-service.restart]")[1].split("\n[", 1)[1] if head != text else ""
        path.write_text(head + QUICK + (f"\n[{rest}" if rest else ""), "utf-8")
