"""The units and the compose file name what the code has: modules, ports, variables; and they keep the doors shut."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.cli import app
from deployments.prefect_server.server_settings import REDIS_ADDRESS, REDIS_MODULES
from deployments.stack.environment import server_environment
from deployments.stack.ports import DEFAULTS, MONITORING, SERVER
from deployments.stack.state_dir import REPOSITORY, StateDir
from tasks.settings import RunbookSettings

SYSTEMD = REPOSITORY / "deployments" / "systemd"
CONTAINERS = REPOSITORY / "deployments" / "containers"
UNITS = sorted(SYSTEMD.glob("*.service"))
EXAMPLES = sorted([*SYSTEMD.glob("*.env.example"), *CONTAINERS.glob("*.env.example")])
COMPOSE: dict[str, Any] = yaml.safe_load((CONTAINERS / "compose.yaml").read_text("utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if name not in {"postgres", "redis"}}
BINARIES = "/opt/runbook/.venv/bin/"


def unit(path: Path) -> dict[str, list[str]]:
    """Read a unit: each key with all its values."""
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", "[")):
            found.setdefault(key, []).append(value)
    return found


def variables(path: Path) -> dict[str, str]:
    """Read an example of an environment file, with what is commented out."""
    lines = [line.removeprefix("#") for line in path.read_text("utf-8").splitlines()]
    pairs = [line.partition("=") for line in lines if re.match(r"[A-Z][A-Z0-9_]*=", line)]
    return {name: value.strip("'") for name, _, value in pairs}


@pytest.mark.parametrize("path", UNITS, ids=lambda one: one.name)
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_no_fault_in_a_unit(path: Path, tmp_path: Path) -> None:
    """A misspelled key is ignored by systemd with a line in a log that nobody reads."""
    text = path.read_text("utf-8").replace(f"{BINARIES}runbook", "/bin/true").replace(f"{BINARIES}python", "/bin/true")
    (tmp_path / path.name).write_text(text, "utf-8")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / path.name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert [line for line in checked.stderr.splitlines() if path.name in line] == []
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("path", UNITS, ids=lambda one: one.name)
def test_a_unit_starts_what_is_there_with_its_secrets_from_a_file(path: Path) -> None:
    """Its command names a module or a command of ours, and no password stands where everybody reads it."""
    found = unit(path)
    (command,) = found["ExecStart"]
    words = shlex.split(command.removeprefix(BINARIES))

    assert command.startswith(BINARIES)
    assert (words[0] == "runbook" and words[1] in app) or (words[:2] == ["python", "-m"] and find_spec(words[2]))
    assert found["EnvironmentFile"][0].startswith("/etc/runbook/")
    assert found["Restart"] == ["always"]
    assert found["RestartPreventExitStatus"] == ["2"]
    assert found["NoNewPrivileges"] == ["yes"]
    assert "User" in found


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell script")
def test_a_command_at_a_hosts_prompt_means_what_its_worker_means(tmp_path: Path) -> None:
    """`runbook mode observe` without the worker's state directory would set a switch that no run reads."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, does in {
        "id": '[ "$1" = -u ] && echo 0 || echo 4711',
        "systemctl": '[ "$2" = --property=User ] && echo trading || echo PREFECT_HOME=/srv/home RUNBOOK_STATE_DIR=/x',
        "getent": "echo trading:x:4711:4711::/srv/trading:/bin/sh",
        "setpriv": 'printf "%s\\n" "$HOME" "$PREFECT_HOME" "$RUNBOOK_STATE_DIR" "$SECRET" "$QUOTED" "$@"',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    # What a shell would take apart, or run.
    secret = "run:book &touch x; $HOME `id` (1)"
    (tmp_path / "worker.env").write_text(f'# ours\n\nSECRET={secret}\nQUOTED="a b"\n;RUNBOOK_STATE_DIR=no')
    script = tmp_path / "runbook"
    script.write_text((SYSTEMD / "runbook").read_text("utf-8").replace("/etc/runbook/", f"{tmp_path}/"))

    said = subprocess.run(
        ["sh", str(script), "mode", "observe"],
        env={"PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.splitlines() == [
        *("/srv/trading", "/srv/home", "/x", secret, "a b"),
        *("--reuid=trading", "--regid=4711", "--init-groups", f"{BINARIES}runbook", "mode", "observe"),
    ]


@pytest.mark.parametrize("path", sorted(SYSTEMD.glob("runbook-*.service")), ids=lambda one: one.name)
def test_the_variables_of_a_host_are_those_of_its_units(path: Path) -> None:
    """Where they stand twice they must say the same."""
    given = dict(word.split("=", 1) for line in unit(path).get("Environment", []) for word in line.split())
    wanted = variables(SYSTEMD / "worker.env.example")

    for name in {"RUNBOOK_CONFIG", "RUNBOOK_STATE_DIR"} & given.keys():
        assert given[name].replace("%S", "/var/lib") == wanted[name]


def test_the_worker_that_stops_takes_no_service_along() -> None:
    """A service that a run restarted is in the worker's control group; an upgrade of the worker must not end it."""
    worker = unit(SYSTEMD / "runbook-worker.service")

    assert worker["KillMode"] == ["process"]
    assert worker["OOMPolicy"] == ["continue"]
    assert int(worker["TimeoutStopSec"][0]) > RunbookSettings.model_fields["worker_drain_s"].default + 10


def test_the_server_unit_listens_on_loopback() -> None:
    """Whoever reaches Prefect can pause trading."""
    (command,) = unit(SYSTEMD / "runbook-prefect.service")["ExecStart"]

    assert command.split()[-2:] == ["127.0.0.1", str(DEFAULTS[SERVER])]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda one: one.name)
