"""Restarting by a service's own commands: they are asked, and what they did is looked at."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.clients.process.probe import process_check, service_identity
from tasks.clients.process.processes import identify
from tasks.clients.process.supervisors.base import supervisor_of
from tasks.clients.service.readiness import answers_health
from tasks.model.diagnosis.limits import RestartLimits
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.verdicts import GuardCode
from tasks.settings import ServiceSettings
from tests.fakes.polling import eventually
from tests.fakes.service.monitored_service import Patient, answers, end, listens, running, watched

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.name != "posix", reason="the commands of these tests send POSIX signals"),
]
RESTART = RestartLimits(drain_timeout_s=0.6, kill_timeout_s=2.0, start_timeout_s=10.0)
START = """
import subprocess, sys
process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
open(sys.argv[1], "w").write(str(process.pid))
print("started")
"""
STOP = "import os, signal, sys\nprint('stopping')\nos.kill(int(open(sys.argv[1]).read()), signal.SIGTERM)"
STATE = """
import psutil, sys
try:
    state = psutil.Process(int(sys.argv[1])).status()
except psutil.NoSuchProcess:
    state = "gone"
open(sys.argv[2], "w").write(state)
"""
SAY = "import sys\nprint(sys.argv[1])\nsys.exit(int(sys.argv[2]))"


def says(text: str, code: int) -> tuple[str, ...]:
    """A command that does nothing but say something and end with a code."""
    return (sys.executable, "-c", SAY, text, str(code))


def commanded(folder: Path, **changes: object) -> Patient:
    """A service that commands of its own start and stop, by a pid file."""
    plain = watched(folder)
    pid_file = str(folder / "service.pid")
    facts = {
        **plain.service.model_dump(exclude_defaults=True),
        "supervisor": "command",
        "start_command": (sys.executable, "-c", START, pid_file, *plain.service.start_command),
        "stop_command": (sys.executable, "-c", STOP, pid_file),
        "pid_file": pid_file,
        "restart": RESTART,
        **changes,
    }
    return Patient(settings=plain.settings, service=ServiceSettings.model_validate(facts))


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is nobody's patient."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    """A running service under commands of its own."""
    one = commanded(tmp_path)
    identity = supervisor_of(one.service).start(lambda: answers_health(one.service))
    assert identity
    one.pid = identity.pid
    yield one
    end(one)


async def test_its_own_commands_stop_and_start_the_service(patient: Patient) -> None:
    """Whatever a desk uses: runit, supervisord, a container engine, a script."""
    supervisor = supervisor_of(patient.service)
    told = supervisor.stop(await process_check(patient.service))
    new = supervisor.start(lambda: answers_health(patient.service))

    assert told == f"pid={patient.pid} ended"
    assert new
    assert new.pid != patient.pid
    assert new == service_identity(patient.service)
    answers(patient)


async def test_a_stop_that_claims_to_have_worked_is_not_believed(patient: Patient) -> None:
    """A restart that leaves the hung process in place would be reported as done: it is killed, by its identity."""
    liar = patient.service.model_copy(update={"stop_command": says("stopped", 0)})

    supervisor_of(liar).stop(await process_check(liar))

    assert identify(patient.pid or 0) is None


async def test_a_stopped_process_is_dead_before_its_supervisor_is_asked(patient: Patient, tmp_path: Path) -> None:
    """Some supervisors continue what they ask to end; the orders that waited in it would go out minutes late."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)
    note = str(tmp_path / "state")
    asked = patient.service.model_copy(update={"stop_command": (sys.executable, "-c", STATE, str(patient.pid), note)})
    supervisor_of(asked).stop(await process_check(asked))

    assert (tmp_path / "state").read_text() in {"zombie", "gone"}


async def test_a_stop_that_hangs_is_ended_and_the_process_killed(patient: Patient) -> None:
    """A supervisor that waits for a hung service for ever must not hold the repair."""
    hanging = patient.service.model_copy(
        update={"stop_command": (sys.executable, "-c", "import time; time.sleep(600)")}
    )

    supervisor_of(hanging).stop(await process_check(hanging))

    assert identify(patient.pid or 0) is None


async def test_a_stop_that_fails_goes_to_a_person_with_what_it_said(patient: Patient) -> None:
    """The process lives, and its supervisor was not told: killing it would only have it started again."""
    failing = patient.service.model_copy(update={"stop_command": says("unknown program group", 2)})

    with pytest.raises(CannotAct, match="unknown program group") as caught:
        supervisor_of(failing).stop(await process_check(failing))

    assert caught.value.code is Code.STOP_FAILED
    answers(patient)


