"""Prefect is away for long: the worker asks on, carries on when it is back, and what then starts late never acts.

The outage takes 35 s, longer than any pause of the worker and than a run may be late; WORKER_OUTAGE_S makes it longer.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.incidents.ledger import read_ledger
from tasks.model.incidents.incident import Event
from tests.fakes.polling import eventually
from tests.fakes.prefect.worker_line import Line
from tests.fakes.prefect.workers import FINAL, Lab, lab
from tests.fakes.service.monitored_service import Patient, running

OUTAGE_S = float(os.environ.get("WORKER_OUTAGE_S", "35"))
LATE_S = 30.0
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.prefect,
    pytest.mark.timeout(OUTAGE_S + 240),
    pytest.mark.skipif(sys.platform == "win32", reason="signals, sessions and forks are POSIX"),
]
# As `triage/every-minute` has it: what is due while another works is canceled, never queued.
ONE_AT_A_TIME = {"concurrency_limit": 1, "concurrency_options": {"collision_strategy": "CANCEL_NEW"}}


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    """A stub that will hang, watched in mode act."""
    with running(tmp_path) as one:
        yield one


@pytest.fixture
def line(prefect_api: str) -> Iterator[Line]:
    """The way from the worker to its server."""
    made = Line(prefect_api)
    yield made
    made.close()


@pytest.fixture
def worker(prefect_api: str, line: Line, patient: Patient, tmp_path: Path) -> Iterator[Lab]:
    """One worker of ours at the end of that line, watching the service."""
    folder = tmp_path / "worker"
    folder.mkdir()
    with lab(prefect_api, "warm-process", folder, line.api, **patient.environment()) as one:
        yield one


def due(worker: Lab, deployment: str) -> str:
    """Let a triage be due now."""
    return str(worker.call("POST", f"/deployments/{deployment}/create_flow_run", {})["id"])


def late_s(worker: Lab, run: str) -> float:
    """Say how long after its time a run began."""
    found: dict[str, Any] = worker.call("GET", f"/flow_runs/{run}")
    began, expected = (datetime.fromisoformat(found[name]) for name in ("start_time", "expected_start_time"))
    return (began - expected).total_seconds()


def acted(patient: Patient) -> list[object]:
    """Name the actions that were begun."""
    return [one.details["action"] for one in read_ledger(patient.ledger).records if one.event == Event.ACTION_STARTED]


def test_after_a_long_outage_the_worker_carries_on_and_what_is_late_looks_and_never_acts(
    worker: Lab, line: Line, patient: Patient
) -> None:
    """Rule 11: nobody restarts the watch by hand, and nothing is done to the service because of an hour ago."""
    quick, triage = worker.deploy("quick"), worker.deploy("flows.triage.triage", **ONE_AT_A_TIME)
    assert worker.ended(worker.trigger(quick)) == "COMPLETED"
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)
    line.cut()
    cut_at = time.monotonic()
    waiting, late = worker.trigger(quick), [due(worker, triage) for _ in range(3)]
    eventually(lambda: time.monotonic() - cut_at > OUTAGE_S, within_s=OUTAGE_S + 5, every_s=0.5)
    assert worker.processes[-1].poll() is None
    line.mend()

    assert worker.ended(waiting, within_s=40) == "COMPLETED"
    ends = [worker.ended(one, within_s=60) for one in late]
    assert set(ends) <= {"COMPLETED", "CANCELLED"}, "no run is lost in silence"
    assert ends == ["CANCELLED", "CANCELLED", "COMPLETED"], "the newest one runs, and the others are skipped"
    assert [worker.call("GET", f"/flow_runs/{one}")["state"]["name"] for one in late[:2]] == ["Skipped", "Skipped"]
    assert late_s(worker, late[-1]) > LATE_S
    assert Event.DIAGNOSED in {one.event for one in read_ledger(patient.ledger).records}
    assert acted(patient) == []
    assert worker.ended(due(worker, triage), within_s=90) == "COMPLETED"
    assert acted(patient) == ["restart_service"], "the run that is on time acts, and once"
    assert len(worker.left(did="quick")) == 2
    assert {worker.state(one) for one in (waiting, *late)} <= FINAL
