"""Name the causes: a pure function from evidence to a diagnosis."""

from tasks.model.diagnosis import Cause, Diagnosis, Finding, Status
from tasks.model.evidence import Evidence
from tasks.rules.causes.gateways import dependency_unreachable
from tasks.rules.causes.observability import observability_fault
from tasks.rules.causes.service_process import service_down, service_hung
from tasks.rules.causes.unexplained import monitor_blind, symptoms, unknown

# The order is the order of remediation: the service first, then what it depends on, then the instruments.
RULES = (service_down, service_hung, dependency_unreachable, observability_fault)
CRITICAL = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP, Cause.INFRASTRUCTURE})


def name_cause(evidence: Evidence) -> Diagnosis:
    """Name every cause that the evidence shows, the most urgent first.

    Runbook: §1, the end of initial triage.
    Errors: none. Where the deciding look was blind the diagnosis is blind; where no rule fits, the cause is unknown.
    Steps:
        1. blind says nothing of the patient
        2. nothing visibly wrong in the last look: all is well
        3. every rule that fits
        4. unknown when none does
    """
    blind = monitor_blind(evidence)
    if blind:
        return Diagnosis(status=Status.BLIND, findings=(blind,))
    if not symptoms(evidence.latest):
        return Diagnosis(status=Status.OK)
    findings = tuple(finding for rule in RULES if (finding := rule(evidence)))
    left = unknown(evidence)
    findings = findings or ((left,) if left else ())
    return Diagnosis(status=_status(findings, evidence), findings=findings)


def _status(findings: tuple[Finding, ...], evidence: Evidence) -> Status:
    if any(finding.cause in CRITICAL for finding in findings):
        return Status.CRITICAL
    orders = evidence.latest.orders
    nothing_trades = bool(orders) and not any(order.outcome.delivered for order in orders)
    return Status.CRITICAL if nothing_trades else Status.DEGRADED
