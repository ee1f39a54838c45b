"""Ask a person in the Prefect UI before acting (safety rule 12)."""

import asyncio
import time
from enum import StrEnum
from typing import Annotated

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from pydantic import AfterValidator, Field, ValidationError

from tasks.clients.prefect_api import API_ERRORS
from tasks.clients.progress import shown_progress
from tasks.model.plan import Answer, Approval
from tasks.model.progress import LongStep, Progress
from tasks.model.remediation import RemediationCase
from tasks.record_answer import record_answer
from tasks.rules.planning.proposal import SERVER_PATIENCE_S, a_name, proposal
from tasks.settings import load_settings
from tasks.withdraw_form import withdraw_form

POLL_S = 1


class Decision(StrEnum):
    """What a person may answer."""

    REJECT = "reject"
    APPROVE = "approve"
    OBSERVE = "observe"


class PlanApproval(RunInput):
    """The form that a person sees on the paused run."""

    decision: Decision = Field(
        default=Decision.REJECT,
        description="approve: do the plan; reject: do nothing of it; observe: nothing, and the mode becomes observe.",
    )
    answered_by: Annotated[str, AfterValidator(a_name)] = Field(
        description="Your name, for the incident ledger and the messages.", max_length=100
    )
    note: str = Field(default="", description="Why, if you do not approve.", max_length=500)


async def ask_approval(case: RemediationCase) -> RemediationCase:
    """Pause until a person answers; no answer in time takes the safe branch: pause, and tell the next tier.

    Runbook: §2, in mode *propose*, and for what is large.
    Steps: 1. ask, and ask again after an answer that cannot be read 2. write down who answered what 3. the guards
    weigh everything anew
    """
    timeout_s = load_settings().approval_timeout_s
    async with shown_progress("progress-approval") as report:
        report(Progress(step=LongStep.APPROVAL, of=timeout_s, ticks=True))
        approval = await _answer(case, timeout_s)
    return record_answer(case.model_copy(update={"approval": approval}))


async def _answer(case: RemediationCase, timeout_s: float) -> Approval:
    ends_at, fault, asked_count = time.monotonic() + timeout_s, "", 0
    while (left_s := ends_at - time.monotonic()) > 0:
        asked_count += 1
        form = PlanApproval.with_initial_data(description=proposal(case, left_s, fault))
        key = f"approval-{asked_count}"
        try:
            async with asyncio.timeout(left_s):
                patience_s = int(left_s) + SERVER_PATIENCE_S
                answer = await apause_flow_run(wait_for_input=form, timeout=patience_s, poll_interval=POLL_S, key=key)
        except (TimeoutError, FlowPauseTimeout):
            return _late_answer(await withdraw_form(key))
        except ValidationError as error:
            fault = error.errors()[0]["msg"]
        except API_ERRORS as error:
            return Approval(answer=Answer.EXPIRED, note=f"Prefect could not be asked: {type(error).__name__}")
        else:
            return _said(answer)
    return Approval(answer=Answer.EXPIRED)


def _late_answer(text: str | None) -> Approval:
    """Take the answer that came in the very moment in which the time was over; else nobody answered."""
    try:
        return _said(PlanApproval.model_validate_json(text)) if text else Approval(answer=Answer.EXPIRED)
    except ValidationError:
        return Approval(answer=Answer.EXPIRED)


def _said(answer: PlanApproval) -> Approval:
    said = Answer.APPROVED if answer.decision is Decision.APPROVE else Answer.REJECTED
    observe = answer.decision is Decision.OBSERVE
    return Approval(answer=said, by=answer.answered_by, note=answer.note, observe=observe)
