"""`runbook check`: look and name the cause, without Prefect's server and without acting."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from deployments.views.words import say
from tasks.clients.confirming import confirming_looks
from tasks.clients.context import context_of
from tasks.clients.observe import observe
from tasks.model.diagnosis import Diagnosis, Finding, Status
from tasks.model.evidence import Evidence, TriageRequest
from tasks.rules.diagnosis import name_cause
from tasks.settings import RunbookSettings, load_settings

# The exit codes of monitoring plugins.
EXIT_CODES = {Status.OK: 0, Status.DEGRADED: 1, Status.CRITICAL: 2, Status.BLIND: 3}


def check(
    *, service: str | None = None, json_output: Annotated[bool, Parameter(name="--json", negative=())] = False
) -> None:
    """Look at one service and name what is wrong; exit 0 ok, 1 degraded, 2 critical, 3 blind.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    json_output
        Print one JSON document.
    """
    settings = load_settings()
    name = service or settings.only_service()
    evidence = asyncio.run(look(settings, name))
    diagnosis = name_cause(evidence)
    say(json.dumps(as_json(name, diagnosis, evidence), indent=2) if json_output else "\n".join(lines(name, diagnosis)))
    sys.exit(EXIT_CODES[diagnosis.status])


async def look(settings: RunbookSettings, service: str) -> Evidence:
    """Make the looks of one triage, and again where the first ones show trouble."""
    watched = settings.service(service)
    context = context_of(settings, TriageRequest(service=service), datetime.now(UTC))
    return Evidence(context=context, observations=await confirming_looks(watched, await observe(watched)))


def as_json(service: str, diagnosis: Diagnosis, evidence: Evidence) -> dict[str, Any]:
    """Lay the answer out as other programs rely on it."""
    return {
        "service": service,
        "status": diagnosis.status.value,
        "causes": [_cause(finding) for finding in diagnosis.findings],
        "evidence": evidence.model_dump(mode="json"),
    }


def lines(service: str, diagnosis: Diagnosis) -> list[str]:
    """Say the answer in lines for a person."""
    head = f"{service}: {diagnosis.status.value}"
    return [head, *(line for finding in diagnosis.findings for line in _finding_lines(finding))]


def _cause(finding: Finding) -> dict[str, Any]:
    return {**finding.model_dump(mode="json"), "because": "; ".join(finding.because)}


def _finding_lines(finding: Finding) -> list[str]:
    where = f", {finding.tier.value}, {finding.section}"
    because = [f"    because {reason}" for reason in finding.because]
    ruled_out = [f"    ruled out {reason}" for reason in finding.ruled_out]
    return [f"  {finding.cause.value} ({finding.confidence.value}){where}", *because, *ruled_out]
