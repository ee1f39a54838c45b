"""A `systemctl` for tests: it answers as systemd 252 was recorded to answer, and really starts and ends its one unit.

Run as a program it is `systemctl`; its variable FAKE_SYSTEMD names the folder of its unit, where each call is kept.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# As a program it is called many times in a test, so it imports nothing that takes long.
if TYPE_CHECKING:
    import pytest

FOLDER = "FAKE_SYSTEMD"
UNIT = "orders.service"


@dataclass
class Unit:
    """The one unit that this systemd knows, and how it misbehaves."""

    command: Sequence[str] = ()
    pid: int = 0
    failed: bool = False
    broken_start: bool = False
    ignores_stop: bool = False
    ignores_kill: bool = False
    denies: bool = False
    no_bus: bool = False
    continued: bool = False
    triggered_by: str = ""

    @property
    def alive(self) -> bool:
        """Say whether its main process lives."""
        shown = subprocess.run(["ps", "-o", "stat=", "-p", str(self.pid)], capture_output=True, text=True, check=False)
        return shown.stdout.strip()[:1] not in {"", "Z"}


def install(folder: Path, patch: "pytest.MonkeyPatch", unit: Unit) -> None:
    """Put it on PATH before any other, with this unit."""
    program = folder / "bin" / "systemctl"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n{FOLDER}="{folder}" exec "{sys.executable}" -I -S "{Path(__file__)}" "$@"\n')
    program.chmod(0o755)
    patch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    write(folder, unit)


def write(folder: Path, unit: Unit) -> None:
    """Keep the unit as it is."""
    (folder / "unit.json").write_text(json.dumps(asdict(unit)))


def read(folder: Path) -> Unit:
    """Read the unit as it is."""
    return Unit(**json.loads((folder / "unit.json").read_text()))


def calls(folder: Path) -> list[list[str]]:
    """Every call that changed something or could have, in order, without its options."""
    lines = (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []
    words = [[word for word in json.loads(line) if not word.startswith("--")] for line in lines]
    return [one for one in words if one[0] not in {"show", "status"}]


def main(words: list[str]) -> int:
    """Do what one call asks."""
    folder = Path(os.environ[FOLDER])
    with (folder / "calls").open("a") as kept:
        kept.write(json.dumps(words) + "\n")
    assert {"--no-pager", "--no-ask-password"} <= set(words)
    verb, *_, name = [word for word in words if not word.startswith("--")]
    unit = read(folder)
    if unit.no_bus:
        sys.stderr.write("System has not been booted with systemd as init system (PID 1). Can't operate.\n")
        return 1
    if verb == "show":
        return show(unit, name)
    if name != UNIT:
        sys.stderr.write(f"Failed to {verb} {name}: Unit {name} not found.\n")
        return 5
    if unit.denies and verb != "status":
        sys.stderr.write(f"Failed to {verb} {name}: Interactive authentication required.\n")
        return 1
    code = {"start": start, "stop": stop, "kill": kill, "status": status, "reset-failed": reset}[verb](unit)
    write(folder, unit)
    return code


def show(unit: Unit, name: str) -> int:
    """Tell the properties, in the order that systemd gives them."""
    state = ("active", "running") if unit.alive else ("failed", "failed") if unit.failed else ("inactive", "dead")
    loaded = "loaded" if name == UNIT else "not-found"
    pid = unit.pid if unit.alive else 0
    print(f"MainPID={pid}\nResult=success\nLoadState={loaded}\nActiveState={state[0]}\nSubState={state[1]}")
    print(f"TriggeredBy={unit.triggered_by}")
    return 0


def start(unit: Unit) -> int:
    """Start the main process in a session of its own."""
    if unit.broken_start:
        unit.failed = True
        return 0
    nowhere = subprocess.DEVNULL
    unit.pid = subprocess.Popen(unit.command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True).pid
    unit.failed = False
    return 0


def stop(unit: Unit) -> int:
    """Ask it to end; a stopped process is continued, as systemd does."""
    if not unit.ignores_stop and unit.alive:
        os.kill(unit.pid, signal.SIGTERM)
        os.kill(unit.pid, signal.SIGCONT)
        unit.continued = True
    return 0


def kill(unit: Unit) -> int:
    """End it."""
    if not unit.ignores_kill and unit.alive:
        os.kill(unit.pid, signal.SIGKILL)
    return 0


def status(unit: Unit) -> int:
    """Tell of it, with its last line."""
    print(f"● {UNIT}\n     Active: {'active' if unit.alive else 'failed'}\norders-server: bad configuration in line 7")
    return 0 if unit.alive else 3


def reset(unit: Unit) -> int:
    """Forget that it failed."""
    unit.failed = False
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
