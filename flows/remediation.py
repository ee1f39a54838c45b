"""§2 Remediation of the common cases."""

from collections.abc import Awaitable, Callable

from prefect import flow
from prefect.runtime import flow_run

from flows.approval import ask_approval
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
    sum_up,
    waits_for_nobody,
    worth_trying,
)
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
    """Keep the evidence, then take each action that is due, in order.

    Runbook: §2.1, §2.2, §2.3.
    """
    snapshot = take_snapshot(case) if evidence_first(case) else None  # §3.1
    results: tuple[ActionResult, ...] = ()
    waiting = case.plan.actions
    while waiting:
        planned, waiting = waiting[0], waiting[1:]
        if is_due(planned, results) and may_follow(planned, results):
            results = (*results, await act(case, planned))
            if input_is_back(results, waiting):
                waiting = await plan_again(case, waiting)  # §2
    return sum_up(case, results, snapshot)


async def act(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Take one action, and look whether it helped."""
    if not worth_trying(planned):
        return not_tried(planned)
    result = await STEPS[planned.action](case, planned)
    return await confirm_recovery(case, result) if needs_proof(result) else result
