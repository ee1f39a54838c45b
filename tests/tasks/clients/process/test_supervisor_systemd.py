"""Restarting through systemd: it alone signals the unit, and what it did is looked at."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.clients.process.probe import process_check, service_identity
from tasks.clients.process.processes import identify, terminate
from tasks.clients.process.supervisors.base import supervisor_of
from tasks.clients.service.readiness import answers_health
from tasks.model.diagnosis.limits import RestartLimits
from tasks.model.errors import CannotAct, Code, NothingDone
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.verdicts import GuardCode
from tasks.settings import ServiceSettings
from tests.fakes.process import systemctl
from tests.fakes.process.systemctl import UNIT, Unit
from tests.fakes.service.monitored_service import Patient, answers, end, watched

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.name != "posix", reason="systemd runs on Linux, its fake on any POSIX"),
]
RESTART = RestartLimits(drain_timeout_s=1.0, kill_timeout_s=1.0, start_timeout_s=10.0)


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is nobody's patient."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A service that its unit runs."""
    one = watched(tmp_path, supervisor="systemd", systemd_unit=UNIT, restart=RESTART)
    systemctl.install(tmp_path, monkeypatch, Unit(command=one.service.start_command))
    supervisor_of(one.service).start(lambda: answers_health(one.service))
    (tmp_path / "calls").unlink()
    one.pid = systemctl.read(tmp_path).pid
    yield one
    end(one)


def spoil(folder: Path, **changes: object) -> None:
    """Let the unit misbehave from here on."""
    unit = systemctl.read(folder)
    for name, value in changes.items():
        setattr(unit, name, value)
    systemctl.write(folder, unit)


async def restart(patient: Patient) -> str:
    """Stop and start as an action does."""
    supervisor = supervisor_of(patient.service)
    told = supervisor.stop(await process_check(patient.service))
    assert supervisor.start(lambda: answers_health(patient.service)) == service_identity(patient.service)
    return told


@pytest.mark.parametrize("sent", [None, signal.SIGSTOP, signal.SIGKILL], ids=["running", "stopped", "killed"])
async def test_a_unit_is_stopped_and_started_through_systemd_alone(
    patient: Patient, tmp_path: Path, sent: signal.Signals | None
) -> None:
    """Behind systemd's back it would be started again in the middle of our own restart."""
    assert patient.pid
    if sent:
        os.kill(patient.pid, sent)
    await restart(patient)

    answers(patient)
    assert systemctl.read(tmp_path).pid != patient.pid
    verbs = [words[0] for words in systemctl.calls(tmp_path)]
    assert verbs[-2:] == ["reset-failed", "start"]
    assert verbs[:-2] == {None: ["stop"], signal.SIGSTOP: ["kill", "stop"], signal.SIGKILL: []}[sent]


