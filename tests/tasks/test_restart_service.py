"""Restarting a real process: once, recorded, proven, and not at all when it is not needed."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clients.evidence.snapshot import take_snapshot
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.mode import set_mode
from tasks.clients.locks import host_lock
from tasks.clients.process.probe import service_identity
from tasks.clients.process.supervisors.psutil_ import start_service
from tasks.clients.service.order_states import proven_within
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.errors import CannotAct, Code
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.incidents.incident import Event, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.probes.order_states import OrderStates
from tasks.model.probes.probes import Observation
from tasks.model.remediation.remediation import ActionResult, RemediationCase
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.report import TriageStory
from tasks.record.record_incidents import incidents_recorded
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.remediation.branches import remediation_case
from tasks.settings import RunbookSettings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.plan import planned_for
from tasks.work.remediation.recovery import proven_recovery
from tasks.work.remediation.restart import restarted as act
from tasks.work.triage.confirming import confirming_checks
from tasks.work.triage.probe_pass import observe
from tests.fakes.incident.cases import seen
from tests.fakes.incident.observations import blind_health
from tests.fakes.service.monitored_service import Patient, running, watched

pytestmark = [pytest.mark.live, pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")]
NAME = "order-service"


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    """A running healthy stub."""
    with running(tmp_path) as one:
        yield one


async def case_of(patient: Patient) -> RemediationCase:
    """Look three times, name the cause, open the incident, as the flow does."""
    rounds = await confirming_checks(patient.service, await observe(patient.service))
    context = Context(request=TriageRequest(service=NAME), looked_at=datetime.now(UTC), mode=Mode.ACT, late_s=0)
    evidence = Evidence(context=context, observations=rounds)
    diagnosis = name_cause(evidence)
    incidents = incidents_recorded(patient.settings, evidence, diagnosis)
    story = TriageStory(evidence=evidence, diagnosis=diagnosis, incidents=incidents)
    return remediation_case(story, await planned_for(patient.settings, story))


async def restarted(settings: RunbookSettings, case: RemediationCase) -> ActionResult:
    """Carry out the plan's restart."""
    return await execute(settings, case, case.plan.actions[0], act)


def events(patient: Patient) -> list[str | None]:
    """What the ledger tells, in order."""
    return [record.event for record in read_ledger(patient.ledger).records]


async def test_a_stopped_service_is_hung_and_is_restarted(patient: Patient) -> None:
    """The main job: SIGSTOP, and orders fill again."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)
    case = await case_of(patient)
    assert case.diagnosis.findings[0].cause is Cause.SERVICE_HUNG

    result = await restarted(patient.settings, case)

    assert result.outcome is Outcome.DONE
    identity = service_identity(patient.service)
    assert identity
    assert identity.pid != patient.pid
    assert (await proven_recovery(patient.service)).outcome is Outcome.RECOVERED
    assert events(patient) == [Event.OPENED, Event.DIAGNOSED, Event.ACTION_STARTED, Event.ACTION_FINISHED]


async def test_a_silent_service_is_planned_for_without_one_more_question(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question to it costs its whole deadline; the one that counts is asked right before the action."""
    assert patient.pid
    asked: list[object] = []

    async def proven(*words: object) -> OrderStates:
        asked.append(words)
        return await proven_within(*words)  # type: ignore[arg-type]

    monkeypatch.setattr("tasks.work.remediation.plan.proven_within", proven)
    monkeypatch.setattr("tasks.work.remediation.guard_inputs.proven_within", proven)
    os.kill(patient.pid, signal.SIGSTOP)
    case = await case_of(patient)
    assert asked == []

    assert (await restarted(patient.settings, case)).outcome is Outcome.DONE
    assert len(asked) == 1


async def test_a_killed_service_is_down_and_is_started(patient: Patient) -> None:
    """kill -9 leaves nothing to end; the start is the whole remedy."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGKILL)
    case = await case_of(patient)
    assert case.diagnosis.findings[0].cause is Cause.SERVICE_DOWN

    assert (await restarted(patient.settings, case)).outcome is Outcome.DONE


async def test_a_service_that_came_back_by_itself_is_left_alone(patient: Patient) -> None:
    """Rule 1: check again immediately before the action, and act only if it still fails."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)
    case = await case_of(patient)
    os.kill(patient.pid, signal.SIGCONT)

    result = await restarted(patient.settings, case)

    identity = service_identity(patient.service)
    assert result.outcome is Outcome.REFUSED
    assert identity
    assert identity.pid == patient.pid
    assert Event.ACTION_STARTED not in events(patient)


