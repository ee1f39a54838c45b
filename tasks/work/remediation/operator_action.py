"""A person's order, whole: recorded, done, notified, ended; from a form and from a shell alike, without Prefect.

What tightens needs neither a check, nor the lock, nor the ledger: what cannot be recorded now is recorded later. What
loosens needs all of them, and every guard.
"""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.locks.host_and_server_lock import leased, released
from tasks.clients.locks.host_lock import holder_of
from tasks.clients.messages.delivery_thread import deliver
from tasks.clients.process.processes import own_host, own_pid
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import Action, ActionRecord
from tasks.model.messages.messages import Message
from tasks.model.probes.control import TradingState
from tasks.model.remediation.operator_action import ManualAction, ManualActionStory
from tasks.model.remediation.plan import Plan, PlannedAction
from tasks.model.remediation.remediation import ActionResult, Lease, RemediationCase, RemediationResult
from tasks.model.reports.progress import LongStep, Progress, Report, unheard
from tasks.rules.incidents.action_history import action_history
from tasks.rules.messages.attachments import linked
from tasks.rules.messages.operator import announcement, outcome_messages
from tasks.rules.remediation.branches import case_for_operator, may_act, no_manual_action
from tasks.rules.remediation.planning.due import (
    blocked,
    evidence_first,
    is_due,
    lock_words,
    may_follow,
    needs_proof,
    not_tried,
    sum_up,
    waits_for_nobody,
    worth_trying,
)
from tasks.settings import RunbookSettings
from tasks.work.remediation.evidence_snapshot import evidence_kept
from tasks.work.remediation.execute import ActionContext, ActionFunction, ActionOutcome, execute
from tasks.work.remediation.feature import disabled
from tasks.work.remediation.guard_inputs import standing_now
from tasks.work.remediation.mark import marked
from tasks.work.remediation.operator_incident import manual_action_ended, manual_action_recorded, planned_by_operator
from tasks.work.remediation.pause import paused
from tasks.work.remediation.recovery import proven
from tasks.work.remediation.reroute import rerouted
from tasks.work.remediation.restart import restarted
from tasks.work.remediation.restore import restored
from tasks.work.remediation.resume import resumed
from tasks.work.remediation.roll_back import rolled_back
from tasks.work.triage.context import context_at_once, context_of
from tasks.work.triage.probe_pass import observe

# What each action does: the very functions that the steps of a run call.
FUNCTIONS: dict[Action, ActionFunction] = {
    Action.MARK_DEGRADED: marked,
    Action.REROUTE_ORDERS: rerouted,
    Action.PAUSE_STRATEGIES: paused,
    Action.RESTORE_ROUTING: restored,
    Action.RESUME: resumed,
    Action.DISABLE_FEATURE: disabled,
}
TAKES_LONG = {Action.RESTART_SERVICE: restarted, Action.ROLL_BACK_RELEASE: rolled_back}


class Operated(NamedTuple):
    """What a person ordered, and what came of it."""

    story: ManualActionStory
    result: RemediationResult


async def pause_ordered(settings: RunbookSettings, manual_action: ManualAction, run_url: str | None = None) -> Operated:
    """Pause what a person names, all of it at once; then notify, and record what could not be recorded before.

    Runbook: §2.2 Else pause automated strategies.
    Errors: `UNKNOWN_SERVICE`. Every end of the change is an outcome, and none of the ledger keeps it off.
    Steps: only what is no halt checks first, for it may loosen.
    """
    request = TriageRequest(service=manual_action.service, note=manual_action.asked.reason)
    context = context_at_once(settings, request, datetime.now(UTC), run_url=run_url)
    halts = all(one.trading_state is not TradingState.REDUCING for one in manual_action.targets)
    seen = None if halts else await standing_now(settings.service(manual_action.service))
    story = manual_action_recorded(settings, manual_action, context, seen)
    plan = await planned_by_operator(settings, story)
    case = _case(settings, story, plan)
    results = await asyncio.gather(*(_paused(settings, case, one) for one in plan.actions))
    result = sum_up(case, tuple(results), None)
    return await _ended(settings, story, plan, result)