def test_an_example_names_known_variables_and_holds_no_secret(path: Path) -> None:
    """It is copied, and what nobody knows would stop the worker or be ignored by Prefect."""
    found = variables(path)
    ours = {name.split("__")[0] for name in found if name.startswith("RUNBOOK_")}

    assert found
    assert ours <= {f"RUNBOOK_{name.upper()}" for name in RunbookSettings.model_fields}
    assert "CHANGE_ME" in found["PREFECT_API_AUTH_STRING"]


def test_every_server_keeps_what_the_stack_keeps_and_asks_for_a_password(tmp_path: Path) -> None:
    """Retention that one of the ways forgot fills a disk; a password that one forgot opens the desk."""
    wanted = {
        name: value
        for name, value in server_environment(StateDir(tmp_path), DEFAULTS).items()
        if "_DB_VACUUM_" in name or "_EVENTS_" in name
    }
    example = variables(SYSTEMD / "prefect.env.example")
    server = COMPOSE["services"]["prefect-server"]["environment"]

    assert wanted
    assert {name: example.get(name) for name in wanted} == wanted
    assert {name: server.get(name) for name in wanted} == wanted
    for path in (SYSTEMD / "prefect.env.example", CONTAINERS / "runbook.env.example"):
        assert variables(path)["PREFECT_SERVER_API_AUTH_STRING"] == variables(path)["PREFECT_API_AUTH_STRING"]


def test_redis_is_named_for_all_that_servers_share() -> None:
    """One module left in memory, and two servers fire the same automation twice."""
    server = COMPOSE["services"]["prefect-server"]["environment"]

    assert {name: server.get(name) for name in REDIS_MODULES} == REDIS_MODULES
    shared = (REDIS_ADDRESS, "PREFECT_SERVER_DOCKET_URL")
    assert all(server[name].startswith("redis://redis:") for name in shared)
    assert {*REDIS_MODULES, *shared} <= variables(SYSTEMD / "prefect.env.example").keys()


@pytest.mark.parametrize("name", OURS)
def test_a_container_starts_what_is_there_with_no_right_that_it_does_not_need(name: str) -> None:
    """Its command names a module or a command of ours, on a file system that it cannot write."""
    one = OURS[name]
    words = one["command"]

    assert (words[0] == "runbook" and words[1] in app) or (words[:2] == ["python", "-m"] and find_spec(words[2]))
    assert one["read_only"]
    assert one["cap_drop"] == ["ALL"]
    assert one["env_file"] == ["runbook.env"]


def test_what_a_container_publishes_is_for_this_machine_alone() -> None:
    """A published port passes by most firewalls."""
    published = [port for one in COMPOSE["services"].values() for port in one.get("ports", [])]

    assert sorted(published) == [f"127.0.0.1:{DEFAULTS[one]}:{DEFAULTS[one]}" for one in (SERVER, MONITORING)]


def test_the_image_copies_what_is_there() -> None:
    """A folder that was renamed is found here, not in a build on another machine."""
    lines = (CONTAINERS / "Dockerfile").read_text("utf-8").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]

    assert {"flows", "tasks", "deployments", "order_service", "prefect.yaml", "requirements/lock.txt"} <= set(copied)
    assert all((REPOSITORY / one).exists() for one in copied)
    build = OURS["worker"]["build"]
    assert (CONTAINERS / build["context"] / build["dockerfile"]).resolve() == CONTAINERS / "Dockerfile"


@pytest.mark.skipif(os.name != "posix", reason="docker compose is asked on POSIX alone")
def test_docker_compose_reads_the_file_where_there_is_one(tmp_path: Path) -> None:
    """Its own reading is the one that counts."""
    if shutil.which("docker") is None or _compose("version", folder=tmp_path).returncode != 0:
        pytest.skip("docker compose is not installed")
    for file in ("compose.yaml", "Dockerfile"):
        shutil.copy(CONTAINERS / file, tmp_path / file)
    shutil.copy(CONTAINERS / "runbook.env.example", tmp_path / "runbook.env")
    read = _compose("--env-file", "runbook.env", "-f", "compose.yaml", "config", "--quiet", folder=tmp_path)

    assert read.returncode == 0, read.stderr


def _compose(*words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = ["docker", "compose", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
