"""`runbook plan`: what a triage would do now, each action with what allows or forbids it. Nothing is done."""

import asyncio
from typing import Any

from rich.text import Text

from deployments.commands.check import EXIT_CODES, ORDERS_UNCHECKED, Orders, look
from deployments.commands.looking import Answer, JsonOutput, give, watched_service
from deployments.views.terminal import UNSURE, printable
from tasks.clients.markets import markets_now
from tasks.clients.planning import planned_for
from tasks.model.incident import Event, IncidentState
from tasks.model.plan import Plan
from tasks.model.remediation import IncidentUpdate
from tasks.model.report import TriageStory
from tasks.rules.diagnosis import name_cause
from tasks.rules.planning.markdown import plan_lines
from tasks.settings import RunbookSettings

WOULD_OPEN = "would-be-opened"


def plan(*, service: str | None = None, orders: Orders = True, json_output: JsonOutput = False) -> None:
    """Look, and print what would be done now; the exit codes are those of check.

    It acts on nothing, but it SENDS TEST ORDERS as a triage does. With --no-orders it sends none; a triage, which does,
    may then see more.

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
        lambda: plan_answer(service, orders=orders),
        json_output=json_output,
        blind=lambda reason: as_json(service or "unknown", None, reason),
    )


def plan_answer(service: str | None, *, orders: bool = True) -> Answer:
    """Look, name the cause, and make the plan as a triage would.

    Errors: `BAD_SETTING`, `UNKNOWN_SERVICE`; `LEDGER_UNREADABLE`: without the ledger nothing would be done.
    """
    settings, name, _ = watched_service(service)
    story = asyncio.run(story_now(settings, name, orders=orders))
    made = asyncio.run(planned_for(settings, story))
    status = story.diagnosis.status
    lines = [Text(printable(line)) for line in plan_lines(made.actions) or ("nothing to do",)]
    lines += [] if orders else [Text(ORDERS_UNCHECKED, UNSURE)]
    return Answer(as_json(name, made, status.value), lines, EXIT_CODES[status])


async def story_now(settings: RunbookSettings, service: str, *, orders: bool = True) -> TriageStory:
    """Look, and put each cause into its open incident, or into the one that a triage would open."""
    looked = await look(settings, service, orders=orders)
    diagnosis = name_cause(looked)
    evidence = looked.model_copy(update={"markets": markets_now(settings.service(service))})
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


def as_json(service: str, made: Plan | None, status: str) -> dict[str, Any]:
    """Lay the plan out as other programs rely on it."""
    return {
        "service": service,
        "status": status,
        "actions": [_action(one) for one in made.model_dump(mode="json")["actions"]] if made else [],
        "orders": made.orders.model_dump(mode="json") if made and made.orders else None,
    }


def _action(one: dict[str, Any]) -> dict[str, Any]:
    verdict = one.pop("verdict")
    cause = (one.pop("finding") or {}).get("cause")
    return {**one, "cause": cause, "allowed": verdict["allowed"], "code": verdict["code"], "detail": verdict["detail"]}
