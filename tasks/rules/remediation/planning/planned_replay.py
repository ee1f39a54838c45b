"""Decide a stored run again: its causes and its plan, by today's rules and by the settings that are asked about."""

from collections.abc import Mapping

from tasks.model.diagnosis.diagnosis import Cause, Diagnosis
from tasks.model.evidence.evidence import Evidence
from tasks.model.evidence.stored_run import Decided, PlanningInputs, ReplaySettings, StoredRun
from tasks.model.incidents.modes import more_careful
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import Plan, PlannedAction
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.incidents.action_history import ActionHistory
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.planning.plan import make_plan
from tasks.rules.remediation.planning.plan_markdown import DUE_WORDS

# These of the capabilities are the settings' own; all others were read from the host when the run was made.
OF_SETTINGS = (
    "restart",
    "remediation",
    "late_after_s",
    "cannot_control",
    "not_described",
    "cannot_roll_back",
    "order_rate_limits_per_s",
)
WOULD_BE_OPENED = "would-be-opened"


def decided_again(run: StoredRun, settings: ReplaySettings | None = None) -> tuple[Diagnosis, Plan | None]:
    """Name the causes of a stored run and plan again; None where what planning read was not kept with it.

    Runbook: §5.1.
    Errors: none. Without `settings`, by those that were in force then.
    """
    evidence = _evidence(run.evidence, settings)
    diagnosis = name_cause(evidence)
    if run.planning is None:
        return diagnosis, None
    inputs = guard_inputs(evidence, diagnosis, _planning(run.planning, settings))
    return diagnosis, make_plan(inputs, _incidents(run, diagnosis))


def guard_inputs(evidence: Evidence, diagnosis: Diagnosis, planning: PlanningInputs) -> GuardInputs:
    """Put together what a plan is made from."""
    return GuardInputs(
        now=evidence.context.looked_at,
        evidence=evidence,
        diagnosis=diagnosis,
        history=ActionHistory(actions=planning.done, rejected=planning.rejected),
        capabilities=planning.capabilities,
        orders=planning.orders,
        acting=planning.acting,
        unhealthy_neighbors=planning.unhealthy_neighbors,
    )


def decided_words(diagnosis: Diagnosis, plan: Plan | None) -> Decided:
    """Say what a run came to: its causes, what it plans with the guard that forbids it, and what it may do."""
    planned = plan.actions if plan else ()
    causes = (f"{one.cause.replace('_', ' ')}{_where(one.gateways, one.asset_classes)}, {one.confidence}"
              for one in diagnosis.findings)  # fmt: skip
    return Decided(
        causes=tuple(causes),
        plan=tuple(f"{_words(one)}: {one.verdict.code}" for one in planned),
        actions=tuple(_words(one) for one in planned if one.verdict.allowed),
    )


def _words(planned: PlannedAction) -> str:
    due = DUE_WORDS[planned.due]
    return f"{planned.words} ({due})" if due else planned.words


def _where(*names: tuple[str, ...]) -> str:
    named = next((", ".join(one) for one in names if one), "")
    return f" ({named})" if named else ""


def _evidence(evidence: Evidence, settings: ReplaySettings | None) -> Evidence:
    if settings is None:
        return evidence
    asked = evidence.context.request.mode
    changes: dict[str, object] = {"limits": settings.limits}
    if settings.mode:
        changes["mode"] = more_careful(settings.mode, asked) if asked else settings.mode
    return evidence.model_copy(update={"context": evidence.context.model_copy(update=changes)})


def _planning(planning: PlanningInputs, settings: ReplaySettings | None) -> PlanningInputs:
    if settings is None:
        return planning
    return planning.model_copy(update={"capabilities": _capabilities(planning.capabilities, settings.capabilities)})


def _capabilities(then: Capabilities, now: Capabilities) -> Capabilities:
    return then.model_copy(update={name: getattr(now, name) for name in OF_SETTINGS})


def _incidents(run: StoredRun, diagnosis: Diagnosis) -> Mapping[Cause, str]:
    """Give each cause its incident; one that was not named then would have opened its own."""
    assert run.planning is not None  # noqa: S101
    new = {one.cause: WOULD_BE_OPENED for one in diagnosis.findings if not run.diagnosis.has(one.cause)}
    return {**new, **run.planning.incidents}
