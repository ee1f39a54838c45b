"""The plan of one run: what the runbook asks for under each cause, evaluated against every guard."""

from collections.abc import Callable, Iterable, Mapping

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import TIGHTENERS, Action
from tasks.model.remediation.plan import Due, Plan, PlannedAction
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.remediation.guards.back_off import trust_in
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.restart import restarts_in_window
from tasks.rules.remediation.planning.change_actions import disable_feature, restore_routing, roll_back
from tasks.rules.remediation.planning.due import lacks_input
from tasks.rules.remediation.planning.gateway_actions import failing, unreachable
from tasks.rules.remediation.planning.propose import Trouble
from tasks.rules.remediation.planning.service_actions import (
    free_resources,
    infrastructure,
    leave_alone,
    pause_all,
    pause_strategy,
    restart,
)

Remedy = Callable[[Trouble], tuple[PlannedAction, ...]]
REMEDIES: dict[Cause, Remedy] = {
    Cause.SERVICE_HUNG: restart,
    Cause.SERVICE_DOWN: restart,
    Cause.CRASH_LOOP: pause_all,
    Cause.RESOURCE_EXHAUSTED: free_resources,
    Cause.DEPENDENCY_UNREACHABLE: unreachable,
    Cause.GATEWAY_FAILING: failing,
    Cause.ROUTING_MISCONFIGURED: restore_routing,
    Cause.BAD_RELEASE: roll_back,
    Cause.BAD_FEATURE: disable_feature,
    Cause.CLIENT_MISBEHAVIOUR: pause_strategy,
    Cause.INFRASTRUCTURE: infrastructure,
    Cause.OBSERVABILITY_FAULT: leave_alone,
    Cause.MONITOR_BLIND: leave_alone,
    Cause.UNKNOWN: leave_alone,
}
# Each of these changes the running service itself. Two in one run, and nobody could say which one helped or harmed.
CHANGES_SERVICE = frozenset(
    {Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE, Action.DISABLE_FEATURE, Action.RESTORE_ROUTING}
)


def make_plan(inputs: GuardInputs, incident_of: Mapping[Cause, str]) -> Plan:
    """Write the plan of a diagnosis, the most urgent cause first.

    Runbook: §2 Remediation of the common cases.
    A cause without an open incident is not acted on, for nothing could be recorded of it.
    Steps: 1. what each cause asks for 2. each action once 3. evaluate each 4. one change of the service a run
    """
    wanted = [
        action
        for finding in inputs.diagnosis.findings
        if finding.cause in incident_of
        for action in REMEDIES[finding.cause](
            Trouble(incident_id=incident_of[finding.cause], finding=finding, inputs=inputs)
        )
    ]
    actions = tuple(_one_change(evaluated(_once(wanted), inputs)))
    earned = (trust_in(one, inputs) for one in actions)
    return Plan(
        written_at=inputs.now,
        actions=actions,
        orders=inputs.orders,
        restarts_before_count=restarts_in_window(inputs),
        trust=tuple({(one.action, one.cause, one.target): one for one in earned if one}.values()),
    )


def planned_again(waiting: Iterable[PlannedAction], inputs: GuardInputs) -> tuple[PlannedAction, ...]:
    """Plan again what lacked its input, in its place, with what stands in for it; all else stays as it was.

    Runbook: §2 Remediation of the common cases.
    Where the cause no longer shows nothing is left to do for it. What a person approved was the plan as
    it was shown: what it did not name waits for the next run, which asks again.
    """
    before = tuple(waiting)
    unknown = {one.key for one in before if lacks_input(one)}
    kept = (one for one in before if one.other not in unknown)
    again = (new for one in kept for new in (_planned_again(one, inputs) if lacks_input(one) else (one,)))
    return tuple(_as_shown(one, before, inputs) for one in again)


def _as_shown(planned: PlannedAction, shown: tuple[PlannedAction, ...], inputs: GuardInputs) -> PlannedAction:
    if not planned.verdict.allowed or any(
        (one.action, one.target) == (planned.action, planned.target) for one in shown
    ):
        return planned
    by_itself = evaluate(planned, inputs.model_copy(update={"approval": None}))
    if by_itself.allowed or planned.action in TIGHTENERS:
        return planned
    detail = f"the plan that was approved did not name it, and {by_itself.detail}; the next run asks"
    return planned.model_copy(update={"verdict": Verdict.no(GuardCode.INPUT_UNKNOWN, detail)})


def _planned_again(planned: PlannedAction, inputs: GuardInputs) -> tuple[PlannedAction, ...]:
    finding, target = planned.finding, planned.target
    if finding is None or inputs.diagnosis.find(finding.cause) is None:
        return ()
    wanted = REMEDIES[finding.cause](Trouble(incident_id=planned.incident_id, finding=finding, inputs=inputs))
    same = (one for one in wanted if one.target.asset_class == target.asset_class)
    return evaluated((one for one in same if target.asset_class or one.target.gateway == target.gateway), inputs)


def evaluated(actions: Iterable[PlannedAction], inputs: GuardInputs) -> tuple[PlannedAction, ...]:
    return tuple(one.model_copy(update={"verdict": evaluate(one, inputs)}) for one in actions)


def _once(actions: Iterable[PlannedAction]) -> tuple[PlannedAction, ...]:
    """Keep the first of actions that do the same.

    Steps: one that is due in any case makes those needless that may be due; of these all stay, for each waits for the
    end of another action, which also says how it would have to end.
    """
    wanted = tuple(actions)
    always = {(one.action, one.target.words) for one in wanted if one.due is Due.ALWAYS}
    kept: dict[tuple[str, ...], PlannedAction] = {}
    for one in wanted:
        same = (one.action, one.target.words)
        if one.due is Due.ALWAYS or same not in always:
            kept.setdefault((*same, one.other), one)
    return tuple(kept.values())


def _one_change(actions: Iterable[PlannedAction]) -> Iterable[PlannedAction]:
    taken: PlannedAction | None = None
    for one in actions:
        may_go_on = one.verdict.allowed or one.verdict.code is GuardCode.APPROVAL_NEEDED
        if one.action not in CHANGES_SERVICE or not may_go_on:
            yield one
        elif taken is None:
            taken = one
            yield one
        else:
            because = f"{taken.words} comes first; the next run sees what is left"
            yield one.model_copy(update={"verdict": Verdict.no(GuardCode.ONE_AT_A_TIME, because)})
