"""Who is signalled, with real processes: the service's own and nobody else's (safety rule 16)."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tasks.clients.process_look import find_process, process_look
from tasks.clients.processes import identify, is_running, own_line, send, terminate
from tasks.clients.supervisor import supervisor_of
from tasks.model.errors import Code, NothingDone
from tasks.model.processes import ProcessIdentity, ProcessLook, ProcessState
from tasks.settings import ServiceSettings
from tests.fakes.patient import Patient, running, watched
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and process groups")]

# A parent that holds a listening socket, as systemd does for a socket unit, and a child that serves on it.
HOLDER = """
import os, socket, sys, time
held = socket.socket(); held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
held.bind(("127.0.0.1", int(sys.argv[1]))); held.listen(64)
child = os.fork()
if child == 0:
    while True:
        client, _ = held.accept()
        client.recv(65536)
        client.sendall(b"HTTP/1.1 204 No Content\\r\\nConnection: close\\r\\n\\r\\n")
        client.close()
print(child, flush=True)
time.sleep(600)
"""
# A server with one worker that has taken a lot of memory, one that left for a session of its own, and one in its group.
FORKS = """
import os, socket, sys, time
def fork(work):
    pid = os.fork()
    if pid == 0:
        work()
        time.sleep(600)
    return pid
def fill():
    global kept
    kept = bytearray(os.urandom(1)) * (int(sys.argv[2]) * 1024 * 1024)
worker, daemon = fork(fill), fork(os.setsid)
held = socket.socket(); held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
held.bind(("127.0.0.1", int(sys.argv[1]))); held.listen(64)
print(worker, daemon, flush=True)
time.sleep(600)
"""


@contextmanager
def script(text: str, *arguments: str, leads: bool = True) -> Iterator[tuple[int, list[int]]]:
    """Run a script that names its children in one line; end all of them afterwards, by pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", text, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=leads
    )
    assert process.stdout
    children = [int(word) for word in process.stdout.readline().split()]
    try:
        yield process.pid, children
    finally:
        for pid in (process.pid, *children):
            identity = identify(pid)
            if identity is not None:
                terminate(identity, grace_s=0)
        process.wait()
        process.stdout.close()


def service_on(port: int, folder: Path, **changes: object) -> ServiceSettings:
    """A watched service that is known by its port alone, unless more is said."""
    base: dict[str, object] = {"base_url": f"http://127.0.0.1:{port}", "process_pattern": None}
    return watched(folder, **{**base, **changes}).service


def look_at(service: ServiceSettings) -> ProcessLook:
    """Look at its process."""
    return asyncio.run(process_look(service))


def known(pid: int) -> ProcessIdentity:
    """Identify a process that lives."""
    found = identify(pid)
    assert found
    return found


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    """A running healthy stub."""
    with running(tmp_path) as one:
        yield one


@pytest.mark.parametrize("whose", [lambda: 1, os.getpid, os.getppid], ids=["init", "ourselves", "our parent"])
def test_a_pid_file_that_names_the_first_process_or_our_own_is_not_believed(
    tmp_path: Path, whose: Callable[[], int]
) -> None:
    """It was written in a container: the number means somebody else here, and the stop ended the automation itself."""
    (tmp_path / "service.pid").write_text(f"{whose()}\n")
    port = free_port()
    with script(HOLDER, str(port)):
        seen = look_at(service_on(port, tmp_path, pid_file=tmp_path / "service.pid"))

    assert seen.pid != whose()


def test_nothing_that_we_descend_from_is_ever_signalled() -> None:
    """The last guard, whatever was found before: the signal that does nothing is not even sent."""
    found = [one for pid in own_line() if (one := identify(pid)) is not None]

    assert found
    assert not any(send(one, 0) for one in found)


def test_a_process_whose_child_serves_is_not_the_service(tmp_path: Path) -> None:
    """Ending a parent that only holds the socket ends whatever else it looks after, and the child goes on."""
    port = free_port()
    with script(HOLDER, str(port)) as (parent, (child,)):
        by_port = find_process(service_on(port, tmp_path))
        (tmp_path / "service.pid").write_text(f"{parent}\n")
        by_file = find_process(service_on(port, tmp_path, pid_file=tmp_path / "service.pid"))

    assert isinstance(by_port, psutil.Process)
    assert isinstance(by_file, psutil.Process)
    assert {by_port.pid, by_file.pid} == {child}


def test_a_service_whose_port_somebody_else_would_keep_is_not_stopped(tmp_path: Path) -> None:
    """It could not start again on the port: half a restart is an outage of our own making."""
    port = free_port()
    service = service_on(port, tmp_path)
    with script(HOLDER, str(port), leads=False) as (parent, (child,)):
        with pytest.raises(NothingDone) as caught:
            supervisor_of(service).stop(look_at(service))

        assert caught.value.code is Code.PORT_TAKEN
        assert f"pid={parent}" in caught.value.detail
        assert is_running(known(child))