async def test_a_last_look_that_could_not_see_restarts_nothing(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 2: our own machine is held up at that very moment; what was seen before says nothing of now."""

    async def blind(*_: object) -> Observation:
        return seen(health=blind_health(), process=case.process)

    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)
    case = await case_of(patient)
    monkeypatch.setattr("tasks.work.remediation.guard_inputs.observe", blind)

    result = await restarted(patient.settings, case)

    assert result.code is GuardCode.BLIND
    assert "blind never acts" in result.detail
    assert Event.ACTION_STARTED not in events(patient)


async def test_a_service_that_a_person_just_started_is_left_alone(patient: Patient) -> None:
    """Rule 1: confirmed was the death of one process; the one that boots now is another."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGKILL)
    case = await case_of(patient)
    patient.start()
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)

    result = await restarted(patient.settings, case)

    identity = service_identity(patient.service)
    assert result.code is GuardCode.CLEARED
    assert identity
    assert identity.pid == patient.pid


async def test_the_switch_is_read_again_right_before_the_action(patient: Patient) -> None:
    """Rule 12: a person who switches to observe while the evidence is being kept is obeyed."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)
    case = await case_of(patient)
    set_mode(patient.settings, Mode.OBSERVE)

    result = await restarted(patient.settings, case)

    assert result.code is GuardCode.MODE_FORBIDS
    assert Event.ACTION_STARTED not in events(patient)


async def test_a_restart_whose_start_ended_did_not_help_and_is_not_tried_again(tmp_path: Path) -> None:
    """Rule 4: it goes to a person, who reads why it does not start, and not that its end is not known."""
    command = (sys.executable, "-c", "raise SystemExit('no licence')")
    patient = watched(tmp_path, start_command=command)
    case = await case_of(patient)

    result = await restarted(patient.settings, case)

    assert result.outcome is Outcome.NOT_RECOVERED
    assert "no licence" in result.detail
    again = await restarted(patient.settings, case)
    assert again.code is GuardCode.REMEDIATION_INEFFECTIVE
    assert "no licence" in again.detail


async def test_a_service_that_answers_and_cannot_fill_orders_is_not_recovered(tmp_path: Path) -> None:
    """Rule 10: effect, not exit code."""
    limits = watched(tmp_path).service.restart.model_copy(update={"confirm_timeout_s": 1.0})
    with running(tmp_path, "no_execution_block", restart=limits) as patient:
        assert (await proven_recovery(patient.service)).outcome is Outcome.NOT_RECOVERED


async def test_a_second_crash_ends_the_proof_within_seconds(tmp_path: Path) -> None:
    """A service that is gone again is acted on again; it waited for the whole time limit of the proof."""
    limits = watched(tmp_path).service.restart.model_copy(update={"confirm_for_s": 60.0, "confirm_timeout_s": 90.0})
    with running(tmp_path, restart=limits) as patient:
        assert patient.pid
        proof = asyncio.create_task(proven_recovery(patient.service))
        os.kill(patient.pid, signal.SIGKILL)
        recovery = await asyncio.wait_for(proof, 20)

    assert recovery.outcome is Outcome.NOT_RECOVERED
    assert "gone again" in recovery.detail


async def test_the_evidence_is_kept_before_the_action(patient: Patient, tmp_path: Path) -> None:
    """Rule 9: what the process was doing cannot be asked after it is killed."""
    snapshot = take_snapshot(patient.service, tmp_path / "evidence", deadline_s=10)

    assert "process.json" in snapshot.parts
    assert "output-of-the-service.log" in snapshot.parts or "output-of-the-service.log" in snapshot.missing
    assert (tmp_path / "evidence" / "process.json").stat().st_size > 0


async def test_a_snapshot_never_takes_longer_than_it_may(patient: Patient, tmp_path: Path) -> None:
    """Rule 9: bounded, so that evidence never delays healing."""
    snapshot = take_snapshot(patient.service, tmp_path / "evidence", deadline_s=0)

    assert snapshot.parts == ()
    assert "stacks.txt" in snapshot.missing


def test_two_doors_cannot_act_at_once(tmp_path: Path) -> None:
    """Rule 3: the second one skips, and says who acts."""
    first = host_lock.take(tmp_path, NAME, "flow_run=a")
    second = host_lock.take(tmp_path, NAME, "flow_run=b")
    host_lock.release(tmp_path, first)
    third = host_lock.take(tmp_path, NAME, "flow_run=c")
    host_lock.release(tmp_path, third)

    assert (first.taken, second.taken, third.taken) == (True, False, True)
    assert "flow_run=a" in second.holder


async def test_a_taken_port_is_named_and_its_owner_left_alone(patient: Patient, tmp_path: Path) -> None:
    """A stranger on the port is never killed; a start there fails with its name."""
    other = watched(tmp_path / "other").service
    squatted = other.model_copy(update={"base_url": patient.service.base_url})

    with pytest.raises(CannotAct) as caught:
        start_service(squatted, lambda: True)

    assert caught.value.code is Code.PORT_TAKEN
    assert f"pid={patient.pid}" in caught.value.detail
    assert service_identity(patient.service)