async def test_a_stopped_process_is_never_continued(patient: Patient, tmp_path: Path) -> None:
    """systemd continues what it asks to end; the orders that waited in it would go out minutes late."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)
    supervisor_of(patient.service).stop(await process_check(patient.service))

    assert not systemctl.read(tmp_path).continued


async def test_a_unit_that_does_not_drain_is_killed_through_systemd(patient: Patient, tmp_path: Path) -> None:
    """A hung service holds its orders; a longer wait helps nobody."""
    spoil(tmp_path, ignores_stop=True)

    await restart(patient)

    assert ["kill", UNIT] in systemctl.calls(tmp_path)
    assert systemctl.read(tmp_path).pid != patient.pid


async def test_a_unit_that_outlives_its_kill_goes_to_a_person(patient: Patient, tmp_path: Path) -> None:
    """A second instance beside a living one would trade twice."""
    spoil(tmp_path, ignores_stop=True, ignores_kill=True)
    look = await process_check(patient.service)

    with pytest.raises(CannotAct) as caught:
        supervisor_of(patient.service).stop(look)

    assert caught.value.code is Code.STILL_ALIVE
    assert not isinstance(caught.value, NothingDone)


async def test_a_stop_that_systemd_denies_has_done_nothing(patient: Patient, tmp_path: Path) -> None:
    """The worker lacks the right; the line says so, and the service runs on."""
    spoil(tmp_path, denies=True)
    look = await process_check(patient.service)

    with pytest.raises(NothingDone, match="Interactive authentication required") as caught:
        supervisor_of(patient.service).stop(look)

    assert caught.value.code is Code.STOP_FAILED
    answers(patient)


async def test_a_process_that_the_unit_does_not_run_is_not_stopped_with_it(
    patient: Patient, tmp_path: Path, stranger: "subprocess.Popen[bytes]"
) -> None:
    """Somebody started the service by hand: stopping the unit would stop another one, or nothing."""
    look = await process_check(patient.service)
    spoil(tmp_path, pid=stranger.pid)

    with pytest.raises(NothingDone) as caught:
        supervisor_of(patient.service).stop(look)

    assert caught.value.code is Code.NOT_OUR_PROCESS
    assert stranger.poll() is None
    assert systemctl.calls(tmp_path) == []


async def test_a_unit_that_systemd_started_again_meanwhile_is_left_alone(patient: Patient) -> None:
    """The look said dead; by now it lives, and nobody has found it ill."""
    dead = (await process_check(patient.service)).model_copy(
        update={"state": ProcessState.DEAD, "pid": None, "started_at": None}
    )

    with pytest.raises(NothingDone) as caught:
        supervisor_of(patient.service).stop(dead)

    assert caught.value.code is Code.NOT_OUR_PROCESS
    answers(patient)


async def test_a_start_that_fails_tells_what_systemd_says(patient: Patient, tmp_path: Path) -> None:
    """The person paged reads the last lines of the unit, not only that it failed."""
    look = await process_check(patient.service)
    supervisor = supervisor_of(patient.service)
    supervisor.stop(look)
    spoil(tmp_path, broken_start=True)

    with pytest.raises(CannotAct, match="bad configuration in line 7") as caught:
        supervisor.start(lambda: False)

    assert caught.value.code is Code.START_FAILED


async def test_a_unit_that_never_answers_is_not_ready(patient: Patient) -> None:
    """A start counts when the service answers, not when systemd says active."""
    short = patient.service.model_copy(update={"restart": RestartLimits(start_timeout_s=0.5)})
    supervisor = supervisor_of(short)
    supervisor.stop(await process_check(short))

    with pytest.raises(CannotAct) as caught:
        supervisor.start(lambda: False)

    assert caught.value.code is Code.NOT_READY


def test_a_port_that_somebody_holds_is_named_before_the_unit_is_started(patient: Patient, tmp_path: Path) -> None:
    """Its owner is never ended for it."""
    with pytest.raises(NothingDone) as caught:
        supervisor_of(patient.service).start(lambda: True)

    assert caught.value.code is Code.PORT_TAKEN
    assert f"pid={patient.pid} name=" in caught.value.detail
    assert systemctl.calls(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"no_bus": True}, "has not been booted with systemd"),
        ({}, None),
    ],
)
def test_whether_the_unit_could_be_restarted_is_asked_first(
    patient: Patient, tmp_path: Path, changes: dict[str, object], said: str | None
) -> None:
    """A service that cannot be started again is not stopped."""
    spoil(tmp_path, **changes)
    verdict = supervisor_of(patient.service).available()

    assert verdict.allowed is (said is None)
    assert said is None or said in verdict.detail


def test_a_unit_that_systemd_does_not_know_is_not_available(patient: Patient) -> None:
    """A slip of the pen in the setting is found before an incident acts on it."""
    wrong = patient.service.model_copy(update={"systemd_unit": "order.service"})
    verdict = supervisor_of(wrong).available()

    assert verdict.code is GuardCode.NOT_AVAILABLE
    assert "not-found" in verdict.detail


def test_a_service_on_another_host_is_not_this_systemds(patient: Patient) -> None:
    """A unit of the same name here is another service."""
    elsewhere = ServiceSettings.model_validate(
        {"base_url": "http://192.0.2.1:8600", "supervisor": "systemd", "systemd_unit": UNIT}
    )

    assert supervisor_of(patient.service).available().allowed
    assert "another host" in supervisor_of(elsewhere).available().detail


def test_a_machine_without_systemd_is_not_available(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says what is missing, and where it was looked for."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))

    assert supervisor_of(patient.service).available().code is GuardCode.NOT_AVAILABLE


def test_the_users_own_systemd_is_asked_where_the_setting_says_so(patient: Patient, tmp_path: Path) -> None:
    """A desk without root runs its services under `systemctl --user`."""
    supervisor_of(patient.service.model_copy(update={"systemd_user": True})).available()

    assert '"--user"' in (tmp_path / "calls").read_text().splitlines()[-1]


@pytest.mark.parametrize("socket_unit", ["orders.socket", ""])
def test_a_port_that_systemd_holds_for_the_unit_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_unit: str
) -> None:
    """A service behind a socket unit was stopped, and then never started: its port was held, by systemd, for it."""
    one = watched(tmp_path, supervisor="systemd", systemd_unit=UNIT, restart=RESTART)
    waits = (sys.executable, "-c", "import time; time.sleep(600)")
    systemctl.install(tmp_path, monkeypatch, Unit(command=waits, triggered_by=socket_unit))
    supervisor = supervisor_of(one.service)
    with socket.socket() as held:
        held.bind(("127.0.0.1", one.service.port))
        held.listen()
        try:
            if socket_unit:
                supervisor.start(lambda: True)
                assert systemctl.read(tmp_path).alive
            else:
                with pytest.raises(NothingDone, match="found it taken by"):
                    supervisor.start(lambda: True)
        finally:
            unit = systemctl.read(tmp_path)
            identity = identify(unit.pid) if unit.pid else None
            if identity is not None:
                terminate(identity, grace_s=0)
