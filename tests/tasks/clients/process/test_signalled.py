"""Who is signalled, with real processes: the service's own and nobody else's (safety rule 16)."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tasks.clients.process.probe import find_process, process_check
from tasks.clients.process.processes import identify, is_running, own_line, send
from tasks.clients.process.supervisors.base import supervisor_of
from tasks.model.errors import Code, NothingDone
from tasks.model.probes.processes import ProcessCheck, ProcessIdentity, ProcessState
from tasks.settings import ServiceSettings
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.process.forking import FORKS, HOLDER, INHERITS, NOBODY, script
from tests.fakes.service.monitored_service import Patient, running, watched

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and process groups")]


def service_on(port: int, folder: Path, **changes: object) -> ServiceSettings:
    """A watched service that is known by its port alone, unless more is said."""
    base: dict[str, object] = {"base_url": f"http://127.0.0.1:{port}", "process_pattern": None}
    return watched(folder, **{**base, **changes}).service


def look_at(service: ServiceSettings) -> ProcessCheck:
    """Look at its process."""
    return asyncio.run(process_check(service))


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
        eventually(lambda: look_at(service_on(port, tmp_path)).pid == child)
        by_port = find_process(service_on(port, tmp_path))
        (tmp_path / "service.pid").write_text(f"{parent}\n")
        by_file = find_process(service_on(port, tmp_path, pid_file=tmp_path / "service.pid"))

    assert isinstance(by_port, psutil.Process)
    assert isinstance(by_file, psutil.Process)
    assert {by_port.pid, by_file.pid} == {child}


@pytest.mark.parametrize("way", ["thread", "epoll"])
def test_a_process_that_inherited_the_socket_is_not_the_service(tmp_path: Path, way: str) -> None:
    """Ending the helper would help nobody: the server that hangs is its parent."""
    port = free_port()
    with script(INHERITS, str(port), way) as (server, _):
        service = service_on(port, tmp_path)
        eventually(lambda: look_at(service).pid == server)


def test_where_nobody_is_seen_to_serve_the_service_is_blind(tmp_path: Path) -> None:
    """Which of them hangs nobody can say; a pattern of the command line can."""
    port = free_port()
    with script(NOBODY, str(port)):
        seen = look_at(service_on(port, tmp_path))

    assert seen.state is ProcessState.BLIND
    assert "process_pattern" in seen.detail


def test_a_service_whose_port_somebody_else_would_keep_is_not_stopped(tmp_path: Path) -> None:
    """It could not start again on the port: half a restart is an outage of our own making."""
    port = free_port()
    service = service_on(port, tmp_path)
    with script(HOLDER, str(port), leads=False) as (parent, (child,)):
        eventually(lambda: look_at(service).pid == child)
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


@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can make a pid namespace")
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare (util-linux)")
def test_a_service_in_a_container_is_seen_and_its_processes_are_not_signalled(tmp_path: Path) -> None:
    """Its pid file says 1, which is another process here; and its container would start it again behind our back."""
    port = free_port()
    (tmp_path / "service.pid").write_text("1\n")
    stub = (sys.executable, "-m", "order_service.stub", "--scenario", "healthy", "--port", str(port))
    outer = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", *stub])
    service = service_on(port, tmp_path, pid_file=tmp_path / "service.pid")
    try:
        eventually(lambda: look_at(service).state is ProcessState.RUNNING, within_s=30)
        seen = look_at(service)
        with pytest.raises(NothingDone) as caught:
            supervisor_of(service).stop(seen)

        assert seen.pid not in {1, outer.pid}
        assert caught.value.code is Code.NOT_OUR_PROCESS
        assert "container" in caught.value.detail
        assert seen.identity
        assert is_running(seen.identity)
    finally:
        outer.kill()
        outer.wait()
