"""§2.1: weigh a restart against every guard, before anything is touched."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.restart_guards import restart_verdict
from tasks.model.remediation import RemediationCase
from tasks.model.verdicts import Verdict
from tasks.settings import load_settings


@task(name="weigh_restart", cache_policy=NO_CACHE, timeout_seconds=10)
def weigh_restart(case: RemediationCase) -> Verdict:
    """Say whether the restart is allowed now, and if not, which guard forbids it and with which numbers.

    Runbook: §2.1 Restart if hung.
    Errors: `LEDGER_UNREADABLE`: without the ledger no budget is known, and nothing is done.
    """
    return restart_verdict(load_settings(), case, datetime.now(UTC))