def test_only_the_services_own_session_is_ended(tmp_path: Path) -> None:
    """What it started and let go, a backup or a shell that a person opened, is not the service."""
    port = free_port()
    with script(FORKS, str(port), "1") as (server, (worker, daemon)):
        eventually(lambda: os.getsid(daemon) == daemon)
        before = [known(pid) for pid in (server, worker, daemon)]
        service = service_on(port, tmp_path, process_pattern=rf" {port} ")
        told = supervisor_of(service).stop(look_at(service))

        assert told == f"pid={server} ended"
        assert [is_running(one) for one in before] == [False, False, True]


def test_the_brothers_of_a_service_that_leads_nothing_live_on(tmp_path: Path) -> None:
    """A test, a shell script or a foreign supervisor started it beside others: these are not the service's."""
    port = free_port()
    brother = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        with script(FORKS, str(port), "1", leads=False) as (server, (worker, _)):
            service = service_on(port, tmp_path, process_pattern=rf" {port} ")
            before = [known(pid) for pid in (server, worker, brother.pid)]
            supervisor_of(service).stop(look_at(service))

            assert [is_running(one) for one in before] == [False, False, True]
    finally:
        brother.kill()
        brother.wait()


def test_the_memory_of_its_workers_is_the_services_memory(tmp_path: Path) -> None:
    """385 MB of a worker under a master of 14 MB: the kernel ends the service for both."""
    port, size_mib = free_port(), 60
    with script(FORKS, str(port), str(size_mib)) as (_, (worker, _daemon)):
        eventually(lambda: psutil.Process(worker).memory_info().rss > size_mib * 1024 * 1024)
        seen = look_at(service_on(port, tmp_path, process_pattern=rf" {port} "))

    assert seen.processes_count == 2
    assert seen.memory_bytes
    assert size_mib * 1024 * 1024 < seen.memory_bytes < (size_mib + 60) * 1024 * 1024
    assert seen.threads_count == 2


def test_one_process_alone_counts_as_one(patient: Patient) -> None:
    """The usual service has no workers, and its numbers are its own."""
    seen = look_at(patient.service)

    assert patient.pid
    assert seen.processes_count == 1
    assert seen.memory_bytes == pytest.approx(psutil.Process(patient.pid).memory_info().rss, rel=0.2)


def test_a_service_that_we_started_is_known_without_a_pattern(tmp_path: Path) -> None:
    """Its own workers share its socket; our mark tells that it is the service, and not a mere holder."""
    with running(tmp_path, process_pattern=None) as patient:
        assert patient.pid
        environment = psutil.Process(patient.pid).environ()
        found = find_process(patient.service)

    assert environment["TRADING_RUNBOOK_SERVICE"] == patient.service.url
    assert isinstance(found, psutil.Process)
    assert found.pid == patient.pid


def test_a_wrong_pid_file_is_named_where_the_service_was_found_by_its_port(patient: Patient, tmp_path: Path) -> None:
    """Harmless today, and the reason of tomorrow's surprise."""
    (tmp_path / "service.pid").write_text(f"{os.getpid()}\n")
    service = patient.service.model_copy(update={"pid_file": tmp_path / "service.pid"})
    right = patient.service.model_copy(update={"pid_file": tmp_path / "right.pid"})
    (tmp_path / "right.pid").write_text(f"{patient.pid}\n")

    assert look_at(service).pid_file_fault == f"names pid {os.getpid()}"
    assert look_at(right).pid_file_fault == ""
    assert look_at(patient.service).pid_file_fault == ""
    (tmp_path / "service.pid").write_text("none\n")
    assert look_at(service).pid_file_fault == "holds no pid"
    (tmp_path / "service.pid").unlink()
    assert look_at(service).pid_file_fault == "is missing"


@pytest.mark.parametrize("pattern", [None, r"order_service\.stub"])
def test_a_service_of_another_user_is_blind_and_never_dead(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, pattern: str | None
) -> None:
    """ "Nobody listens" would start a second service beside the one that trades."""
    service = ServiceSettings.model_validate(
        {**patient.service.model_dump(exclude_defaults=True), "process_pattern": pattern}
    )
    monkeypatch.setattr("tasks.clients.listening._sockets_of", lambda _: iter(()))
    monkeypatch.setattr("tasks.clients.process_facts.may_signal", lambda _: False)

    seen = look_at(service)

    assert seen.state is ProcessState.BLIND
    assert "another user" in seen.detail


def test_a_process_that_the_system_hides_is_blind_and_never_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `hidepid` another user's process is in no list; its number is taken all the same."""
    (tmp_path / "service.pid").write_text("2147000000\n")
    service = service_on(free_port(), tmp_path, pid_file=tmp_path / "service.pid")
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
        "from tasks.clients.process_look import find_process\n"
        "service = ServiceSettings(base_url=sys.argv[1])\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "print(find_process(service).state)"
    )
    command = [sys.executable, "-c", ask, patient.service.url, *sys.path]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert told.stdout.strip() == "blind", told.stderr


def test_a_signal_reaches_the_process_that_was_proven_and_no_later_one(patient: Patient) -> None:
    """Its number may have been given away between the proof and the signal."""
    assert patient.pid
    identity = known(patient.pid)
    older = identity.model_copy(update={"created_at_s": identity.created_at_s - 60})

    assert not send(older, signal.SIGKILL)
    assert is_running(identity)
    assert send(identity, signal.SIGKILL)
    eventually(lambda: not is_running(identity))
    assert not send(identity, signal.SIGKILL)
