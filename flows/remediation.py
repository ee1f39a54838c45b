"""§2 Remediation of the common cases."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from prefect import flow
from prefect.runtime import flow_run

from flows.approval import ask_approval
from flows.escalation import escalation
from tasks.act.confirm_recovery import confirm_recovery
from tasks.act.disable_feature import disable_feature
from tasks.act.lease_service import lease_service
from tasks.act.mark_degraded import mark_degraded
from tasks.act.pause_strategies import pause_strategies
from tasks.act.plan_again import plan_again
from tasks.act.release_service import release_service
from tasks.act.reroute_orders import reroute_orders
from tasks.act.restart_service import restart_service
from tasks.act.restore_routing import restore_routing
from tasks.act.resume import resume
from tasks.act.roll_back_release import roll_back_release
from tasks.act.take_snapshot import take_snapshot
from tasks.model.incidents.incident import Action
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase, RemediationResult
from tasks.model.reports.report import UnderWay
from tasks.record.write_plan import write_plan
from tasks.rules.messages.outcome import rerouted_messages
from tasks.rules.remediation.planning.due import (
    blocked,
    evidence_first,
    input_is_back,
    is_due,
    lock_words,
    may_follow,
    needs_proof,
    not_tried,
    proven_with_others,
    sum_up,
    waits_for_nobody,
    worth_trying,
)
from tasks.rules.reports.run_names import acting_name
from tasks.work.triage.growing_report import show_now

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
    case: RemediationCase = flow_run.parameters["case"]
    return acting_name(case.service, case.plan.actions)


@flow(name="remediation", flow_run_name=run_name)
async def remediation(case: RemediationCase) -> RemediationResult:
    """Carry the plan out once, under the service's lock, where every guard allows it; prove that it helped.

    Runbook: §2 Remediation.
    """
    lease = await lease_service(case.service)
    if not lease.taken and not waits_for_nobody(case):
        return blocked(case.plan, lease)
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
        if worth_trying(planned):
            show_now(UnderWay(since=datetime.now(UTC), results=results, action=planned))
        results = (*results, await act(case, planned))
        if input_is_back(results, waiting):
            waiting = await plan_again(case, waiting)  # §2
    show_now(UnderWay(since=datetime.now(UTC), results=results, words="proving that it helped"))
    return results, left


async def act(case: RemediationCase, planned: PlannedAction) -> ActionResult:
    """Take one action, and prove that it helped, unless it is proven together with others."""
    if not worth_trying(planned):
        return not_tried(planned)
    result = await STEPS[planned.action](case, planned)
    waits = proven_with_others(result)
    return await confirm_recovery(case, result) if needs_proof(result) and not waits else result


async def prove_together(case: RemediationCase, results: tuple[ActionResult, ...]) -> tuple[ActionResult, ...]:
    """Prove that the re-routes helped, all of them over the same time."""
    waiting = [one for one in results if proven_with_others(one)]
    proven = await asyncio.gather(*(confirm_recovery(case, one) for one in waiting))
    by_key = {one.key: one for one in proven}
    return tuple(by_key.get(one.key, one) for one in results)
