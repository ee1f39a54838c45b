"""A worker or a server that goes in the middle of a restart: it is finished and proven, and never begun again."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.ci.prefect_process import server
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.process.probe import service_identity
from tasks.model.incidents.incident import Event, Outcome
from tasks.rules.incidents.fold import fold_incidents
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.prefect.workers import Lab, lab
from tests.fakes.service.monitored_service import FAST_RESTART, Patient, running

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.prefect,
    pytest.mark.timeout(480),
    pytest.mark.skipif(sys.platform == "win32", reason="signals, sessions and forks are POSIX"),
]
NAME = "order-service"
# Time enough to be hit in the middle: between the restart and the end of its proof.
SLOW_PROOF = FAST_RESTART.model_copy(update={"confirm_for_s": 6.0, "confirm_timeout_s": 60.0})


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    """A stub that hangs, watched in mode act; its proof takes a while."""
    with running(tmp_path, restart=SLOW_PROOF) as one:
        assert one.pid
        os.kill(one.pid, signal.SIGSTOP)
        yield one


def records(patient: Patient, event: Event) -> list[object]:
    """Give what the ledger tells of actions: the outcome, or the name of what was begun."""
    found = [one for one in read_ledger(patient.ledger).records if one.event == event]
    return [one.details.get("outcome", one.details["action"]) for one in found]


def due(worker: Lab, deployment: str) -> str:
    """Let a triage be due now."""
    return str(worker.call("POST", f"/deployments/{deployment}/create_flow_run", {})["id"])


def done_once(patient: Patient) -> bool:
    """Say whether the service was restarted once, by somebody who proved it, and the incident is over."""
    (incident,) = fold_incidents(read_ledger(patient.ledger).records, NAME)
    identity = service_identity(patient.service)
    assert records(patient, Event.ACTION_STARTED) == ["restart_service"]
    assert records(patient, Event.ACTION_FINISHED) == [Outcome.DONE, Outcome.RECOVERED]
    return not incident.is_open and identity is not None and identity.pid != patient.pid


def test_a_worker_that_is_killed_in_the_middle_of_a_restart_is_followed_by_one_that_does_not_repeat_it(
    prefect_api: str, patient: Patient, tmp_path: Path
) -> None:
    """Rule 3: the run goes on and proves what it did; the next worker's run leaves the service alone."""
    folder = tmp_path / "worker"
    folder.mkdir()
    with lab(prefect_api, "warm-process", folder, **patient.environment()) as worker:
        triage = worker.deploy("flows.triage.triage")
        first = due(worker, triage)
        eventually(lambda: records(patient, Event.ACTION_STARTED), within_s=120)
        worker.processes[-1].kill()
        worker.processes[-1].wait(10)
        worker.start()
        second = due(worker, triage)

        assert [worker.ended(one, within_s=180) for one in (first, second)] == ["COMPLETED", "COMPLETED"]
        assert done_once(patient)


def test_a_server_that_restarts_in_the_middle_of_a_restart_delays_it_not_at_all(
    patient: Patient, tmp_path: Path
) -> None:
    """Rule 13: the run does not need its server to heal; it says so once the server is back."""
    home, port, folder = tmp_path / "server", free_port(), tmp_path / "worker"
    folder.mkdir()
    with server(home, port) as api:
        worker = Lab(api, "warm-process", folder, environment=patient.environment())
        worker.start()
        run = due(worker, worker.deploy("flows.triage.triage"))
        eventually(lambda: records(patient, Event.ACTION_STARTED), within_s=120)
    try:
        with server(home, port):
            assert worker.ended(run, within_s=180) in {"COMPLETED", "FAILED", "CRASHED"}, "no run is lost in silence"
            eventually(lambda: done_once(patient), within_s=30, every_s=0.5)
            worker.stop()
    finally:
        worker.stop()
