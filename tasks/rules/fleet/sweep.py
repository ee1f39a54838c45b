"""Say whether one pass over a service is all that the minute needs, and who comes first where it is not."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Finding, Status
from tasks.model.fleet.sweep import (
    OwnTriage,
    ServiceSeen,
    Standing,
    Start,
    SweepObservations,
    SweepRecord,
    SweepRequest,
    TriageUnderWay,
)
from tasks.model.incidents.modes import Mode
from tasks.model.logs.findings import LogCheck
from tasks.model.reports.report import STATE_OF, RunState, TriageStory
from tasks.rules.checks.checks import check_results, fired
from tasks.rules.diagnosis.causes.unexplained import symptoms
from tasks.rules.diagnosis.name_causes import worth_confirming
from tasks.rules.remediation.branches import ended_incidents, needs_runbook

_WORST_FIRST = (RunState.CRITICAL, RunState.DEGRADED, RunState.BLIND)
URGENCY = (Status.CRITICAL, Status.DEGRADED, Status.BLIND, None, Status.OK)
# A triage that is at work for longer is waiting for something, or hangs: it takes no more of the machine.
WORKING_FOR = timedelta(seconds=60)


def why_triage(story: TriageStory) -> str:
    """Say why a service needs a triage of its own; empty where one pass shows that nothing is to be done.

    Runbook: §1, its end.
    Errors: none. A healthy service still needs one while an incident is open, a recovery not notified, or an ended
    incident not written down.
    """
    evidence = story.evidence
    if story.diagnosis.findings:
        return " and ".join(_words(one) for one in story.diagnosis.findings)
    if worth_confirming(evidence.context, evidence.latest):
        return "; ".join(symptoms(evidence.latest, evidence.limits)) or "a cause is suspected"
    if needs_runbook(story):
        open_ids = [one.incident_id for one in evidence.context.open_incidents]
        return f"open: {', '.join((*open_ids, *evidence.context.untold_recoveries))}"
    ended = ended_incidents(story)
    if ended:
        return f"to be written down: {', '.join(ended)}"
    return "follow-ups are due" if evidence.context.follow_ups_due else ""


def notes_of(story: TriageStory) -> tuple[str, ...]:
    """Note what does not need a triage, and somebody may want to read.

    Runbook: §1.4, §5.2.
    """
    context = story.evidence.context
    unread = f"{context.ledger_skipped_count} lines of the ledger could not be read"
    window = context.maintenance
    early = (f"early warning {one.check_id}: {one.detail}" for one in fired(check_results(story.evidence, story.logs)))
    notes = (
        context.ledger_detail,
        unread if context.ledger_skipped_count else "",
        f"maintenance by {window.by}: {window.reason}" if window else "",
        *story.logs.blind,
        *early,
    )
    return tuple(one for one in notes if one)


def error_lines_count(logs: LogCheck) -> int:
    """Count the lines of errors that are new in the logs."""
    return sum(one.error_lines for one in logs.scans)


def sweep_state(observations: SweepObservations) -> RunState:
    """Say in one word how the services are, by the worst of them; what one waits for or holds back is not healthy."""
    unhealthy = [one for one in observations.services if one.standing is not Standing.HEALTHY]
    found = {_state(one) for one in unhealthy}
    return next((state for state in _WORST_FIRST if state in found), RunState.HEALTHY)


def _state(one: ServiceSeen) -> RunState:
    if one.standing is Standing.BLIND:
        return RunState.BLIND
    status = Status.DEGRADED if one.status in {None, Status.OK} else one.status
    return STATE_OF[status]


def most_urgent_first(seen: Iterable[ServiceSeen]) -> tuple[ServiceSeen, ...]:
    """Order those that are not healthy: what does not serve first, what only waits to be closed or resumed last."""
    needing = [one for one in seen if one.standing is not Standing.HEALTHY]
    return tuple(sorted(needing, key=lambda one: (one.standing is Standing.RESTRICTED, URGENCY.index(one.status))))


def need_triage(seen: Iterable[ServiceSeen]) -> tuple[ServiceSeen, ...]:
    """Name those that need a triage of their own, the most urgent first; what people hold back needs none."""
    return tuple(one for one in most_urgent_first(seen) if one.standing is not Standing.RESTRICTED)


def mode_in_sweep(request: SweepRequest, observations: SweepObservations) -> Mode | None:
    """Say how far triages within a sweep's run may go: in a late sweep they never act (safety rule 11)."""
    return Mode.OBSERVE if observations.late else request.asked.mode


def with_end(triage: OwnTriage, ended: str) -> OwnTriage:
    """Note how a triage within a sweep's run ended."""
    return triage.model_copy(update={"detail": "; ".join(filter(None, (triage.detail, ended)))})


def working_count(under_way: Iterable[TriageUnderWay], now: datetime) -> int:
    """Count the triages that use the machine: one that hangs, or waits for a person, keeps no other from starting."""
    return sum(not one.waits_for_a_person and (one.since is None or now - one.since < WORKING_FOR) for one in under_way)


def _words(finding: Finding) -> str:
    where = f" ({', '.join(finding.gateways)})" if finding.gateways else ""
    return f"{finding.cause.replace('_', ' ')}{where}"


def finished_services(story: SweepRecord) -> tuple[str, ...]:
    """Name the services that this very run has checked to the end: what has a triage of its own is that one's."""
    waiting = {one.service for one in story.triages if one.start is Start.WAITS}
    return tuple(
        one.service
        for one in story.observations.services
        if one.standing is Standing.HEALTHY or (one.service in waiting and one.past is not None)
    )
