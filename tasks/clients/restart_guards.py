"""Hold a restart against every guard, with the switch, the budgets and the timers as they are at this moment."""

from datetime import datetime

from tasks.clients.incident_ledger import read_ledger
from tasks.clients.mode_switch import current_mode
from tasks.clients.supervisor import supervisor_of
from tasks.model.remediation import RemediationCase
from tasks.model.verdicts import Verdict
from tasks.rules.action_history import action_history
from tasks.rules.guards import RestartCase, may_restart
from tasks.settings import RunbookSettings


def restart_verdict(settings: RunbookSettings, case: RemediationCase, now: datetime) -> Verdict:
    """Say whether the restart is allowed now, and if not, which guard forbids it and with which numbers.

    Runbook: §2.1 Restart if hung.
    Errors: `LEDGER_UNREADABLE`: without the ledger no budget is known, and nothing is done.
    """
    watched = settings.service(case.service)
    available = supervisor_of(watched).available()
    if not available.allowed:
        return available
    records = read_ledger(settings.ledger_path(case.service)).records
    return may_restart(
        RestartCase(
            finding=case.finding,
            diagnosis=case.diagnosis,
            mode=current_mode(settings, case.mode),
            approved=case.approved,
            late_s=case.late_s,
            late_after_s=settings.late_after_s,
            history=action_history(records, case.service, now),
            limits=watched.restart,
        ),
        now,
    )
