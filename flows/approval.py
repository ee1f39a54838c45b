"""Ask a person in the Prefect UI before acting (safety rule 12)."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from pydantic import AfterValidator, Field, ValidationError

from tasks.clients.prefect.artifacts import renamed
from tasks.clients.prefect.errors import API_ERRORS
from tasks.clients.prefect.progress import shown_progress
from tasks.model.people.person import ProvenAnswer
from tasks.model.remediation.plan import Approval, ApprovalAnswer
from tasks.model.remediation.remediation import RemediationCase
from tasks.model.reports.progress import LongStep, Progress
from tasks.model.reports.report import UnderWay
from tasks.operator.check_answer import check_answer
from tasks.operator.record_answer import record_answer
from tasks.operator.show_question import show_question
from tasks.operator.withdraw_form import withdraw_form
from tasks.rules.remediation.planning.proposal import SERVER_PATIENCE_S, a_name, proposal
from tasks.rules.reports.run_names import acting_name, waiting_name
from tasks.settings import load_settings
from tasks.work.triage.growing_report import show_now

POLL_S = 1


class Decision(StrEnum):
    """What a person may answer."""

    REJECT = "reject"
    APPROVE = "approve"
    OBSERVE = "observe"


class PlanApproval(RunInput):
    """The form that a person sees on the paused run; no decision is preset, so that no click rejects by accident.

    An answer without a decision is refused by Prefect's server, and the run waits on.
    """

    decision: Decision = Field(
        description="approve: do the plan; reject: do nothing of it; observe: nothing, and the mode becomes observe.",
    )
    answered_by: Annotated[str, AfterValidator(a_name)] = Field(
        description="Your name, for the incident ledger and the messages.", max_length=100
    )
    note: str = Field(default="", description="Why, if you do not approve.", max_length=500)


async def ask_approval(case: RemediationCase) -> RemediationCase:
    """Pause until a person answers; no answer in time takes the safe branch: pause, and page the next tier.

    Runbook: §2, in mode *propose*, and for what is large.
    Steps: 1. ask, and ask again after an answer that cannot be read 2. write down who answered what 3. the guards
    evaluate everything again
    """
    settings, now = load_settings(), datetime.now(UTC)
    timeout_s = settings.approval_timeout_s
    until = now + timedelta(seconds=timeout_s)
    if settings.answers_in_slack:
        show_question(case, until)
    show_now(UnderWay(since=now, asked_until=until, form_url=flow_run.ui_url))
    await renamed(waiting_name(case, until))
    async with shown_progress("progress-approval") as report:
        report(Progress(step=LongStep.APPROVAL, of=timeout_s, ticks=True))
        approval = await _answer(case, until)
    show_now(UnderWay(since=datetime.now(UTC), words=approval.words))
    case = record_answer(case.model_copy(update={"approval": approval}))
    await renamed(acting_name(case.service, case.plan.actions))
    return case


async def _answer(case: RemediationCase, until: datetime) -> Approval:
    ends_at, fault, asked_count = time.monotonic() + (until - datetime.now(UTC)).total_seconds(), "", 0
    while (left_s := ends_at - time.monotonic()) > 0:
        asked_count += 1
        form = PlanApproval.with_initial_data(description=proposal(case, until, fault))
        key = f"approval-{asked_count}"
        try:
            async with asyncio.timeout(left_s):
                patience_s = int(left_s) + SERVER_PATIENCE_S
                answer = await apause_flow_run(wait_for_input=form, timeout=patience_s, poll_interval=POLL_S, key=key)
        except (TimeoutError, FlowPauseTimeout):
            return _late_answer(case, await withdraw_form(key))
        except ValidationError as error:
            fault = f"The last answer could not be read, {error.errors()[0]['msg']}. Please answer again."
        except API_ERRORS as error:
            return Approval(answer=ApprovalAnswer.EXPIRED, note=f"Prefect could not be asked: {type(error).__name__}")
        else:
            proven = _proven(case, _said(answer))
            if proven.approval is not None:
                return proven.approval
            fault = proven.fault
    return Approval(answer=ApprovalAnswer.EXPIRED)


def _proven(case: RemediationCase, approval: Approval) -> ProvenAnswer:
    """Check whose answer it is, where `[people]` say who may give it."""
    return check_answer(case, approval) if load_settings().people else ProvenAnswer(approval=approval)


def _late_answer(case: RemediationCase, text: str | None) -> Approval:
    """Take the answer that came in the very moment in which the time was over; else nobody answered."""
    expired = Approval(answer=ApprovalAnswer.EXPIRED)
    try:
        return _proven(case, _said(PlanApproval.model_validate_json(text))).approval or expired if text else expired
    except ValidationError:
        return expired


def _said(answer: PlanApproval) -> Approval:
    said = ApprovalAnswer.APPROVED if answer.decision is Decision.APPROVE else ApprovalAnswer.REJECTED
    observe = answer.decision is Decision.OBSERVE
    return Approval(answer=said, by=answer.answered_by, note=answer.note, observe=observe)
