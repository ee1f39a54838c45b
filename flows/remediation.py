"""§2 Remediation of the common cases."""

import asyncio
from collections.abc import Awaitable, Callable

from prefect import flow
from prefect.runtime import flow_run

from flows.approval import ask_approval
from flows.escalation import escalation
from tasks.confirm_recovery import confirm_recovery
from tasks.disable_feature import disable_feature
from tasks.lease_service import lease_service
from tasks.mark_degraded import mark_degraded
from tasks.model.incident import Action
from tasks.model.plan import PlannedAction
from tasks.model.remediation import ActionResult, RemediationCase, RemediationResult
from tasks.model.verdicts import GuardCode
from tasks.pause_strategies import pause_strategies
from tasks.plan_again import plan_again
from tasks.release_service import release_service
from tasks.reroute_orders import reroute_orders
from tasks.restart_service import restart_service
from tasks.restore_routing import restore_routing
from tasks.resume import resume
from tasks.roll_back_release import roll_back_release
from tasks.rules.planning.due import (
    evidence_first,
    input_is_back,
    is_due,
    lock_words,
    may_follow,
    needs_proof,
    no_action,
    not_tried,
    proven_with_others,
    sum_up,
    waits_for_nobody,
    worth_trying,
)
from tasks.rules.remediation_messages import rerouted_messages
from tasks.rules.run_names import acting_name
from tasks.take_snapshot import take_snapshot
from tasks.write_plan import write_plan

STEPS: dict[Action, Callable[[RemediationCase, PlannedAction], Awaitable[ActionResult]]] = {
    Action.RESTART_SERVICE: restart_service,  # §2.1
    Action.MARK_DEGRADED: mark_degraded,  # §2.1
    Action.REROUTE_ORDERS: reroute_orders,  # §2.2
    Action.PAUSE_STRATEGIES: pause_strategies,  # §2.2
    Action.RESTORE_ROUTING: restore_routing,  # §2.2
    Action.RESUME: resume,  # §2.2
    Action.ROLL_BACK_RELEASE: roll_back_release,  # §2.3
    Action.DISABLE_FEATURE: disable_feature,  # §2.3
}


def run_name() -> str:
    """Name the run by what is planned."""
    case: RemediationCase = flow_run.parameters["case"]
    return acting_name(case.service, case.plan.actions)


@flow(name="remediation", flow_run_name=run_name)
async def remediation(case: RemediationCase) -> RemediationResult:
    """Carry the plan out once, under the service's lock, where every guard allows it; prove that it helped.

    Runbook: §2 Remediation.
    """
    lease = await lease_service(case.service)
    if not lease.taken and not waits_for_nobody(case):
        return no_action(case.plan, GuardCode.LOCK_HELD, f"an action is under way: {lease.holder}")
    case = case.model_copy(update={"lock": lock_words(lease)})
    try:
        await write_plan(case)  # §2, before anything is done
        return await carry_out(await ask_approval(case) if case.plan.asks else case)
    finally:
        await release_service(lease)


async def carry_out(case: RemediationCase) -> RemediationResult:
    """Keep the evidence, take each action that is due, in order; re-routes are proven together, after all of them.

    Runbook: §2.1, §2.2, §2.3.
    """
    snapshot = take_snapshot(case) if evidence_first(case) else None  # §3.1
    results, left = await take_due(case, case.plan.actions, ())
    if any(proven_with_others(one) for one in results):
        await escalation(case.service, rerouted_messages(case, results))  # §4.1, before the proof
        results = await prove_together(case, results)
        results, _ = await take_due(case, left, results)
    return sum_up(case, results, snapshot)


async def take_due(
    case: RemediationCase, waiting: tuple[PlannedAction, ...], results: tuple[ActionResult, ...]
) -> tuple[tuple[ActionResult, ...], tuple[PlannedAction, ...]]:
    """Take each action that is due by how those before it ended, in order; and name those that were not due."""
    left: tuple[PlannedAction, ...] = ()
    while waiting:
        planned, waiting = waiting[0], waiting[1:]
        if not (is_due(planned, results) and may_follow(planned, results)):
            left = (*left, planned)
            continue
        results = (*results, await act(case, planned))
        if input_is_back(results, waiting):
            waiting = await plan_again(case, waiting)  # §2
    return results, left


async def act(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Take one action, and look whether it helped, unless that is looked at together with others."""
    if not worth_trying(planned):
        return not_tried(planned)
    result = await STEPS[planned.action](case, planned)
    waits = proven_with_others(result)
    return await confirm_recovery(case, result) if needs_proof(result) and not waits else result


async def prove_together(case: RemediationCase, results: tuple[ActionResult, ...]) -> tuple[ActionResult, ...]:
    """Look whether the re-routes helped, all of them over the same time."""
    waiting = [one for one in results if proven_with_others(one)]
    proven = await asyncio.gather(*(confirm_recovery(case, one) for one in waiting))
    by_key = {one.key: one for one in proven}
    return tuple(by_key.get(one.key, one) for one in results)
