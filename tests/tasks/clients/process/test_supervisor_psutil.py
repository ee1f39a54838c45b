"""Restarting a process of our own making: what is never signalled, and what a start refuses."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tasks.clients.process.listeners import Listeners
from tasks.clients.process.probe import process_check
from tasks.clients.process.processes import identify, is_running
from tasks.clients.process.supervisors.base import Supervisor, supervisor_of
from tasks.clients.service.readiness import answers_health
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.model.remediation.verdicts import GuardCode
from tests.fakes.service.monitored_service import Patient, answers, end, running, watched

pytestmark = pytest.mark.live


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is nobody's patient."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    """A running healthy stub."""
    with running(tmp_path) as one:
        yield one


def look_at(pid: int, state: ProcessState = ProcessState.RUNNING) -> ProcessCheck:
    """A look that takes a process for the service's."""
    identity = identify(pid)
    assert identity
    return ProcessCheck(state=state, detail="", looked_at=datetime.now(UTC), pid=pid, known_as=identity)


def ready(supervisor: Supervisor, patient: Patient) -> None:
    """Start it and wait."""
    supervisor.start(lambda: answers_health(patient.service))


async def test_a_restart_replaces_the_process(patient: Patient) -> None:
    """The old one is gone before the new one comes: two at once would trade twice."""
    supervisor = supervisor_of(patient.service)
    old = (await process_check(patient.service)).identity
    assert old

    told = supervisor.stop(await process_check(patient.service))

    assert told == f"pid={old.pid} ended"
    assert not is_running(old)
    ready(supervisor, patient)
    answers(patient)


def test_a_process_that_is_not_surely_the_services_is_never_signalled(
    patient: Patient, bystander: subprocess.Popen[bytes]
) -> None:
    """The last moment before the signal: even a check that took a stranger for ours ends nobody."""
    with pytest.raises(NothingDone) as caught:
        supervisor_of(patient.service).stop(look_at(bystander.pid))

    assert caught.value.code is Code.NOT_OUR_PROCESS
    assert bystander.poll() is None


def test_a_pid_that_was_given_to_another_process_is_never_signalled(patient: Patient) -> None:
    """Between the check and the stop the service died, and its number went to somebody else."""
    assert patient.pid
    look = look_at(patient.pid)
    assert look.known_as
    before = look.known_as.model_copy(update={"created_at_s": look.known_as.created_at_s - 60})
    older = look.model_copy(update={"known_as": before})

    assert supervisor_of(patient.service).stop(older) == "nothing was left to end"
    answers(patient)


def test_a_process_that_nobody_could_see_is_not_stopped(patient: Patient) -> None:
    """Blind never acts."""
    blind = ProcessCheck(state=ProcessState.BLIND, detail="may not read pid=7", looked_at=datetime.now(UTC))

    with pytest.raises(NothingDone) as caught:
        supervisor_of(patient.service).stop(blind)

    assert caught.value.code is Code.PROCESS_UNREADABLE
    answers(patient)


async def test_a_pid_file_that_names_somebody_else_is_left_alone(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    """The service is gone, its file is not; a new one is started beside the stranger."""
    (tmp_path / "service.pid").write_text(f"{bystander.pid}\n")
    one = watched(tmp_path, pid_file=tmp_path / "service.pid")
    supervisor = supervisor_of(one.service)
    try:
        told = supervisor.stop(await process_check(one.service))
        ready(supervisor, one)
        answers(one)
    finally:
        end(one)

    assert told == "nothing was left to end"
    assert bystander.poll() is None


def test_the_owner_of_a_taken_port_is_named_and_left_alone(patient: Patient, tmp_path: Path) -> None:
    """The platform team asks who it is; a start never ends it."""
    other = watched(tmp_path / "other").service.model_copy(update={"base_url": patient.service.base_url})

    with pytest.raises(NothingDone) as caught:
        supervisor_of(other).start(lambda: True)

    assert caught.value.code is Code.PORT_TAKEN
    assert f"pid={patient.pid} name=" in caught.value.detail
    answers(patient)


def test_a_port_whose_owner_we_may_not_see_is_taken_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's process shows no pid; what answers on the port is there."""
    one = watched(tmp_path)
    monkeypatch.setattr("tasks.clients.process.supervisors.supervised.port_owner", lambda _: None)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", one.service.port))
        stranger.listen()
        with pytest.raises(NothingDone) as caught:
            supervisor_of(one.service).start(lambda: True)

    assert caught.value.code is Code.PORT_TAKEN


def test_a_port_that_a_hidden_process_holds_and_hangs_on_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes no connection any more; a second service would still not get its port."""
    one = watched(tmp_path)
    monkeypatch.setattr("tasks.clients.process.supervisors.supervised.port_owner", lambda _: None)
    monkeypatch.setattr(
        "tasks.clients.process.supervisors.supervised.listeners_on", lambda _: Listeners((), unseen=True)
    )

    with pytest.raises(NothingDone) as caught:
        supervisor_of(one.service).start(lambda: True)

    assert caught.value.code is Code.PORT_TAKEN


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"start_command": ()}, "no start_command"),
        ({"start_command": ("no-such-program-here",)}, "correct start_command"),
        ({"base_url": "http://192.0.2.1:8600"}, "another host"),
        ({}, None),
    ],
)
def test_a_service_that_could_not_be_started_again_is_not_available(
    tmp_path: Path, changes: dict[str, object], said: str | None
) -> None:
    """Asked before it is stopped: half a restart is an outage of our own making."""
    verdict = supervisor_of(watched(tmp_path, **changes).service).available()

    assert verdict.code is (GuardCode.NOT_AVAILABLE if said else GuardCode.ALLOWED)
    assert said is None or said in verdict.detail


@pytest.mark.parametrize(
    ("scenario", "code"), [("--no-such-option", Code.START_FAILED), ("hung", Code.NOT_READY)], ids=["ends", "silent"]
)
def test_a_start_that_fails_leaves_no_process_and_tells_the_last_lines(
    tmp_path: Path, scenario: str, code: Code
) -> None:
    """What is left over would hold the port against the person who repairs it."""
    one = watched(tmp_path, scenario)
    slow = one.service.restart.model_copy(update={"start_timeout_s": 1.5})
    supervisor = supervisor_of(one.service.model_copy(update={"restart": slow}))

    with pytest.raises(CannotAct, match="last lines: ") as caught:
        supervisor.start(lambda: answers_health(one.service))

    assert caught.value.code is code
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", one.service.port)) != 0


@pytest.mark.skipif(not hasattr(psutil.Process, "environ"), reason="the platform shows no environment")
def test_a_started_service_inherits_no_secret_of_the_automation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first start and every restart: the service could act as what watches it."""
    patient = watched(tmp_path, start_environment={"DESK": "equities"})
    for name in ("PREFECT_API_AUTH_STRING", "RUNBOOK_ALERT_TOKEN", "RUNBOOK_SLACK__BOT_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("ORDER_SERVICE_LOG_LEVEL", "info")
    try:
        patient.start()
        assert patient.pid
        seen = psutil.Process(patient.pid).environ()
    finally:
        end(patient)

    assert "hunter2" not in seen.values()
    assert not [name for name in seen if name.startswith(("PREFECT_", "RUNBOOK_"))]
    assert (seen["DESK"], seen["ORDER_SERVICE_LOG_LEVEL"]) == ("equities", "info")
