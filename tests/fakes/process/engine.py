"""`docker`, `kubectl` and `supervisorctl` for tests: each answers as it was recorded to, and really runs one process.

Installed under a name of these it is that program; FAKE_ENGINE names the folder of its one unit, where calls are kept.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

# As a program it is called many times in a test, so it imports nothing that takes long.
if TYPE_CHECKING:
    import pytest

FOLDER = "FAKE_ENGINE"
NAMES = ("docker", "kubectl", "supervisorctl")


def install(folder: Path, patch: "pytest.MonkeyPatch", command: Sequence[str]) -> None:
    """Put all three on PATH before any other, with one unit that runs this command."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name in NAMES:
        text = f'#!/bin/sh\n{FOLDER}="{folder}" exec "{sys.executable}" -I -S "{Path(__file__)}" {name} "$@"\n'
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    write(folder, command=list(command), pid=0)


def write(folder: Path, **changes: Any) -> None:
    """Change the unit; `unreachable` breaks the way to the engine, `lies` lets it do nothing and say done."""
    before = read(folder) if (folder / "unit.json").exists() else {}
    (folder / "unit.json").write_text(json.dumps({**before, **changes}))


def read(folder: Path) -> dict[str, Any]:
    """Read the unit as it is."""
    found: dict[str, Any] = json.loads((folder / "unit.json").read_text())
    return found


def calls(folder: Path) -> list[list[str]]:
    """Every call, in order."""
    path = folder / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def is_alive(pid: int) -> bool:
    """Say whether its process lives."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(pid) and shown.stdout.strip()[:1] not in {"", "Z"}


def start(folder: Path) -> None:
    """Start the process, unless it lives."""
    unit = read(folder)
    if is_alive(unit["pid"]) or unit.get("lies"):
        return
    nowhere = subprocess.DEVNULL
    new = subprocess.Popen(unit["command"], stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
    write(folder, pid=new.pid)


def stop(folder: Path) -> None:
    """End the process: ask it, then kill it, as all three do."""
    unit = read(folder)
    if not is_alive(unit["pid"]) or unit.get("lies"):
        return
    os.kill(unit["pid"], signal.SIGTERM)
    ends_at = time.monotonic() + 0.5
    while is_alive(unit["pid"]) and time.monotonic() < ends_at:
        time.sleep(0.05)
    if is_alive(unit["pid"]):
        os.kill(unit["pid"], signal.SIGKILL)
    while is_alive(unit["pid"]):
        time.sleep(0.01)


def restart(folder: Path) -> None:
    """Replace the process."""
    stop(folder)
    start(folder)


def docker(folder: Path, words: list[str]) -> int:
    """Answer as Docker 27."""
    verb, name = words[0], words[-1]
    if read(folder).get("unreachable"):
        sys.stderr.write(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
        )
        return 1
    if name != "oms":
        sys.stderr.write(f"Error response from daemon: No such container: {name}\n")
        return 1
    if verb == "inspect":
        assert words[1:3] == ["--format", "{{.State.Status}}"]
        print("running" if is_alive(read(folder)["pid"]) else "exited")
        return 0
    {"start": start, "stop": stop, "restart": restart}[verb](folder)
    print(name)
    return 0


def kubectl(folder: Path, words: list[str]) -> int:
    """Answer as kubectl 1.31."""
    if read(folder).get("unreachable"):
        sys.stderr.write("Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout\n")
        return 1
    assert words[:3] == ["--namespace", "desk", "rollout"]
    if words[4] != "deployment/oms":
        sys.stderr.write(f'Error from server (NotFound): deployments.apps "{words[4]}" not found\n')
        return 1
    if words[3] == "restart":
        restart(folder)
        print("deployment.apps/oms restarted")
        return 0
    assert words[3:] == ["status", "deployment/oms", "--watch=false"]
    if is_alive(read(folder)["pid"]):
        print('deployment "oms" successfully rolled out')
    else:
        print('Waiting for deployment "oms" rollout to finish: 0 of 1 updated replicas are available...')
    return 0


def supervisorctl(folder: Path, words: list[str]) -> int:
    """Answer as Supervisor 4.2: `status` ends with 3 for a program that does not run."""
    verb, name = words
    if read(folder).get("unreachable"):
        print("unix:///run/supervisor.sock no such file")
        return 4
    if name != "orders":
        print(f"{name}: ERROR (no such process)")
        return 4
    if verb == "status":
        pid = read(folder)["pid"]
        alive = is_alive(pid)
        print(f"orders    RUNNING   pid {pid}, uptime 0:00:05" if alive else "orders    EXITED    Nov 30 08:01 PM")
        return 0 if alive else 3
    {"start": start, "stop": stop, "restart": restart}[verb](folder)
    print(f"orders: {verb}ed")
    return 0


def main(name: str, words: list[str]) -> int:
    """Be one of the three, for one call."""
    folder = Path(os.environ[FOLDER])
    with (folder / "calls").open("a") as kept:
        kept.write(json.dumps([name, *words]) + "\n")
    return {"docker": docker, "kubectl": kubectl, "supervisorctl": supervisorctl}[name](folder, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
