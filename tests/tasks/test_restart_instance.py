"""Three real instances, one of them stopped by a signal: it alone is restarted, and the others never notice."""

import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clients.process.commands import reap
from tasks.clients.process.probe import service_identity
from tasks.clients.process.processes import terminate
from tasks.clients.process.supervisors.psutil_ import start_service
from tasks.clients.service.instances import instance_of, instances_of
from tasks.model.diagnosis.diagnosis import Cause, Status
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.remediation.remediation import RemediationCase
from tasks.model.reports.report import TriageStory
from tasks.record.record_incidents import incidents_recorded
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.remediation.branches import remediation_case
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.remediation.execute import execute
from tasks.work.remediation.plan import planned_for
from tasks.work.remediation.recovery import proven_recovery
from tasks.work.remediation.restart import restarted
from tasks.work.triage.confirming import confirming_checks
from tasks.work.triage.probe_pass import observe
from tests.fakes.ports import free_port
from tests.fakes.service.monitored_service import FAST_RESTART, listens
from tests.fakes.service.several_services import UNHURRIED

pytestmark = [pytest.mark.live, pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")]
NAME = "order-service"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceSettings]:
    """Three instances that start by one command of the service; the first one's address is the common one, too."""
    ports = [free_port() for _ in range(3)]
    watched = ServiceSettings.model_validate(
        {
            "base_url": f"http://127.0.0.1:{ports[0]}",
            "instances": {
                name: {"base_url": f"http://127.0.0.1:{port}"} for name, port in zip("abc", ports, strict=True)
            },
            "process_pattern": r"order_service\.stub .*--port ${port}\b",
            "start_command": (sys.executable, "-m", "order_service.stub", "--scenario", "healthy", "--port", "${port}"),
            "start_log": tmp_path / "stub-${instance}.log",
            "look": UNHURRIED,
            "restart": FAST_RESTART,
        }
    )
    each = [instance_of(watched, name) for name in instances_of(watched)]
    for one in each:
        start_service(one, lambda port=one.port: listens(port))  # type: ignore[misc]
    yield watched
    for one in each:
        if (identity := service_identity(one)) is not None:
            terminate(identity, grace_s=0)
    reap()


async def case_of(settings: RunbookSettings) -> RemediationCase:
    """Look three times, name the cause, open the incident, write the plan, as the flow does."""
    service = settings.service(NAME)
    passes = await confirming_checks(service, await observe(service))
    context = Context(request=TriageRequest(service=NAME), looked_at=datetime.now(UTC), mode=Mode.ACT, late_s=0)
    evidence = Evidence(context=context, observations=passes)
    diagnosis = name_cause(evidence)
    story = TriageStory(
        evidence=evidence, diagnosis=diagnosis, incidents=incidents_recorded(settings, evidence, diagnosis)
    )
    return remediation_case(story, await planned_for(settings, story))


def pids(service: ServiceSettings) -> dict[str, int | None]:
    """The process of each instance."""
    found = {name: service_identity(instance_of(service, name)) for name in instances_of(service)}
    return {name: identity.pid if identity else None for name, identity in found.items()}


async def test_a_stopped_instance_alone_is_restarted(service: ServiceSettings, tmp_path: Path) -> None:
    """Degraded, not down; its process is another one afterwards, and those of the others are the same."""
    settings = RunbookSettings(state_dir=tmp_path / "var", mode=Mode.ACT, services={NAME: service})
    before = pids(service)
    os.kill(before["c"] or 0, signal.SIGSTOP)

    case = await case_of(settings)

    assert case.diagnosis.status is Status.DEGRADED
    assert [(one.cause, one.instances) for one in case.diagnosis.findings] == [(Cause.SERVICE_HUNG, ("c",))]
    assert [(one.action, one.target.instance, one.verdict.allowed) for one in case.plan.actions] == [
        (Action.RESTART_SERVICE, "c", True)
    ]
    result = await execute(settings, case, case.plan.actions[0], restarted)
    assert result.outcome is Outcome.DONE, result.detail
    after = pids(service)
    assert (after["a"], after["b"]) == (before["a"], before["b"])
    assert after["c"] not in {None, before["c"]}
    assert (await proven_recovery(service)).outcome is Outcome.RECOVERED
