"""Go as far as a triage does before §2: look three times, name the cause, open the incident, make the plan."""

from datetime import UTC, datetime

from tasks.clients.incidents.mode import current_mode
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.reports.report import TriageStory
from tasks.record.record_incidents import incidents_recorded
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.work.remediation.plan import planned_for
from tasks.work.triage.confirming import confirming_checks
from tasks.work.triage.probe_pass import observe
from tests.fakes.service.monitored_service import Patient

NAME = "order-service"


TRIAGES_AT_MOST = 3


async def triaged(patient: Patient) -> TriageStory:
    """Tell what one run saw, what the ledger says after it, and what it would do.

    A run that was itself held up on a busy machine could not check, and does nothing: the next minute checks again.
    """
    story = await _one_run(patient)
    for _ in range(TRIAGES_AT_MOST - 1):
        if not story.diagnosis.has(Cause.MONITOR_BLIND):
            break
        story = await _one_run(patient)
    return story


async def _one_run(patient: Patient) -> TriageStory:
    first = await observe(patient.service)
    mode = current_mode(patient.settings)
    context = Context(request=TriageRequest(service=NAME), looked_at=datetime.now(UTC), mode=mode, late_s=0)
    rounds = await confirming_checks(patient.service, first, context)
    evidence = Evidence(context=context, observations=rounds)
    diagnosis = name_cause(evidence)
    incidents = incidents_recorded(patient.settings, evidence, diagnosis)
    story = TriageStory(evidence=evidence, diagnosis=diagnosis, incidents=incidents)
    return story.having(plan=await planned_for(patient.settings, story))
