"""A person's order, whole: recorded, done, notified, ended; from a form and from a shell alike, without Prefect.

What tightens needs neither a look, nor the lock, nor the ledger: what cannot be recorded now is recorded later. What
loosens needs all of them, and every guard.
"""

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple

from tasks.clients.acting import carried_out
from tasks.clients.context import context_at_once, context_of
from tasks.clients.facts import standing_now
from tasks.clients.instructing import instruction_ended, instruction_recorded, planned_by_hand
from tasks.clients.known_secrets import secret_values
from tasks.clients.leasing import leased, released
from tasks.clients.observe import observe
from tasks.clients.pausing import paused
from tasks.clients.processes import own_host, own_pid
from tasks.clients.resuming import resumed
from tasks.clients.sender import sender_of
from tasks.clients.service_lock import holder_of
from tasks.model.by_hand import HandStory, Instruction
from tasks.model.control import TradingState
from tasks.model.evidence import TriageRequest
from tasks.model.plan import Plan, PlannedAction
from tasks.model.remediation import ActionResult, Lease, RemediationCase, RemediationResult
from tasks.model.verdicts import GuardCode
from tasks.rules.by_hand_messages import outcome_messages
from tasks.rules.course import case_by_hand, may_act, nothing_by_hand
from tasks.rules.message_evidence import linked
from tasks.rules.planning.due import lock_words, no_action, not_tried, sum_up, worth_trying
from tasks.rules.redaction import redacted
from tasks.settings import RunbookSettings


class Operated(NamedTuple):
    """What a person ordered, and what came of it."""

    story: HandStory
    result: RemediationResult


async def pause_ordered(settings: RunbookSettings, instruction: Instruction, run_url: str | None = None) -> Operated:
    """Pause what a person names, all of it at once; then notify, and record what could not be recorded before.

    Runbook: §2.2 Else pause automated strategies.
    Errors: `UNKNOWN_SERVICE`. Every end of the change is an outcome, and none of the ledger keeps it off.
    Steps: only what is no halt looks first, for it may loosen.
    """
    request = TriageRequest(service=instruction.service, note=instruction.asked.reason)
    context = context_at_once(settings, request, datetime.now(UTC), run_url=run_url)
    halts = all(one.trading_state is not TradingState.REDUCING for one in instruction.targets)
    seen = None if halts else await standing_now(settings.service(instruction.service))
    story = instruction_recorded(settings, instruction, context, seen)
    plan = await planned_by_hand(settings, story)
    case = _case(settings, story, plan)
    results = await asyncio.gather(*(_paused(settings, case, one) for one in plan.actions))
    result = sum_up(case, tuple(results), None)
    return await _ended(settings, story, plan, result)


async def resume_ordered(settings: RunbookSettings, instruction: Instruction) -> Operated:
    """Take back what a person names, one after the other, under the service's lock and every guard; then notify.

    Runbook: §2.2, after the pause; §2.1, after the mark.
    Errors: `UNKNOWN_SERVICE`; `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`: what cannot be recorded must not be loosened.
    """
    request = TriageRequest(service=instruction.service, note=instruction.asked.reason)
    context = context_of(settings, request, datetime.now(UTC))
    seen = await observe(settings.service(instruction.service))
    story = instruction_recorded(settings, instruction, context, seen)
    plan = await planned_by_hand(settings, story)
    case = case_by_hand(story, plan)
    result = await _resumed(settings, case) if may_act(plan) else nothing_by_hand(case)
    return await _ended(settings, story, plan, result)


async def _resumed(settings: RunbookSettings, case: RemediationCase) -> RemediationResult:
    lease = await leased(settings.state_dir, case.service, f"runbook resume host={own_host()} pid={own_pid()}")
    if not lease.taken:
        return no_action(case.plan, GuardCode.LOCK_HELD, f"an action is under way: {lease.holder}")
    try:
        results = [
            await carried_out(settings, case, one, resumed) if worth_trying(one) else not_tried(one)
            for one in case.plan.actions
        ]
        return sum_up(case, tuple(results), None)
    finally:
        await released(settings.state_dir, lease)


async def _ended(settings: RunbookSettings, story: HandStory, plan: Plan, result: RemediationResult) -> Operated:
    """End the order's own incident first, so that the end and all that waited before it are recorded in one write."""
    service = story.instruction.service
    await asyncio.to_thread(instruction_ended, settings, story, result)
    for message in linked(outcome_messages(story, plan, result), story.evidence.context.run_url):
        await asyncio.to_thread(sender_of(settings).tell, service, redacted(message, secret_values(settings)))
    return Operated(story, result)


def _case(settings: RunbookSettings, story: HandStory, plan: Plan) -> RemediationCase:
    """Hand over what is worked on; who holds the lock is noted, and not waited for."""
    service = story.instruction.service
    holder = holder_of(settings.state_dir, service)
    lock = lock_words(Lease(service=service, taken=False, holder=holder)) if holder else ""
    return case_by_hand(story, plan).model_copy(update={"lock": lock})


async def _paused(settings: RunbookSettings, case: RemediationCase, planned: PlannedAction) -> ActionResult:
    return await carried_out(settings, case, planned, paused) if worth_trying(planned) else not_tried(planned)
