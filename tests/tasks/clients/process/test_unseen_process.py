"""A process that we may not see: blind, and never dead."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.clients.process.probe import process_check
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.settings import ServiceSettings
from tests.fakes.service.monitored_service import Patient, running, watched

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and users")]


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    """A running healthy stub."""
    with running(tmp_path) as one:
        yield one


def look_at(service: ServiceSettings) -> ProcessCheck:
    """Look at its process."""
    return asyncio.run(process_check(service))


@pytest.mark.parametrize("pattern", [None, r"order_service\.stub"])
def test_a_service_of_another_user_is_blind_and_never_dead(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, pattern: str | None
) -> None:
    """ "Nobody listens" would start a second service beside the one that trades."""
    service = ServiceSettings.model_validate(
        {**patient.service.model_dump(exclude_defaults=True), "process_pattern": pattern}
    )
    monkeypatch.setattr("tasks.clients.process.listeners._sockets_of", lambda _: iter(()))
    monkeypatch.setattr("tasks.clients.process.ownership.may_signal", lambda _: False)

    seen = look_at(service)

    assert seen.state is ProcessState.BLIND
    assert "another user" in seen.detail


def test_a_process_that_the_system_hides_is_blind_and_never_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `hidepid` another user's process is in no list; its number is taken all the same."""
    (tmp_path / "service.pid").write_text("2147000000\n")
    service = watched(tmp_path, process_pattern=None, pid_file=tmp_path / "service.pid").service
    assert look_at(service).state is ProcessState.DEAD

    def kill(_pid: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)

    assert look_at(service).state is ProcessState.BLIND


@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can become another user")
def test_another_user_sees_that_the_service_is_there(patient: Patient) -> None:
    """The automation under the wrong account said: dead, nobody listens."""
    ask = (
        "import os, sys; sys.path[:] = sys.argv[2:]\n"
        "from tasks.settings import ServiceSettings\n"
        "from tasks.clients.process.probe import find_process\n"
        "service = ServiceSettings(base_url=sys.argv[1])\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "print(find_process(service).state)"
    )
    command = [sys.executable, "-c", ask, patient.service.url, *sys.path]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert told.stdout.strip() == "blind", told.stderr
