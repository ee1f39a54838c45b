"""The plan of one run: what the runbook asks for under each cause, weighed against every guard."""

from collections.abc import Callable, Iterable, Mapping

from tasks.model.diagnosis import Cause
from tasks.model.incident import TIGHTENERS, Action
from tasks.model.plan import Due, Plan, PlannedAction
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.guards.facts import Facts
from tasks.rules.guards.restart import restarts_in_window
from tasks.rules.guards.table import weigh
from tasks.rules.planning.changes import disable_feature, restore_routing, roll_back
from tasks.rules.planning.due import lacks_input
from tasks.rules.planning.gateways import failing, unreachable
from tasks.rules.planning.service import (
    free_resources,
    infrastructure,
    leave_alone,
    pause_all,
    pause_strategy,
    restart,
)
from tasks.rules.planning.wanted import Trouble

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
HEALING = frozenset({Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE, Action.DISABLE_FEATURE, Action.RESTORE_ROUTING})


def make_plan(facts: Facts, incident_of: Mapping[Cause, str]) -> Plan:
    """Write the plan of a diagnosis, the most urgent cause first.

    Runbook: §2 Remediation of the common cases.
    Errors: none; a cause without an open incident is not acted on, for nothing could be recorded of it.
    Steps: 1. what each cause asks for 2. each action once 3. weigh each 4. one healing action a run
    """
    wanted = [
        action
        for finding in facts.diagnosis.findings
        if finding.cause in incident_of
        for action in REMEDIES[finding.cause](
            Trouble(incident_id=incident_of[finding.cause], finding=finding, facts=facts)
        )
    ]
    return Plan(
        written_at=facts.now,
        actions=tuple(_one_healing(weighed(_once(wanted), facts))),
        orders=facts.orders,
        restarts_before_count=restarts_in_window(facts),
    )


def planned_again(waiting: Iterable[PlannedAction], facts: Facts) -> tuple[PlannedAction, ...]:
    """Plan anew what lacked its input, in its place, with what stands in for it; all else stays as it was.

    Runbook: §2 Remediation of the common cases.
    Errors: none. Where the cause no longer shows nothing is left to do for it. What a person approved was the plan as
    it was shown: what it did not name waits for the next run, which asks again.
    """
    before = tuple(waiting)
    unknown = {one.key for one in before if lacks_input(one)}
    kept = (one for one in before if one.other not in unknown)
    anew = (new for one in kept for new in (_anew(one, facts) if lacks_input(one) else (one,)))
    return tuple(_as_shown(one, before, facts) for one in anew)


def _as_shown(planned: PlannedAction, shown: tuple[PlannedAction, ...], facts: Facts) -> PlannedAction:
    if not planned.verdict.allowed or any(
        (one.action, one.target) == (planned.action, planned.target) for one in shown
    ):
        return planned
    by_itself = weigh(planned, facts.model_copy(update={"approval": None}))
    if by_itself.allowed or planned.action in TIGHTENERS:
        return planned
    detail = f"the plan that was approved did not name it, and {by_itself.detail}; the next run asks"
    return planned.model_copy(update={"verdict": Verdict.no(GuardCode.INPUT_UNKNOWN, detail)})


def _anew(planned: PlannedAction, facts: Facts) -> tuple[PlannedAction, ...]:
    finding, target = planned.finding, planned.target
    if finding is None or facts.diagnosis.find(finding.cause) is None:
        return ()
    wanted = REMEDIES[finding.cause](Trouble(incident_id=planned.incident_id, finding=finding, facts=facts))
    same = (one for one in wanted if one.target.asset_class is target.asset_class)
    return weighed((one for one in same if target.asset_class or one.target.gateway == target.gateway), facts)


def weighed(actions: Iterable[PlannedAction], facts: Facts) -> tuple[PlannedAction, ...]:
    """Hold each action against its guards."""
    return tuple(one.model_copy(update={"verdict": weigh(one, facts)}) for one in actions)


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


def _one_healing(actions: Iterable[PlannedAction]) -> Iterable[PlannedAction]:
    taken: PlannedAction | None = None
    for one in actions:
        may_go_on = one.verdict.allowed or one.verdict.code is GuardCode.APPROVAL_NEEDED
        if one.action not in HEALING or not may_go_on:
            yield one
        elif taken is None:
            taken = one
            yield one
        else:
            because = f"{taken.words} comes first; the next run sees what is left"
            yield one.model_copy(update={"verdict": Verdict.no(GuardCode.ONE_AT_A_TIME, because)})