async def test_without_a_process_of_the_service_no_stop_command_is_run(
    tmp_path: Path, stranger: "subprocess.Popen[bytes]"
) -> None:
    """The pid file names a stranger by now, and the command goes by the file."""
    (tmp_path / "service.pid").write_text(str(stranger.pid))
    one = commanded(tmp_path)
    look = await process_check(one.service)
    told = supervisor_of(one.service).stop(look)

    assert look.state is ProcessState.NOT_OURS
    assert told == "nothing was left to end"
    assert stranger.poll() is None


def test_a_start_that_fails_tells_what_the_command_and_the_status_say(tmp_path: Path) -> None:
    """The person paged reads why."""
    changes = {"start_command": says("no such image", 3), "status_command": says("orders FATAL", 4)}
    one = commanded(tmp_path, **changes)

    with pytest.raises(
        CannotAct, match=r"exit_code=3; last lines: no such image; status_command .*orders FATAL"
    ) as caught:
        supervisor_of(one.service).start(lambda: False)

    assert caught.value.code is Code.START_FAILED


def test_a_command_that_ends_well_without_a_service_is_not_ready(tmp_path: Path) -> None:
    """A start counts when the service answers."""
    short = RESTART.model_copy(update={"start_timeout_s": 0.5})
    one = commanded(tmp_path, start_command=says("started", 0), restart=short)

    with pytest.raises(CannotAct) as caught:
        supervisor_of(one.service).start(lambda: answers_health(one.service))

    assert caught.value.code is Code.NOT_READY


def test_what_a_start_writes_goes_to_its_log(tmp_path: Path) -> None:
    """The log is evidence, kept with the rest."""
    one = commanded(tmp_path, start_command=says("no such image", 3), start_log=tmp_path / "logs" / "start.log")

    with pytest.raises(CannotAct):
        supervisor_of(one.service).start(lambda: False)

    assert (tmp_path / "logs" / "start.log").read_text() == "no such image\n"


def test_the_owner_of_a_taken_port_is_left_alone(tmp_path: Path) -> None:
    """The start command is not even run: it may clear the port in its own way."""
    with running(tmp_path / "other") as other:
        one = commanded(tmp_path, base_url=other.service.url, start_command=says("x", 0))
        with pytest.raises(NothingDone) as caught:
            supervisor_of(one.service).start(lambda: True)

        assert caught.value.code is Code.PORT_TAKEN
        answers(other)


@pytest.mark.parametrize(
    ("status", "stopped"),
    [(says("orders STOPPED", 3), True), (says("orders RUNNING", 0), False), (("no-such",), False)],
)
async def test_a_service_on_another_host_has_stopped_when_its_status_says_so(
    tmp_path: Path, status: tuple[str, ...], stopped: bool
) -> None:
    """Its process is not to be seen from here; nobody starts a second one beside it on a guess."""
    changes = {"base_url": "http://192.0.2.1:8600", "stop_command": says("ok", 0), "status_command": status}
    service = commanded(tmp_path, **changes).service
    look = await process_check(service)

    if stopped:
        assert "status_command with 3" in supervisor_of(service).stop(look)
        return
    with pytest.raises(CannotAct) as caught:
        supervisor_of(service).stop(look)
    assert caught.value.code is Code.STILL_ALIVE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"start_command": ("no-such-program-here",)}, "correct start_command"),
        ({"stop_command": ("no-such-program-here",)}, "correct stop_command"),
        ({"status_command": ("no-such-program-here",)}, "correct status_command"),
        ({"base_url": "http://192.0.2.1:8600"}, "set status_command"),
        ({"base_url": "http://192.0.2.1:8600", "status_command": says("x", 0)}, None),
    ],
)
def test_whether_the_commands_could_be_run_is_asked_first(
    tmp_path: Path, changes: dict[str, object], said: str | None
) -> None:
    """A service that cannot be started again is not stopped."""
    verdict = supervisor_of(commanded(tmp_path, **changes).service).available()

    assert verdict.code is (GuardCode.NOT_AVAILABLE if said else GuardCode.ALLOWED)
    assert said is None or said in verdict.detail


def test_a_start_command_may_be_the_service_itself(tmp_path: Path) -> None:
    """A command that does not end is no failure once the service answers."""
    one = commanded(tmp_path)
    itself = one.service.start_command[4:]
    one.service = one.service.model_copy(update={"start_command": itself})
    try:
        supervisor_of(one.service).start(lambda: listens(one.service.port))
        eventually(lambda: answers_health(one.service))
    finally:
        end(one)
