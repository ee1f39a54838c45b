"""`runbook check`: look and name the cause, without Prefect's server and without acting."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from cyclopts import Parameter

from deployments.commands.looking import Answer, JsonOutput, give, watched_service
from deployments.views.check import check_lines
from deployments.views.checks import result_lines
from deployments.views.terminal import UNSURE, line
from tasks.clients.confirming import confirming_looks
from tasks.clients.context import context_of
from tasks.clients.observe import observe
from tasks.clients.order_service import synthetic_call
from tasks.model.checks import CheckResult, LogTemplateRule
from tasks.model.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.errors import CannotLook, Code
from tasks.model.evidence import Evidence, TriageRequest
from tasks.model.log_findings import LogsLook, ScanQuestion
from tasks.rules.checks import check_results, fired
from tasks.rules.diagnosis import name_cause
from tasks.rules.headline import headline, held_now, overall_status
from tasks.settings import RunbookSettings

# The exit codes of monitoring plugins.
LOGS_FOR = timedelta(minutes=5)
LOGS_DEADLINE_S = 5.0
ORDERS_UNCHECKED = "Orders were not checked (--no-orders): whether they fill is not known."
Orders = Annotated[bool, Parameter(name="--orders", negative="--no-orders")]
EXIT_CODES = {Status.OK: 0, Status.DEGRADED: 1, Status.CRITICAL: 2, Status.BLIND: 3}


def check(*, service: str | None = None, orders: Orders = True, json_output: JsonOutput = False) -> None:
    """Look at one service and name what is wrong; exit 0 ok, 1 degraded, 2 critical, 3 blind.

    It acts on nothing, but it SENDS TEST ORDERS: one small synthetic order for each asset class, up to three where
    something looks wrong. With --no-orders it sends none, and cannot say whether orders fill.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    orders
        Whether test orders are sent; without them nobody knows whether orders fill.
    json_output
        Print one JSON document.
    """
    give(
        lambda: check_answer(service, orders=orders),
        json_output=json_output,
        blind=lambda reason: as_json(service or "unknown", blind(reason), None),
    )


def check_answer(service: str | None, *, orders: bool = True) -> Answer:
    """Look, name the cause and lay the answer out.

    Errors: `BAD_SETTING`, `UNKNOWN_SERVICE`. Where our own tool could not look, the answer is blind.
    """
    settings, name, _ = watched_service(service)
    try:
        evidence: Evidence | None = asyncio.run(look(settings, name, orders=orders))
        diagnosis = name_cause(evidence) if evidence else blind("nothing was seen")
    except CannotLook as error:
        if error.code is Code.BAD_SETTING:
            raise
        evidence, diagnosis = None, blind(str(error))
    results = check_results(evidence, recent_logs(settings, name, evidence)) if evidence else ()
    unchecked = [] if orders else [line(), line((ORDERS_UNCHECKED, UNSURE))]
    lines = [*check_lines(name, diagnosis, evidence), *result_lines(results), *unchecked]
    return Answer(as_json(name, diagnosis, evidence, results), lines, EXIT_CODES[overall_of(diagnosis, evidence)])


def overall_of(diagnosis: Diagnosis, evidence: Evidence | None) -> Status:
    """Say the service in one word, by what was seen and by what is in force."""
    return overall_status(diagnosis, held_now(evidence), evidence)


def recent_logs(settings: RunbookSettings, service: str, evidence: Evidence) -> LogsLook | None:
    """Read what was logged in the last minutes, where an accepted check asks; the triage's own place is left alone."""
    if not any(isinstance(check.rule, LogTemplateRule) for check in evidence.context.checks):
        return None
    from tasks.clients.log_files import look_at_log  # noqa: PLC0415 - its engine takes a third of a second

    now = evidence.latest.looked_at
    question = ScanQuestion(now=now, since=now - LOGS_FOR, deadline_s=LOGS_DEADLINE_S)
    scans, unread = [], []
    for file in settings.service(service).log_files:
        try:
            scans.append(look_at_log(file, question))
        except CannotLook as error:
            unread.append(str(error))
    return LogsLook(scans=tuple(scans), blind=tuple(unread))


async def look(settings: RunbookSettings, service: str, *, orders: bool = True) -> Evidence:
    """Make the looks of one triage, and again where the first ones show trouble; without orders, none is sent.

    Errors: `BAD_SETTING` for an order that breaks its quarantine; a triage reports it in its row, here a person reads.
    """
    watched = settings.service(service)
    watched = watched if orders else watched.model_copy(update={"synthetic_orders": {}})
    for asset_class in watched.synthetic_orders:
        synthetic_call(watched, asset_class, "not sent")
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


def as_json(
    service: str, diagnosis: Diagnosis, evidence: Evidence | None, results: tuple[CheckResult, ...] = ()
) -> dict[str, Any]:
    """Lay the answer out as other programs rely on it; `warnings` are the accepted checks that fired, notes only."""
    held = held_now(evidence)
    return {
        "service": service,
        "status": overall_of(diagnosis, evidence).value,
        "summary": headline(service, diagnosis, evidence),
        "in_force": [one.model_dump(mode="json") for one in held.restrictions],
        "orders_checked": bool(evidence and evidence.latest.orders),
        "causes": [_cause(finding) for finding in diagnosis.findings],
        "warnings": [one.model_dump(mode="json") for one in fired(results)],
        "checks": [one.model_dump(mode="json") for one in results],
        "evidence": evidence.model_dump(mode="json") if evidence else {},
    }


def _cause(finding: Finding) -> dict[str, Any]:
    return {**finding.model_dump(mode="json"), "because": "; ".join(finding.because)}
