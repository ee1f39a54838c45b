"""Name the causes: a pure function from evidence to a diagnosis."""

from collections.abc import Callable

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Diagnosis, Finding, Kind, Status
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Context, Evidence
from tasks.model.probes.probes import Observation
from tasks.rules.diagnosis.causes.crashes import crash_loop, release_crashes
from tasks.rules.diagnosis.causes.down_or_hung import service_down, service_hung
from tasks.rules.diagnosis.causes.gateways import dependency_unreachable, gateway_failing
from tasks.rules.diagnosis.causes.instances import with_instances
from tasks.rules.diagnosis.causes.machine import clock_apart, core_taken, storage_fault
from tasks.rules.diagnosis.causes.observability import observability_fault
from tasks.rules.diagnosis.causes.releases import bad_change, suspected
from tasks.rules.diagnosis.causes.resources import resource_exhausted
from tasks.rules.diagnosis.causes.routing_table import routing_misconfigured, start_refused
from tasks.rules.diagnosis.causes.strategies import client_misbehaviour
from tasks.rules.diagnosis.causes.unexplained import monitor_blind, symptoms, unknown

Rule = Callable[[Evidence], Finding | None]
# Of each group the first that fits is the answer. The groups are in the order of remediation: the service first, then
# what it stands on, what it depends on, how it is set up, what changed, who uses it, and the instruments last.
RULES: tuple[tuple[Rule, ...], ...] = (
    (start_refused, release_crashes, crash_loop, service_down, service_hung),
    (resource_exhausted,),
    (core_taken,),
    (storage_fault,),
    (clock_apart,),
    (dependency_unreachable,),
    (gateway_failing,),
    (routing_misconfigured,),
    (bad_change,),
    (client_misbehaviour,),
    (observability_fault,),
)
CRITICAL = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP})
CRITICAL_KINDS = frozenset({Kind.PORT, Kind.CPU, Kind.CRASHES, Kind.START_REFUSED})


def name_cause(evidence: Evidence) -> Diagnosis:
    """Name every cause that the evidence shows, the most urgent first.

    Runbook: §1, the end of initial triage.
    Errors: none. Where the deciding check was blind the diagnosis is blind; where no rule fits, the cause is unknown.
    Steps:
        1. blind says nothing of the service
        2. every rule that fits; some see over the runs before what one check does not show
        3. nothing found and nothing visibly wrong in the last check: everything is healthy
        4. unknown for what none explains
    """
    blind = monitor_blind(evidence)
    if blind:
        return Diagnosis(status=Status.BLIND, findings=(blind,))
    of_service = tuple(finding for group in RULES if (finding := _first(group, evidence)))
    found = with_instances(of_service, evidence)
    if not found and not symptoms(evidence.latest, evidence.limits):
        return Diagnosis(status=Status.OK)
    left = unknown(evidence, found)
    findings = (*found, left) if left else found
    return Diagnosis(status=_status(findings, evidence), findings=findings)


def worth_confirming(context: Context | None, seen: Observation) -> bool:
    """Say whether a pass of checks should be repeated: something is visibly wrong, or a cause is not yet sure.

    Runbook: §2.1, before anything is done (safety rule 1).
    """
    limits = context.limits if context else DiagnosisLimits()
    if symptoms(seen, limits):
        return True
    if context is None:
        return False
    evidence = Evidence(context=context, observations=(seen,))
    findings = name_cause(evidence).findings
    unsure = any(finding.confidence is not Confidence.CONFIRMED for finding in findings)
    return unsure or (not findings and suspected(evidence))


def _first(group: tuple[Rule, ...], evidence: Evidence) -> Finding | None:
    return next((finding for rule in group if (finding := rule(evidence))), None)


def _status(findings: tuple[Finding, ...], evidence: Evidence) -> Status:
    findings = tuple(finding for finding in findings if not finding.is_of_some)
    if any(finding.cause in CRITICAL or CRITICAL_KINDS.intersection(finding.kinds) for finding in findings):
        return Status.CRITICAL
    if findings and all(finding.cause is Cause.OBSERVABILITY_FAULT for finding in findings):
        return Status.DEGRADED
    orders = evidence.latest.orders
    nothing_trades = bool(orders) and not any(order.outcome.delivered for order in orders)
    return Status.CRITICAL if nothing_trades else Status.DEGRADED
