"""Looking at the process: ours, stopped, dead, and never somebody else's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tasks.clients.process.probe import process_check, service_identity
from tasks.clients.process.processes import identify, is_running, process_name, read_pid, terminate
from tasks.model.probes.processes import ProcessIdentity, ProcessState
from tests.fakes.polling import eventually
from tests.fakes.service.monitored_service import Patient, running, watched

pytestmark = pytest.mark.live

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

MOTHER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(600)
"""


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


async def test_a_running_service_shows_its_numbers(patient: Patient) -> None:
    """The on-call engineer asks for pid, memory, CPU, descriptors, threads and age."""
    look = await process_check(patient.service)

    assert look.state is ProcessState.RUNNING
    assert look.pid == patient.pid
    assert look.listens
    assert look.memory_bytes
    assert look.threads_count
    assert look.cpu_time_s is not None
    assert look.started_at


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux lets a process choose any bytes for its name")
def test_a_process_whose_name_is_no_text_is_named_all_the_same(bystander: "subprocess.Popen[bytes]") -> None:
    """Whoever squats on the port chose it; the incident must still be written, and told."""
    script = "import sys, time; open('/proc/self/comm', 'wb').write(b'sq\\xffuat'); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    try:
        assert process.stdout
        process.stdout.readline()
        assert process_name(psutil.Process(process.pid)) == "sq?uat"
    finally:
        process.kill()
        process.communicate()
    assert process_name(psutil.Process(bystander.pid)).startswith("python")


@POSIX
async def test_a_stopped_service_is_alive_and_stopped(patient: Patient) -> None:
    """SIGSTOP leaves the port open; only the state tells."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)

    assert (await process_check(patient.service)).state is ProcessState.STOPPED


@POSIX
async def test_a_killed_service_is_dead_even_before_its_parent_reaps_it(patient: Patient) -> None:
    """A zombie holds a pid and nothing else."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGKILL)
    eventually(lambda: identify(patient.pid or 0) is None)

    assert (await process_check(patient.service)).state is ProcessState.DEAD


async def test_a_pid_file_that_names_somebody_else_is_not_believed(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    """Pids are reused after a crash; a stranger is never signalled."""
    (tmp_path / "service.pid").write_text(f"{bystander.pid}\n")
    service = watched(tmp_path, pid_file=tmp_path / "service.pid").service

    assert (await process_check(service)).state is ProcessState.NOT_OURS
    assert service_identity(service) is None


async def test_without_a_pattern_a_stranger_in_the_pid_file_is_not_believed_either(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    """Where nothing else is known, ours is who listens on the service's port."""
    (tmp_path / "service.pid").write_text(f"{bystander.pid}\n")
    service = watched(tmp_path, pid_file=tmp_path / "service.pid", process_pattern=None).service

    assert (await process_check(service)).state is ProcessState.NOT_OURS


async def test_a_wrong_pid_file_does_not_hide_the_service_that_listens(
    patient: Patient, bystander: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """The port tells who serves, whatever an old file says."""
    (tmp_path / "service.pid").write_text(f"{bystander.pid}\n")
    service = patient.service.model_copy(update={"pid_file": tmp_path / "service.pid"})

    assert (await process_check(service)).pid == patient.pid


async def test_a_port_held_by_a_stranger_is_named(tmp_path: Path, patient: Patient) -> None:
    """A restart could not take the port, and who holds it is what the platform team asks."""
    other = patient.service.model_copy(update={"process_pattern": watched(tmp_path).service.process_pattern})

    look = await process_check(other)

    assert look.state is ProcessState.DEAD
    assert look.port_owner_pid == patient.pid


async def test_a_service_on_another_host_is_blind(tmp_path: Path) -> None:
    """We cannot see a remote process, and say so."""
    service = watched(tmp_path, base_url="http://192.0.2.1:8600").service

    assert (await process_check(service)).state is ProcessState.BLIND


async def test_the_like_service_of_another_stack_is_not_ours(patient: Patient, tmp_path: Path) -> None:
    """A copied state directory names its neighbor's pid; the neighbor trades and is never signalled."""
    (tmp_path / "service.pid").write_text(f"{patient.pid}\n")
    changes = {"pid_file": tmp_path / "service.pid", "process_pattern": r"order_service\.stub"}

    look = await process_check(watched(tmp_path, **changes).service)

    assert look.state is ProcessState.NOT_OURS


@pytest.mark.parametrize("content", ["", "no pid", "-1", "0", "99999999999999", "\x00", "12.5"])
def test_a_garbled_pid_file_names_nobody(tmp_path: Path, content: str) -> None:
    """A garbled file is no reason to signal anything."""
    path = tmp_path / "service.pid"
    path.write_text(content)

    assert read_pid(path) is None


@POSIX
def test_ending_a_process_ends_its_children_too(tmp_path: Path) -> None:
    """A service that forked workers must not leave them on the port."""
    note = tmp_path / "child"
    parent = subprocess.Popen([sys.executable, "-c", MOTHER, str(note)])
    eventually(lambda: note.exists() and note.read_text())
    mother, child = identify(parent.pid), identify(int(note.read_text()))
    assert mother
    assert child

    assert terminate(mother, grace_s=0.2)

    assert not is_running(mother)
    assert not is_running(child)
    parent.wait()


def test_a_reused_pid_is_another_process(bystander: subprocess.Popen[bytes]) -> None:
    """A pid alone is not an identity."""
    identity = identify(bystander.pid)
    assert identity

    older = identity.model_copy(update={"created_at_s": identity.created_at_s - 60})

    assert not is_running(older)
    assert terminate(older, grace_s=0)
    assert is_running(identity)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux counts from the boot, too")
def test_a_clock_that_was_set_makes_nobody_another(
    bystander: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the boot, and with it every start time since the epoch, is set with the clock."""
    known, created_at_s = identify(bystander.pid), psutil.Process(bystander.pid).create_time()
    assert known
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: created_at_s + 3600)

    assert is_running(known)
    assert identify(bystander.pid) == known
    assert not is_running(known.model_copy(update={"boot": "another boot"}))


def test_a_process_that_was_written_down_without_its_boot_is_known_by_its_start(
    bystander: "subprocess.Popen[bytes]",
) -> None:
    """By an earlier version, or on a machine that names no boots."""
    created_at_s = psutil.Process(bystander.pid).create_time()

    assert is_running(ProcessIdentity(pid=bystander.pid, created_at_s=created_at_s))
    assert not is_running(ProcessIdentity(pid=bystander.pid, created_at_s=created_at_s - 60))
