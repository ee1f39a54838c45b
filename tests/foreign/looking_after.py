"""Look after a foreign service as a triage does, by its settings file alone and without Prefect's server."""

from pathlib import Path
from typing import NamedTuple

from deployments.commands.check import as_json, check_lines
from deployments.commands.plan import _story_now
from tasks.model.remediation.plan import Due
from tasks.rules.in_force.headline import headline
from tasks.rules.messages.opening import opening_messages
from tasks.rules.reports.report_markdown import triage_markdown
from tasks.settings import load_settings
from tasks.work.remediation.plan import planned_for
from tests.foreign.shops import Shop

# What is the bundled service's alone, and must be said of no other.
BUNDLED_WORDS = ("control_token", "GET /health ", "POST /orders", "GET /orders", "order-service")

# What is planned if a restart does not help, or nobody answers, is another story.
NOW = {Due.ALWAYS, Due.IF_NOT_DONE}


class LookedAfter(NamedTuple):
    """What a triage saw, would do, and would say."""

    headline: str
    status: str
    causes: dict[str, str]
    plan: dict[str, str]
    text: str


async def looked_after(shop: Shop, folder: Path) -> LookedAfter:
    """Check, diagnose, plan, and write every message and the report; nothing is done and nobody is notified."""
    (folder / "runbook.toml").write_text(shop.description(), "utf-8")
    name, settings = shop.kind.service, load_settings({"RUNBOOK_CONFIG": str(folder / "runbook.toml")})
    settings = settings.model_copy(update={"state_dir": folder / "var"})
    story = await _story_now(settings, name)
    plan = await planned_for(settings, story)
    told = story.having(plan=plan)
    diagnosis, evidence = story.diagnosis, story.evidence
    lines = [line.plain for line in check_lines(name, diagnosis, evidence)]
    messages = [f"{one.text}\n{one.detail}" for one in opening_messages(told)]
    return LookedAfter(
        headline=headline(name, diagnosis, evidence),
        status=str(as_json(name, diagnosis, evidence)["status"]),
        causes={one.cause.value: one.confidence.value for one in diagnosis.findings},
        plan={one.words: one.verdict.code.value for one in plan.actions if one.due in NOW},
        text="\n".join((*lines, *messages, triage_markdown(told))),
    )
