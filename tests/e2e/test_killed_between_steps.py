"""A run that is killed between any two steps of a remediation: the next one repeats nothing, and says what it saw."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.locks import host_lock
from tasks.clients.locks.host_and_server_lock import leased, released
from tasks.clients.process.probe import service_identity
from tasks.model.diagnosis.diagnosis import Audience, Status
from tasks.model.incidents.incident import Event, IncidentState, Outcome
from tasks.model.messages.messages import Message
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.report import TriageStory
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.messages.opening import opening_messages
from tasks.rules.remediation.branches import remediation_case
from tasks.work.remediation.execute import execute
from tasks.work.remediation.restart import restarted
from tests.fakes.incident.dying_run import KILLED
from tests.fakes.incident.triaged import NAME, triaged
from tests.fakes.service.monitored_service import Patient, answers, running

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="needs fork and POSIX signals"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def runs(quiet_api: str) -> "Iterator[subprocess.Popen[str]]":
    """What forks the runs that die."""
    environment = {**os.environ, "PREFECT_API_URL": quiet_api, "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-m", "tests.fakes.incident.dying_run"]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.stdin.close()


@pytest.fixture
async def hung(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Patient]:
    """A stub that hangs, watched in mode act; what its killed run holds on the server is given back at the end."""
    assert prefect
    with running(tmp_path) as one:
        one.watch_from_the_environment(monkeypatch)
        assert one.pid
        os.kill(one.pid, signal.SIGSTOP)
        yield one
        await released(one.settings.state_dir, await leased(one.settings.state_dir, NAME, "the end of a test"))


async def killed_after(step: str, patient: Patient, runs: "subprocess.Popen[str]") -> None:
    """Triage the service, and let the run of its plan die after a step."""
    story = await triaged(patient)
    assert story.plan
    assert story.plan.actions[0].verdict.allowed
    case = patient.settings.state_dir / "case.json"
    case.write_text(remediation_case(story, story.plan).model_dump_json(), "utf-8")
    ours = {name: value for name, value in os.environ.items() if name.startswith("RUNBOOK_")}
    order = json.dumps({"step": step, "case": str(case), "environment": ours})
    assert runs.stdin
    assert runs.stdout
    runs.stdin.write(f"{order}\n")
    runs.stdin.flush()
    code = await asyncio.to_thread(runs.stdout.readline)
    assert int(code) == KILLED


def started_count(patient: Patient) -> int:
    """How often an action was begun."""
    return [one.event for one in read_ledger(patient.ledger).records].count(Event.ACTION_STARTED)


def incident(patient: Patient) -> IncidentState:
    """The one incident."""
    (one,) = fold_incidents(read_ledger(patient.ledger).records, NAME)
    return one


@pytest.mark.parametrize("step", ["lease", "plan", "snapshot"])
async def test_a_run_killed_before_it_began_leaves_the_action_to_the_next_one(
    step: str, hung: Patient, runs: "subprocess.Popen[str]"
) -> None:
    """Rule 3: nothing was begun, the lock blocks nobody, and the service is restarted once, a minute later."""
    await killed_after(step, hung, runs)

    story = await triaged(hung)
    lease = await leased(hung.settings.state_dir, NAME, "the next run")
    assert story.plan
    result = await execute(hung.settings, remediation_case(story, story.plan), story.plan.actions[0], restarted)
    await released(hung.settings.state_dir, lease)

    assert lease.taken, lease.holder
    assert story.incidents.half_done == ()
    assert result.outcome is Outcome.DONE
    assert started_count(hung) == 1


async def test_a_run_killed_before_its_deed_is_half_done_and_goes_to_a_person(
    hung: Patient, runs: "subprocess.Popen[str]"
) -> None:
    """Rule 4: nobody knows whether it was restarted; nobody restarts it twice, and tier 2 is notified."""
    await killed_after("started", hung, runs)

    story = await triaged(hung)

    assert story.plan
    assert story.plan.actions[0].verdict.code is GuardCode.HALF_DONE_ACTION
    assert [one.audience for one in half_done_messages(story)] == [Audience.TIER_2]
    assert started_count(hung) == 1
    assert host_lock.holder_of(hung.settings.state_dir, NAME) is None


def half_done_messages(story: TriageStory) -> list[Message]:
    """What is reported of an action whose end nobody knows."""
    return [one for one in opening_messages(story) if "/half-done-" in one.key]


async def test_a_run_killed_after_its_deed_is_told_although_the_service_is_well_again(
    hung: Patient, runs: "subprocess.Popen[str]"
) -> None:
    """Rule 4: the restart helped and its end was never written: the incident stays open until somebody looked."""
    await killed_after("deed", hung, runs)
    answers(hung)

    story = await triaged(hung)

    assert story.diagnosis.status is Status.OK
    assert len(half_done_messages(story)) == 1
    assert incident(hung).is_open
    assert started_count(hung) == 1


async def test_a_run_killed_before_its_proof_is_proven_by_the_next_looks_and_not_repeated(
    hung: Patient, runs: "subprocess.Popen[str]"
) -> None:
    """Rule 10: done is not recovered; where the trouble shows still, the action counts as one that did not help."""
    await killed_after("finished", hung, runs)
    answers(hung)

    well = await triaged(hung)
    identity = service_identity(hung.service)
    assert identity
    os.kill(identity.pid, signal.SIGSTOP)
    ill = await triaged(hung)

    assert well.diagnosis.status is Status.OK
    assert well.incidents.half_done == ()
    assert ill.plan
    assert ill.plan.actions[0].verdict.code is GuardCode.HALF_DONE_ACTION
    assert "never proven" in ill.plan.actions[0].verdict.detail
    assert started_count(hung) == 1


async def test_a_run_killed_after_its_proof_leaves_nothing_to_do(hung: Patient, runs: "subprocess.Popen[str]") -> None:
    """The ledger has the end; only the lock was not given back, and it blocks nobody."""
    await killed_after("proof", hung, runs)

    story = await triaged(hung)
    lease = await leased(hung.settings.state_dir, NAME, "the next run")
    await released(hung.settings.state_dir, lease)

    assert story.diagnosis.status is Status.OK
    assert not incident(hung).is_open
    assert incident(hung).actions[-1].outcome == Outcome.RECOVERED
    assert lease.taken, lease.holder
