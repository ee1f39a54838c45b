"""§2 Remediation of the common cases."""

from prefect import flow

from flows.approval import ask_approval
from tasks.confirm_recovery import confirm_recovery
from tasks.lease_service import lease_service
from tasks.model.incident import Outcome
from tasks.model.remediation import Lease, RemediationCase, RemediationResult
from tasks.model.verdicts import GuardCode
from tasks.release_service import release_service
from tasks.restart_service import restart_service
from tasks.rules.results import action_result, no_action
from tasks.take_snapshot import take_snapshot
from tasks.weigh_restart import weigh_restart


@flow(name="remediation", flow_run_name="remediation {case.service} {case.finding.cause}")
async def remediation(case: RemediationCase) -> RemediationResult:
    """Act once, under the service's lock, where every guard allows it; prove that it helped.

    Runbook: §2 Remediation.
    """
    lease = lease_service(case.service)
    if not lease.taken:
        return no_action(GuardCode.LOCK_HELD, f"an action is under way: {lease.holder}")
    try:
        return await restart_if_hung(case, lease)  # §2.1
    finally:
        release_service(lease)


async def restart_if_hung(case: RemediationCase, lease: Lease) -> RemediationResult:
    """Restart the service: weigh, ask where asking is the mode, keep the evidence, restart, prove.

    Runbook: §2.1 Check the service process, restart it if hung.
    """
    verdict = weigh_restart(case)
    if verdict.code is GuardCode.APPROVAL_NEEDED:
        case = await ask_approval(case)
        verdict = weigh_restart(case)
    if not verdict.allowed or not lease.taken:
        return no_action(verdict.code, verdict.detail)
    snapshot = take_snapshot(case)
    action = await restart_service(case)
    if action.outcome is not Outcome.DONE:
        return action_result(action, snapshot)
    return action_result(action, snapshot, await confirm_recovery(case, action))
