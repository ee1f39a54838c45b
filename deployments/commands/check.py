"""`runbook check`: look and name the cause, without Prefect's server and without acting."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from deployments.commands.looking import Answer, JsonOutput, give, watched_service
from deployments.views.check import check_lines
from tasks.clients.confirming import confirming_looks
from tasks.clients.context import context_of
from tasks.clients.observe import observe
from tasks.model.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.errors import CannotLook, Code
from tasks.model.evidence import Evidence, TriageRequest
from tasks.rules.diagnosis import name_cause
from tasks.settings import RunbookSettings

# The exit codes of monitoring plugins.
EXIT_CODES = {Status.OK: 0, Status.DEGRADED: 1, Status.CRITICAL: 2, Status.BLIND: 3}


def check(*, service: str | None = None, json_output: JsonOutput = False) -> None:
    """Look at one service and name what is wrong; exit 0 ok, 1 degraded, 2 critical, 3 blind.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    json_output
        Print one JSON document.
    """
    give(
        lambda: check_answer(service),
        json_output=json_output,
        blind=lambda reason: as_json(service or "unknown", blind(reason), None),
    )


def check_answer(service: str | None) -> Answer:
    """Look, name the cause and lay the answer out.

    Errors: `BAD_SETTING`, `UNKNOWN_SERVICE`. Where our own tool could not look, the answer is blind.
    """
    settings, name, _ = watched_service(service)
    try:
        evidence: Evidence | None = asyncio.run(look(settings, name))
        diagnosis = name_cause(evidence) if evidence else blind("nothing was seen")
    except CannotLook as error:
        if error.code is Code.BAD_SETTING:
            raise
        evidence, diagnosis = None, blind(str(error))
    lines = check_lines(name, diagnosis, evidence)
    return Answer(as_json(name, diagnosis, evidence), lines, EXIT_CODES[diagnosis.status])


async def look(settings: RunbookSettings, service: str) -> Evidence:
    """Make the looks of one triage, and again where the first ones show trouble."""
    watched = settings.service(service)
    context = context_of(settings, TriageRequest(service=service), datetime.now(UTC))
    return Evidence(context=context, observations=await confirming_looks(watched, await observe(watched), context))


def blind(reason: str) -> Diagnosis:
    """Say that our own tool could not look, which says nothing of the patient."""
    finding = Finding(
        cause=Cause.MONITOR_BLIND,
        confidence=Confidence.INCONCLUSIVE,
        because=(reason,),
        section="§3.3",
        tier=Audience.TIER_3,
    )
    return Diagnosis(status=Status.BLIND, findings=(finding,))


def as_json(service: str, diagnosis: Diagnosis, evidence: Evidence | None) -> dict[str, Any]:
    """Lay the answer out as other programs rely on it."""
    return {
        "service": service,
        "status": diagnosis.status.value,
        "causes": [_cause(finding) for finding in diagnosis.findings],
        "evidence": evidence.model_dump(mode="json") if evidence else {},
    }


def _cause(finding: Finding) -> dict[str, Any]:
    return {**finding.model_dump(mode="json"), "because": "; ".join(finding.because)}