async def ordered(settings: RunbookSettings, manual_action: ManualAction, report: Report = unheard) -> Operated:
    """Do once what a person orders, as its form does: a pause at once, all else under the lock and every guard.

    Runbook: §2 Remediation of the common cases.
    Errors: `UNKNOWN_SERVICE`; `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`: what cannot be recorded is not done, unless it
    tightens.
    """
    if manual_action.is_pause:
        return await pause_ordered(settings, manual_action)
    request = TriageRequest(service=manual_action.service, note=manual_action.asked.reason)
    context = context_of(settings, request, datetime.now(UTC))
    seen = await observe(settings.service(manual_action.service))
    story = manual_action_recorded(settings, manual_action, context, seen)
    plan = await planned_by_operator(settings, story)
    await _notified(settings, story, announcement(story, plan))
    case = case_for_operator(story, plan)
    result = await _under_lock(settings, case, report) if may_act(plan) else no_manual_action(case)
    return await _ended(settings, story, plan, result)


async def _under_lock(settings: RunbookSettings, case: RemediationCase, report: Report) -> RemediationResult:
    """Skip what another run keeps from being done now, and name that run; what tightens does not wait for it."""
    command = case.plan.actions[0].action.replace("_", " ")
    lease = await leased(settings.state_dir, case.service, f"{command} from a shell on {own_host()} (pid {own_pid()})")
    if not lease.taken and not waits_for_nobody(case):
        return blocked(case.plan, lease)
    case = case.model_copy(update={"lock": lock_words(lease)})
    try:
        snapshot = await asyncio.to_thread(evidence_kept, settings, case) if evidence_first(case) else None
        results: tuple[ActionResult, ...] = ()
        for planned in case.plan.actions:
            if is_due(planned, results) and may_follow(planned, results):
                results = (*results, await _acted(settings, case, planned, report))
        return sum_up(case, results, snapshot)
    finally:
        await released(settings.state_dir, lease)


async def _acted(
    settings: RunbookSettings, case: RemediationCase, planned: PlannedAction, report: Report
) -> ActionResult:
    """Take one action, and prove that it helped; one that was interrupted is neither proven nor followed."""
    if not worth_trying(planned):
        return not_tried(planned)
    begun = _ToItsEnd(_function_of(planned.action, report), report)
    result = await execute(settings, case, planned, begun.act)
    if begun.interrupted:
        raise asyncio.CancelledError
    return await proven(settings, case, result, report) if needs_proof(result) else result


def _function_of(action: Action, report: Report) -> ActionFunction:
    takes_long = TAKES_LONG.get(action)
    return partial(takes_long, report=report) if takes_long else FUNCTIONS[action]


class _ToItsEnd:
    """Let an action that was begun end when its command is interrupted once: a known end is better than none."""

    def __init__(self, function: ActionFunction, report: Report) -> None:
        self.interrupted = False
        self._function, self._report = function, report

    async def act(self, context: ActionContext) -> ActionOutcome:
        """Act; who interrupts a second time leaves it half done, and the ledger says so."""
        acting = asyncio.ensure_future(self._function(context))
        try:
            return await asyncio.shield(acting)
        except asyncio.CancelledError:
            self.interrupted = True
            self._report(Progress(step=LongStep.ENDS_FIRST))
            return await acting


def last_begun(settings: RunbookSettings, service: str, since: datetime) -> ActionRecord | None:
    """Find the last action that this process has begun since a time.

    Errors: `LEDGER_UNREADABLE`.
    """
    history = action_history(read_ledger(settings.ledger(service)).records, service, datetime.now(UTC))
    ours = (one for one in reversed(history.actions) if one.owner_pid == own_pid() and one.started_at >= since)
    return next(ours, None)


async def _ended(
    settings: RunbookSettings, story: ManualActionStory, plan: Plan, result: RemediationResult
) -> Operated:
    """End the order's own incident first, so that the end and all that waited before it are recorded in one write."""
    await asyncio.to_thread(manual_action_ended, settings, story, result)
    await _notified(settings, story, outcome_messages(story, plan, result))
    return Operated(story, result)


async def _notified(settings: RunbookSettings, story: ManualActionStory, messages: tuple[Message, ...]) -> None:
    for message in linked(messages, story.evidence.context.run_url):
        await asyncio.to_thread(deliver, settings, story.manual_action.service, message)


def _case(settings: RunbookSettings, story: ManualActionStory, plan: Plan) -> RemediationCase:
    """Hand over what is worked on; who holds the lock is noted, and not waited for."""
    service = story.manual_action.service
    holder = holder_of(settings.state_dir, service)
    lock = lock_words(Lease(service=service, taken=False, holder=holder)) if holder else ""
    return case_for_operator(story, plan).model_copy(update={"lock": lock})


async def _paused(settings: RunbookSettings, case: RemediationCase, planned: PlannedAction) -> ActionResult:
    return await execute(settings, case, planned, paused) if worth_trying(planned) else not_tried(planned)
