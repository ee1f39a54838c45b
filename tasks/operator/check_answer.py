"""§2: see who answered the plan, and whether their answer holds."""

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.prefect.form_user import form_user
from tasks.model.people.person import ProvenAnswer
from tasks.model.remediation.plan import Approval
from tasks.model.remediation.remediation import RemediationCase
from tasks.settings import load_settings
from tasks.work.people.answers import answer_proven


@task(name="check_answer", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def check_answer(case: RemediationCase, approval: Approval) -> ProvenAnswer:
    """Prove whose answer it is, where `[people]` say who may give it, and ask for a second person where two must.

    Runbook: §2, in mode *propose*.
    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`; then nothing is done.
    """
    settings = load_settings()
    if not settings.people:
        return ProvenAnswer(approval=approval)
    # A task of its own has the run that waits as its parent.
    return answer_proven(settings, case, str(runtime.flow_run.id), approval, form_user())
