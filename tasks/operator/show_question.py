"""§2: show in Slack, too, that a plan waits for an answer."""

from datetime import UTC, datetime

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.incidents.ledger import append_or_keep
from tasks.clients.messages.delivery_thread import sender_of
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.remediation.planning.approval_records import question_records
from tasks.settings import load_settings


@task(name="show_question", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def show_question(case: RemediationCase, until: datetime) -> None:
    """Write which plan waits until when, and have the head of its thread offer the answers.

    Runbook: §2, in mode *propose*.
    Errors: none; the form and the shell take an answer all the same.
    """
    settings, now = load_settings(), datetime.now(UTC)
    append_or_keep(settings.ledger(case.service), question_records(case, str(runtime.flow_run.id), until, now))
    sender_of(settings).kick()
