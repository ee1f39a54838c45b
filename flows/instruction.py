"""§2 by hand: what a person orders takes the same way as what the automation does, and says so before and after."""

from flows.escalation import escalation
from flows.remediation import remediation
from flows.triage import look_around
from tasks.end_instruction import end_instruction
from tasks.gather_context import gather_context
from tasks.model.by_hand import Instruction
from tasks.model.evidence import TriageRequest
from tasks.pause_trading import pause_trading
from tasks.plan_instruction import plan_instruction
from tasks.record_instruction import record_instruction
from tasks.rules.by_hand_messages import announcement, outcome_messages
from tasks.rules.course import case_by_hand, may_act, nothing_by_hand
from tasks.write_outcome import write_outcome


async def follow(instruction: Instruction) -> str:
    """Do once what a person asks for: look, write it down, tell it, do it under guards and lock, prove it, tell again.

    Runbook: §2 Remediation, by hand.
    Steps: a pause is one step, which looks at nothing first and waits for nobody (safety rule 8).
    """
    service, asked = instruction.service, instruction.asked
    if instruction.is_pause:
        return await write_outcome(*await pause_trading(instruction))  # §2.2
    context = gather_context(TriageRequest(service=service, note=asked.reason))  # §1.1
    seen = await look_around(service)  # §1.2, §1.3
    story = record_instruction(instruction, context, seen)  # §1.4
    plan = await plan_instruction(story)  # §2
    await escalation(service, announcement(story, plan), run_url=context.run_url)  # §3.1
    case = case_by_hand(story, plan)
    result = await remediation(case) if may_act(plan) else nothing_by_hand(case)  # §2
    await escalation(service, outcome_messages(story, plan, result), run_url=context.run_url)  # §3, §4
    end_instruction(story, result)
    return await write_outcome(story, result)
