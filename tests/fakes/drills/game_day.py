"""A game day on the real stack: break something from outside, run a triage, read what was done, heal it again."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deployments.commands.triage import follow, start
from deployments.prefect_api.client import PrefectDoor
from tasks.clients.evidence.history import history_path
from tests.fakes.drills.drill_story import NAME, DrillStory
from tests.fakes.drills.order_load import SYMBOLS, OrderLoad, doubled, lost, put, told_otherwise, unproven
from tests.fakes.polling import eventually
from tests.fakes.stack.local_stack import REPOSITORY, Stack

GOOD_RELEASE = "1.0.0"
PAUSED = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
AUTOMATIC = ("PENDING", "RUNNING")
EVENTS = ("the service reports an incident", "the service is silent")
# Drills prove a recovery in seconds, close at the first good run, and trade at any hour of the week. What one drill did
# to a gateway does not make the next one's incident an old one again.
QUICK = """
[services.order-service.restart]
confirm_for_s = 2
confirm_timeout_s = 25

[services.order-service.limits]
memory_limit_bytes = 805306368
close_good_count = 1
close_good_s = 0

[services.order-service.escalation]
flapping_window_s = 0

[services.order-service.calendars]
equity = "24/7"
future = "24/7"
fx = "24/7"
crypto = "24/7"
"""


@dataclass
class GameDay(DrillStory):
    """One stack under drill; `before` are the incidents that were there when the drill began."""

    stack: Stack = field(kw_only=True)

    def begin(self) -> None:
        """Take the session's stack: settings for drills, healthy, and no run but those that a drill starts itself."""
        make_quick(self.stack)
        self.stack.wait_for_triage()
        self.leave_alone(alone=True)
        if not self.is_quiet():
            self.heal()
        self.settle()
        self.before, self.began_at = {one.incident_id for one in self.incidents()}, datetime.now(UTC)

    def settle(self) -> None:
        """Forget what the checks saw so far, and see what runs now well, as if it had run so for long.

        Steps: else the drills before would be this one's past hour, and their failures its usual ones.
        """
        history_path(self.whole, NAME).unlink(missing_ok=True)
        self.triage()

    # What is done.

    def triage(self) -> None:
        """Run one triage by hand, to its end."""
        run = follow(PrefectDoor(self.api), start(PrefectDoor(self.api), {"service": NAME}), quiet=True)
        assert run["state"]["type"] == "COMPLETED", run["state"]

    def plan_that_waits(self, **asked: str) -> str:
        """Start a triage, and wait until its plan waits for a person; gives the triage's id."""
        run_id = start(PrefectDoor(self.api), {"service": NAME, **asked})
        eventually(lambda: self.ask_api("flow_runs/filter", PAUSED), within_s=120, every_s=0.5)
        return run_id

    def triage_until(self, holds: Callable[[], object], within_s: float = 120.0) -> None:
        """Run triages one after the other until something shows, as the minute's own runs would in more time."""

        def shows() -> object:
            self.triage()
            return holds()

        eventually(shows, within_s=within_s)

    def leave_alone(self, *, alone: bool) -> None:
        """Stop the minute's own runs and those of the service's events, so that a drill is judged by its own.

        Steps: a run that works already is waited for.
        """
        found = self.ask_api("deployments/name/triage/every-minute")
        self.ask_api(f"deployments/{found['id']}/{'pause' if alone else 'resume'}_deployment", {})
        for one in self.ask_api("automations/filter", {}):
            if one["name"] in EVENTS:
                assert put(f"{self.api}/automations/{one['id']}", {"enabled": not alone}, method="PATCH") == 204
        assert self.ask_api(f"deployments/{found['id']}")["paused"] is alone
        working = {"flows": {"name": {"any_": ["triage"]}}, "flow_runs": {"state": {"type": {"any_": AUTOMATIC}}}}
        if alone:
            eventually(lambda: not self.ask_api("flow_runs/filter", working), within_s=150, every_s=0.5)

    def kill(self, pid: int) -> None:
        """Kill a process and wait until it is gone."""
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), within_s=10, every_s=0.05)

    @contextmanager
    def fault(self, gateway: str, **switch: Any) -> Iterator[None]:
        """Break a gateway for as long as the block takes."""
        admin_url = self.settings.gateways[gateway].admin_url
        self.put(f"{admin_url}faults", switch)
        try:
            yield
        finally:
            self.put(f"{admin_url}faults", {"fault": "none"})

    @contextmanager
    def stopped(self, pid: int) -> Iterator[None]:
        """Stop a process for as long as the block takes; it may be gone at its end."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def put(self, url: str, body: dict[str, Any]) -> None:
        """Set a switch over HTTP."""
        token = self.settings.control_token
        assert put(url, body, token=token.get_secret_value() if token else "") == 200

    def resume(self, *asset_classes: str) -> None:
        """Let classes trade again where their table leads them, as a person does after a pause."""
        for name in asset_classes or SYMBOLS:
            self.put(f"{self.base_url}/control/trading/{name}", {"state": "active", "reason": "drill over"})
            self.put(f"{self.base_url}/control/routes/{name}", {"gateway": None, "reason": "drill over"})

    def unmark(self, *gateways: str) -> None:
        """Take the marks off gateways, as a person does once they are well."""
        for name in gateways:
            self.put(f"{self.base_url}/control/gateways/{name}", {"state": "enabled", "reason": "drill over"})

    # Releases.

    def releases(self, *words: str) -> str:
        """Run one command of the releases."""
        command = [sys.executable, "-m", "order_service.releases", words[0], "--root", str(self.root), *words[1:]]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def root(self) -> Path:
        """Where the releases lie."""
        return self.state_dir / "releases"

    def deploy(self, version: str, *fault: str) -> None:
        """Build a release, make it current, and start it as a deploy does: stop, start."""
        if version not in {one["version"] for one in json.loads(self.releases("list", "--json"))["releases"]}:
            self.releases("build", version, *fault)
        self.releases("deploy", version, "--by", "drill", "--reason", "a drill")
        self.restart()

    def known_good(self, version: str) -> bool:
        """Say whether a release is known to be good by its own record."""
        rows = json.loads(self.releases("list", "--json"))["releases"]
        return any(one["version"] == version and one["known_good"] for one in rows)

    def deploy_ill(self, version: str, fault: str) -> None:
        """Deploy a release that is well until `break_release` lets its fault begin."""
        self.deploy(version, "--fault", fault, "--on-signal")
        eventually(self.is_well, within_s=30, every_s=0.5)

    def break_release(self) -> int:
        """Let the fault of the running drill release begin, and give its pid."""
        pid = self.pid()
        os.kill(pid, signal.SIGUSR2)
        return pid

    def restart(self) -> None:
        """Stop the service in order, or at last by force, and start it again, as a person would."""
        pid = self.running_pid()
        if pid is not None:
            stop(pid)
        self.up()

    def up(self) -> None:
        """Start whatever part does not run."""
        done = self.stack.run("up", "--detach")
        assert done.returncode == 0, done.stdout + done.stderr

    def reload(self) -> None:
        """Let the service take the table on disk."""
        os.kill(self.pid(), signal.SIGHUP)

    # Orders.

    @contextmanager
    def trading(self, per_s: float = 8.0) -> Iterator[OrderLoad]:
        """Send real orders during the block; none may be lost or doubled, and each must be proven afterwards."""
        load = OrderLoad(self.base_url, per_s)
        with load.running():
            yield load
        self.audit(load)

    def audit(self, load: OrderLoad) -> None:
        """Prove that every order has an outcome, that none was sent twice, and that none is missing on either side.

        Steps: a gateway that was killed is started first: it keeps its book, and only it knows what it received.
        """
        self.revive()
        eventually(lambda: not unproven(load), within_s=60, every_s=0.5)
        assert doubled(load, self.admin_urls) == []
        assert lost(load, self.admin_urls) == []
        assert told_otherwise(load, self.admin_urls) == []

    def revive(self) -> None:
        """Start what was killed."""
        if not self.answers():
            self.up()

    def fills(self, load: OrderLoad, *asset_classes: str) -> None:
        """Wait until real orders of these classes fill, of all where none is named."""
        for name in asset_classes or SYMBOLS:
            eventually(lambda name=name: load.send(name) == "filled", within_s=40, every_s=0.2)

    # Afterwards.

    def heal(self) -> None:
        """Undo what the drill and the automation did, and wait until everything is healthy and no incident is open."""
        for admin_url in self.admin_urls:
            put(f"{admin_url}/faults", {"fault": "none"})
        if (pid := self.running_pid()) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.revive()
        if self.release() != GOOD_RELEASE:
            self.deploy(GOOD_RELEASE)
        self.resume()
        self.unmark(*self.settings.gateways)
        assert self.stack.run("mode", "act").returncode == 0
        assert self.stack.run("rearm", "--reason", "drill over").returncode == 0
        eventually(self._heals, within_s=150, every_s=1)

    def _heals(self) -> bool:
        if self.is_quiet():
            return True
        if self.is_well():
            self.triage()
        return self.is_quiet()


def stop(pid: int) -> None:
    """End a process: ask it, also one that is stopped, and kill it where it does not hear."""
    for number, within_s in ((signal.SIGTERM, 15), (signal.SIGKILL, 10)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)
        with suppress(AssertionError):
            eventually(lambda: not is_alive(pid), within_s=within_s, every_s=0.1)
            return
    raise AssertionError(f"pid={pid} does not end")


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def make_quick(stack: Stack) -> None:
    """Let drills prove, close and trade as they need it; the stack's own tables of the same names give way."""
    path = stack.state_dir / "runbook.toml"
    text = path.read_text("utf-8")
    if QUICK not in text:
        named = {line for line in QUICK.splitlines() if line.startswith("[")}
        first, *tables = re.split(r"\n(?=\[)", text)
        kept = [table for table in (first, *tables) if table.splitlines()[:1] and table.splitlines()[0] not in named]
        path.write_text("\n".join(kept) + "\n" + QUICK, "utf-8")
