"""`runbook plan`: what a triage would do now, each action with the guard that allows or forbids it. Nothing is done."""

from typing import Any

from rich.text import Text

from deployments.commands.answer import Answer, give
from deployments.commands.check import EXIT_CODES, ORDERS_UNCHECKED, observed_evidence
from deployments.commands.options import JsonOutput, Orders, Service, monitored_service
from deployments.views.terminal import UNSURE, printable
from tasks.clients.market.hours import markets_now
from tasks.model.incidents.incident import Event, IncidentState
from tasks.model.remediation.plan import Plan
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.model.remediation.trust import Trust
from tasks.model.reports.report import TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.remediation.planning.plan_markdown import plan_lines, trust_lines
from tasks.settings import RunbookSettings
from tasks.work.remediation.plan import planned_for

WOULD_OPEN = "would-be-opened"


def plan(*, service: Service = None, orders: Orders = True, json_output: JsonOutput = False) -> None:
    """Diagnose, and print what would be done now; the exit codes are those of check.

    It acts on nothing, but it SENDS TEST ORDERS as a triage does. With --no-orders it sends none; a triage, which does,
    may then see more.
    """
    give(
        lambda: _answer(service, orders=orders),
        json_output=json_output,
        blind=lambda reason: _as_json(service or "unknown", None, reason),
    )


async def _answer(service: str | None, *, orders: bool = True) -> Answer:
    """Make the plan as a triage would; without the ledger nothing would be done."""
    settings, name, _ = monitored_service(service)
    story = await _story_now(settings, name, orders=orders)
    made = await planned_for(settings, story)
    status = story.diagnosis.status
    lines = [Text(printable(line)) for line in plan_lines(made.actions) or (_nothing(story),)]
    lines += [Text(printable(line)) for line in trust_lines(made)]
    lines += [] if orders else [Text(ORDERS_UNCHECKED, UNSURE)]
    return Answer(_as_json(name, made, status.value), lines, EXIT_CODES[status])


def _nothing(story: TriageStory) -> str:
    causes = ", ".join(finding.cause.value.replace("_", " ") for finding in story.diagnosis.findings)
    return f"No action applies: cause {causes}." if causes else "No action applies: nothing is wrong."


async def _story_now(settings: RunbookSettings, service: str, *, orders: bool = True) -> TriageStory:
    """Put each cause into its open incident, or into the one that a triage would open."""
    seen = await observed_evidence(settings, service, orders=orders)
    diagnosis = name_cause(seen)
    evidence = seen.model_copy(update={"markets": markets_now(settings.service(service))})
    known = evidence.context.open_incidents
    new = tuple(
        IncidentState(
            incident_id=WOULD_OPEN,
            service=service,
            state=Event.OPENED,
            opened_at=evidence.context.looked_at,
            causes=(finding.cause,),
        )
        for finding in diagnosis.findings
        if not any(finding.cause in one.causes for one in known)
    )
    incidents = IncidentUpdate(opened=new, observed=known)
    return TriageStory(evidence=evidence, diagnosis=diagnosis, incidents=incidents)


def _as_json(service: str, made: Plan | None, status: str) -> dict[str, Any]:
    return {
        "service": service,
        "status": status,
        "actions": [_action(one) for one in made.model_dump(mode="json")["actions"]] if made else [],
        "trust": [_trust(one) for one in made.trust] if made else [],
        "orders": made.orders.model_dump(mode="json") if made and made.orders else None,
    }


def _trust(one: Trust) -> dict[str, Any]:
    return {**one.model_dump(mode="json"), "done_count": one.done_count, "helped_count": one.helped_count}


def _action(one: dict[str, Any]) -> dict[str, Any]:
    verdict = one.pop("verdict")
    cause = (one.pop("finding") or {}).get("cause")
    return {**one, "cause": cause, "allowed": verdict["allowed"], "code": verdict["code"], "detail": verdict["detail"]}
