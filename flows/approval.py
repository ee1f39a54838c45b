"""Ask a person in the Prefect UI before acting (safety rule 12)."""

from enum import StrEnum

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from pydantic import Field

from tasks.model.plan import Answer, Approval
from tasks.model.remediation import RemediationCase
from tasks.rules.planning.proposal import proposal
from tasks.settings import load_settings

POLL_S = 1


class Decision(StrEnum):
    """What a person may answer."""

    REJECT = "reject"
    APPROVE = "approve"


class PlanApproval(RunInput):
    """The form that a person sees on the paused run."""

    decision: Decision = Field(default=Decision.REJECT, description="Approve or reject the plan above.")
    answered_by: str = Field(default="", description="Your name, for the incident ledger.", max_length=100)
    note: str = Field(default="", description="Why, if you reject it.", max_length=500)


async def ask_approval(case: RemediationCase) -> RemediationCase:
    """Pause until a person answers; no answer in time takes the safe branch: pause, and tell the next tier.

    Runbook: §2, in mode *propose*, and for what is large.
    """
    timeout_s = int(load_settings().approval_timeout_s)
    form = PlanApproval.with_initial_data(description=proposal(case, timeout_s))
    try:
        answer = await apause_flow_run(wait_for_input=form, timeout=timeout_s, poll_interval=POLL_S)
    except FlowPauseTimeout:
        return case.model_copy(update={"approval": Approval(answer=Answer.EXPIRED)})
    said = Answer.APPROVED if answer.decision is Decision.APPROVE else Answer.REJECTED
    approval = Approval(answer=said, by=answer.answered_by, note=answer.note)
    return case.model_copy(update={"approval": approval})
