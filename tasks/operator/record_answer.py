"""§2: write down who answered the plan, and take the automation's hands off where the answer says so."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incidents.ledger import append
from tasks.clients.incidents.mode import set_mode
from tasks.clients.messages.delivery_thread import sender_of
from tasks.model.incidents.modes import Mode
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.remediation.planning.approval_records import answer_records
from tasks.settings import RunbookSettings, load_settings


@task(name="record_answer", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def record_answer(case: RemediationCase) -> RemediationCase:
    """Write a person's answer, or nobody's, into the ledger before anything follows from it.

    Runbook: §2, in mode *propose*.
    Errors: `LEDGER_UNWRITABLE`, `SINK_UNWRITABLE`; then nothing is done.
    """
    return answer_recorded(load_settings(), case)


def answer_recorded(settings: RunbookSettings, case: RemediationCase) -> RemediationCase:
    """Set the switch first: whatever happens next, it holds."""
    if case.approval is not None:
        if case.approval.observe:
            set_mode(settings, Mode.OBSERVE)
        append(settings.ledger(case.service), answer_records(case, case.approval, datetime.now(UTC)))
        if settings.answers_in_slack:
            sender_of(settings).kick()
    return case
