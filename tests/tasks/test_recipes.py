"""The recipes of the guide, as they stand there: a killed service is found, restarted by its supervisor, and proven."""

import os
import re
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.process.processes import identify, terminate
from tasks.clients.service.readiness import answers_health
from tasks.model.diagnosis.diagnosis import Cause, Confidence
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.incidents.incident import Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.remediation import RemediationCase
from tasks.model.reports.report import TriageStory
from tasks.record.record_incidents import incidents_recorded
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.remediation.branches import remediation_case
from tasks.settings import ServiceSettings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.plan import planned_for
from tasks.work.remediation.recovery import proven_recovery
from tasks.work.remediation.restart import replaced, restarted
from tasks.work.triage.confirming import confirming_checks
from tasks.work.triage.probe_pass import observe, process_seen
from tests.fakes.polling import eventually
from tests.fakes.process import engine, systemctl
from tests.fakes.process.systemctl import UNIT, Unit
from tests.fakes.service.monitored_service import Patient, watched

pytestmark = [pytest.mark.live, pytest.mark.skipif(os.name != "posix", reason="the stand-ins are shell programs")]
NAME = "order-service"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "own-service.md"
# Where nothing of these is on this host, a process that hangs is only seen by one signal.
LOCAL, ELSEWHERE = ("systemctl", "supervisorctl"), ("docker", "kubectl")


def recipes() -> dict[str, dict[str, Any]]:
    """The tables of the section, each by the program that it asks."""
    section = PAGE.read_text("utf-8").split("\n### Recipes\n")[1].split("\n### ")[0]
    tables = [tomllib.loads(block)["services"]["oms"] for block in re.findall(r"```toml\n(.*?)```", section, re.DOTALL)]
    return {table.get("status_command", ["systemctl"])[0]: table for table in tables}


class Supervised:
    """A service that a stand-in runs, as its recipe says."""

    def __init__(self, program: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
        plain = watched(folder)
        table = recipes()[program]
        # The service is ours, and what runs it is the recipe's.
        own = plain.service.model_dump(exclude_defaults=True, exclude={"start_command", "start_log"})
        service = ServiceSettings.model_validate({**own, **table})
        settings = plain.settings.model_copy(update={"services": {NAME: service}})
        self.program, self.folder, self.patient = program, folder, Patient(settings=settings, service=service)
        command = plain.service.start_command
        systemctl.install(folder / "systemd", patch, Unit(command=command))
        engine.install(folder / "engine", patch, command)
        self._start()

    def _start(self) -> None:
        # By the program itself, so that the service is no child of this process.
        call = (
            ["--no-pager", "--no-ask-password", "start", UNIT] if self.program == "systemctl" else ["start", "orders"]
        )
        name, folder = ("systemctl", "systemd") if self.program == "systemctl" else ("supervisorctl", "engine")
        subprocess.run([str(self.folder / folder / "bin" / name), *call], check=True, stdout=subprocess.DEVNULL)
        eventually(lambda: answers_health(self.patient.service))

    @property
    def pid(self) -> int:
        """Its process, as the stand-in knows it."""
        if self.program == "systemctl":
            return systemctl.read(self.folder / "systemd").pid
        return int(engine.read(self.folder / "engine")["pid"])


@pytest.fixture
def supervised(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervised]:
    """A running service under the supervisor of one recipe."""
    one = Supervised(request.param, tmp_path, monkeypatch)
    yield one
    if (identity := identify(one.pid)) is not None:
        terminate(identity, grace_s=0)


async def case_of(patient: Patient) -> RemediationCase:
    """Look three times, name the cause, open the incident, write the plan, as the flow does."""
    passes = await confirming_checks(patient.service, await observe(patient.service))
    context = Context(request=TriageRequest(service=NAME), looked_at=datetime.now(UTC), mode=Mode.ACT, late_s=0)
    evidence = Evidence(context=context, observations=passes)
    diagnosis = name_cause(evidence)
    incidents = incidents_recorded(patient.settings, evidence, diagnosis)
    story = TriageStory(evidence=evidence, diagnosis=diagnosis, incidents=incidents)
    return remediation_case(story, await planned_for(patient.settings, story))


def test_the_guide_has_a_recipe_for_each() -> None:
    """Else the tests below prove nothing."""
    assert set(recipes()) == {*LOCAL, *ELSEWHERE}


@pytest.mark.parametrize("supervised", [*LOCAL, *ELSEWHERE], indirect=True)
async def test_a_killed_service_is_started_again_by_its_supervisor(supervised: Supervised) -> None:
    """From the first check to the proof, with nothing but what the guide says."""
    patient, before = supervised.patient, supervised.pid
    os.kill(before, signal.SIGKILL)
    eventually(lambda: identify(before) is None)

    case = await case_of(patient)

    found = case.diagnosis.findings[0]
    assert (found.cause, found.confidence) == (Cause.SERVICE_DOWN, Confidence.CONFIRMED), found
    result = await execute(patient.settings, case, case.plan.actions[0], restarted)
    assert result.outcome is Outcome.DONE, result.detail
    assert supervised.pid != before
    assert (await proven_recovery(patient.service)).outcome is Outcome.RECOVERED


@pytest.mark.parametrize("supervised", [*LOCAL, *ELSEWHERE], indirect=True)
async def test_a_hung_service_is_replaced_by_its_supervisor(supervised: Supervised) -> None:
    """The old process is gone afterwards, whoever ended it."""
    patient, before = supervised.patient, supervised.pid
    os.kill(before, signal.SIGSTOP)

    done = replaced(patient.service, await process_seen(patient.service))

    assert done.outcome is Outcome.DONE, done.detail
    assert identify(before) is None
    assert supervised.pid != before


@pytest.mark.parametrize("supervised", ELSEWHERE, indirect=True)
async def test_a_service_whose_supervisor_cannot_be_reached_is_neither_down_nor_restarted(
    supervised: Supervised,
) -> None:
    """Its command fails, which says nothing of the service; a restart that was tried all the same is unknown."""
    patient = supervised.patient
    engine.write(supervised.folder / "engine", unreachable=True)
    os.kill(supervised.pid, signal.SIGKILL)

    seen = await process_seen(patient.service)
    case = await case_of(patient)
    done = replaced(patient.service, seen)

    assert seen.state is ProcessState.BLIND
    assert case.diagnosis.findings[0].confidence is not Confidence.CONFIRMED
    assert not any(one.verdict.allowed for one in case.plan.actions)
    assert done.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("supervised", ELSEWHERE, indirect=True)
async def test_a_supervisor_that_says_done_and_does_nothing_is_not_believed(supervised: Supervised) -> None:
    """Effect, not exit code (safety rule 10)."""
    patient = supervised.patient
    quick = patient.service.restart.model_copy(update={"start_timeout_s": 1.0, "kill_timeout_s": 0.5})
    engine.write(supervised.folder / "engine", lies=True)
    os.kill(supervised.pid, signal.SIGSTOP)

    done = replaced(patient.service.model_copy(update={"restart": quick}), await process_seen(patient.service))

    assert done.outcome is Outcome.UNKNOWN, done.detail
