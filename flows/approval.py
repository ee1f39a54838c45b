"""Ask a person in the Prefect UI before acting (safety rule 12, mode *propose*)."""

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from pydantic import Field

from tasks.model.remediation import RemediationCase
from tasks.settings import load_settings

POLL_S = 2


class RestartApproval(RunInput):
    """The form that a person sees on the paused run."""

    approve: bool = Field(default=False, description="Restart the service now.")
    answered_by: str = Field(default="", description="Your name, for the incident ledger.", max_length=100)


async def ask_approval(case: RemediationCase) -> RemediationCase:
    """Pause until a person answers; no answer in time is a no.

    Runbook: §2.1, in mode *propose*.
    """
    form = RestartApproval.with_initial_data(description=proposal(case))
    try:
        answer = await apause_flow_run(
            wait_for_input=form, timeout=int(load_settings().approval_timeout_s), poll_interval=POLL_S
        )
    except FlowPauseTimeout:
        return case
    return case.model_copy(update={"approved": answer.approve})


def proposal(case: RemediationCase) -> str:
    """Write what is proposed, why, and what happens without an answer."""
    because = "\n".join(f"- {reason}" for reason in case.finding.because)
    return (
        f"**Restart {case.service}?** Cause: {case.finding.cause} ({case.finding.confidence}), "
        f"incident {case.incident_id}."
        f"\n\n{because}\n\nWithout an answer nothing is done, and tier 1 is told."
    )
