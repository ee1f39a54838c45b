"""`runbook check`: observe and diagnose, without Prefect's server and without acting."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.text import Text

from deployments.commands.answer import Answer, give
from deployments.commands.options import JsonOutput, Orders, Service, monitored_service
from deployments.views.columns import Rows, View, laid_out
from deployments.views.observations import first_line
from deployments.views.terminal import BAD, DIM, GOOD, UNSURE, line
from tasks.clients.files.runbook_page import section_titles
from tasks.clients.service.synthetic_orders import synthetic_call
from tasks.model.checks.checks import CheckResult, LogTemplateRule
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.errors import CannotObserve, Code
from tasks.model.evidence.evidence import Evidence, TriageRequest
from tasks.model.logs.findings import LogCheck, ScanQuestion
from tasks.model.probes.probes import Observation
from tasks.rules.checks.checks import check_results, fired
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.formats.time import utc_text
from tasks.rules.in_force.headline import headline, held_now, overall_status
from tasks.rules.incidents.tiers import TIER_NAMES
from tasks.settings import RunbookSettings
from tasks.work.triage.confirming import confirming_checks
from tasks.work.triage.context import context_of
from tasks.work.triage.probe_pass import observe

LOGS_FOR = timedelta(minutes=5)
LOGS_DEADLINE_S = 5.0
ORDERS_UNCHECKED = "Orders were not checked (--no-orders): whether they fill is unknown."
# The exit codes of monitoring plugins.
EXIT_CODES = {Status.OK: 0, Status.DEGRADED: 1, Status.CRITICAL: 2, Status.BLIND: 3}
STYLES = {Status.OK: GOOD, Status.DEGRADED: UNSURE, Status.CRITICAL: f"bold {BAD}", Status.BLIND: UNSURE}
FINDING = View(
    "  {cause!b}  {confidence}",
    rows=(
        Rows("because", "    because    {}"),
        Rows("ruled_out", "    ruled out  {}"),
        Rows("to", "    goes to    {}"),
        Rows("next", "    next       {}"),
    ),
    computed={
        "ruled_out": lambda finding: finding.ruled_out or ("nothing",),
        "to": lambda finding: [TIER_NAMES[finding.tier]],
        "next": lambda finding: [f"{finding.section} {section_titles().get(finding.section, '')}".rstrip()],
    },
)
RESULTS = View(
    rows=(
        Rows("fired", "  early warning  {check_id!w}  {detail}"),
        Rows("unsure", "  not measured  {check_id!d}  {detail}"),
    )
)


def check(*, service: Service = None, orders: Orders = True, json_output: JsonOutput = False) -> None:
    """Check one service and name what is wrong; exit 0 ok, 1 degraded, 2 critical, 3 blind.

    It acts on nothing, but it SENDS TEST ORDERS: one small synthetic order for each asset class, up to three where
    something seems wrong. With --no-orders it sends none, and cannot say whether orders fill.
    """
    give(
        lambda: _answer(service, orders=orders),
        json_output=json_output,
        blind=lambda reason: as_json(service or "unknown", blind(reason), None),
    )


async def _answer(service: str | None, *, orders: bool = True) -> Answer:
    """Observe, diagnose and lay the answer out; where our own tool could not observe, the answer is blind."""
    settings, name, _ = monitored_service(service)
    try:
        evidence: Evidence | None = await observed_evidence(settings, name, orders=orders)
        diagnosis = name_cause(evidence) if evidence else blind("nothing was seen")
    except CannotObserve as error:
        if error.code is Code.BAD_SETTING:
            raise
        evidence, diagnosis = None, blind(str(error))
    results = check_results(evidence, _recent_logs(settings, name, evidence)) if evidence else ()
    unchecked = [] if orders else [line(), line((ORDERS_UNCHECKED, UNSURE))]
    lines = [*check_lines(name, diagnosis, evidence), *_result_lines(results), *unchecked]
    return Answer(as_json(name, diagnosis, evidence, results), lines, EXIT_CODES[_overall(diagnosis, evidence)])


async def observed_evidence(settings: RunbookSettings, service: str, *, orders: bool = True) -> Evidence:
    """Observe as one triage does, and again where the first pass shows trouble; without orders, none is sent.

    Errors: `BAD_SETTING` for an order that breaks its quarantine; a triage reports it in its row, here a person reads.
    """
    watched = settings.service(service)
    watched = watched if orders else watched.model_copy(update={"synthetic_orders": {}})
    for asset_class in watched.test_orders:
        synthetic_call(watched, asset_class, "not sent")
    context = context_of(settings, TriageRequest(service=service), datetime.now(UTC))
    return Evidence(context=context, observations=await confirming_checks(watched, await observe(watched), context))


def blind(reason: str) -> Diagnosis:
    """Say that our own tool could not observe, which says nothing of the service."""
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
    return {
        "service": service,
        "status": _overall(diagnosis, evidence).value,
        "summary": headline(service, diagnosis, evidence),
        "in_force": [one.model_dump(mode="json") for one in held_now(evidence).restrictions],
        "orders_checked": bool(evidence and evidence.latest.orders),
        "causes": [{**one.model_dump(mode="json"), "because": "; ".join(one.because)} for one in diagnosis.findings],
        "warnings": [one.model_dump(mode="json") for one in fired(results)],
        "checks": [one.model_dump(mode="json") for one in results],
        "evidence": evidence.model_dump(mode="json") if evidence else {},
    }


def check_lines(service: str, diagnosis: Diagnosis, evidence: Evidence | None) -> list[Text]:
    """Lay out a first line to read aloud, then each cause, then everything that was seen."""
    first = line((headline(service, diagnosis, evidence), STYLES[_overall(diagnosis, evidence)]))
    causes = [row for finding in diagnosis.findings for row in (line(), *laid_out(FINDING, finding))]
    if evidence is None:
        return [first, *causes]
    count = len(evidence.observations)
    seen = f"seen at {utc_text(evidence.latest.looked_at)}, in {count} pass{'' if count == 1 else 'es'}"
    rows = (line("  ").append_text(one) for one in _first_lines(evidence.latest))
    return [first, *causes, line(), line((seen, DIM)), *rows]


def _overall(diagnosis: Diagnosis, evidence: Evidence | None) -> Status:
    return overall_status(diagnosis, held_now(evidence), evidence)


def _recent_logs(settings: RunbookSettings, service: str, evidence: Evidence) -> LogCheck | None:
    """Read what was logged in the last minutes, where an accepted check asks; the triage's own place is left alone."""
    if not any(isinstance(check.rule, LogTemplateRule) for check in evidence.context.checks):
        return None
    from tasks.clients.logs.scan_logs import recent_logs  # noqa: PLC0415 - its engine takes a third of a second

    now = evidence.latest.looked_at
    question = ScanQuestion(now=now, since=now - LOGS_FOR, deadline_s=LOGS_DEADLINE_S)
    return recent_logs(settings.service(service), question)


def _result_lines(results: tuple[CheckResult, ...]) -> list[Text]:
    fired_or_unsure = {"fired": fired(results), "unsure": [one for one in results if one.fired is None]}
    rows = laid_out(RESULTS, fired_or_unsure)
    return [line(), *rows] if rows else []


def _first_lines(seen: Observation) -> Iterable[Text]:
    yield first_line("health", seen.health)
    yield first_line("process", seen.process)
    yield first_line("metrics", seen.metrics)
    yield from ([first_line("routing", seen.routing)] if seen.routing else [])
    yield from (first_line("instances", one) for one in seen.instances)
    yield from (first_line("gateways", one) for one in seen.gateways)
    yield from (first_line("orders", one) for one in seen.orders)
