"""Turn a diagnosis into ledger records: open, observe, close. One incident for each service and cause."""

from collections.abc import Callable
from datetime import datetime

from tasks.model.by_hand import BY_HAND_TYPE
from tasks.model.diagnosis import Cause, Diagnosis, Finding, Status
from tasks.model.evidence import Evidence
from tasks.model.incident import ActionRecord, AlertType, Event, IncidentState, LedgerRecord, Source
from tasks.model.limits import EscalationLimits
from tasks.model.messages import Message
from tasks.model.values import Value
from tasks.rules.flapping import comes_back
from tasks.rules.hysteresis import last_seen_without, may_close, same_trouble
from tasks.rules.overtaken import is_overtaken
from tasks.rules.tiers import tier_of, tiers_above


class OpenLedger(Value):
    """What the ledger holds of a service now; `acting` says that somebody acts on it at this moment.

    `closed` are the incidents that are over, of which a flapping symptom opens the last one again.
    """

    service: str
    now: datetime
    incidents: tuple[IncidentState, ...] = ()
    closed: tuple[IncidentState, ...] = ()
    escalation: EscalationLimits = EscalationLimits()
    acting: bool = False

    @property
    def all(self) -> tuple[IncidentState, ...]:
        """Every incident, open or over."""
        return (*self.incidents, *self.closed)


ALERT_OF_CAUSE = {
    Cause.SERVICE_HUNG: AlertType.HEALTH_CHECK_ERROR,
    Cause.SERVICE_DOWN: AlertType.HEALTH_CHECK_ERROR,
    Cause.DEPENDENCY_UNREACHABLE: AlertType.GATEWAY_UNREACHABLE,
}


def incident_changes(
    diagnosis: Diagnosis, evidence: Evidence, ledger: OpenLedger, new_id: Callable[[Cause], str]
) -> tuple[LedgerRecord, ...]:
    """Say what to append for one diagnosis.

    Errors: none. A blind diagnosis closes nothing: missing data is not health (safety rule 2).
    Steps:
        1. each finding opens an incident, or goes into the one that is open for its trouble; one that is not sure
           and was seen while somebody stopped the service opens none
        2. an open incident is closed when its trouble has been gone for long enough, unless somebody acts on the
           service now, or an action in it was begun and its end is not known: that is for a person
    """
    records: list[LedgerRecord] = []
    for finding in diagnosis.findings:
        known = _open_for(finding, ledger)
        back = comes_back(ledger.closed, finding, ledger.escalation, ledger.now)
        if known is None and is_overtaken(finding, evidence, ledger.all, acting=ledger.acting):
            continue
        opened = _opened(finding, ledger, evidence, back.incident_id if back else new_id(finding.cause))
        records += [_observed(known, finding, ledger.now)] if known else opened
    if diagnosis.status is Status.BLIND or ledger.acting:
        return tuple(records)
    for incident in ledger.incidents:
        closing = may_close(incident, diagnosis, evidence)
        if closing.may_close and not half_done(incident):
            records += closing_records(incident, ledger.now, f"its trouble no longer shows: {closing.because}")
    return tuple(records)


def _open_for(finding: Finding, ledger: OpenLedger) -> IncidentState | None:
    """Find the open incident of a finding: the one that has named its very cause, else one of the same trouble."""
    same = [one for one in ledger.incidents if same_trouble(one, finding)]
    return next((one for one in same if finding.cause in one.causes), same[0] if same else None)


def half_done(incident: IncidentState) -> tuple[ActionRecord, ...]:
    """Find the actions that were begun and whose end is not known; a person who re-arms has settled them."""
    return tuple(action for action in incident.actions if action.is_half_done)


def closing_records(incident: IncidentState, now: datetime, summary: str) -> tuple[LedgerRecord, ...]:
    """Write the end of an incident: recovered, then closed."""
    return (
        record_of(incident, Event.RECOVERED, now, summary),
        record_of(incident, Event.CLOSED, now, "closed"),
    )


def told_records(
    incident: IncidentState, message: Message, details: dict[str, object], now: datetime
) -> tuple[LedgerRecord, ...]:
    """Write that an audience was told; the first word to a higher tier is the escalation."""
    told = record_of(incident, Event.NOTIFIED, now, f"told {message.audience}", details)
    if message.audience not in tiers_above(tier_of(incident.tier)):
        return (told,)
    higher: dict[str, object] = {"tier": message.audience}
    return (told, record_of(incident, Event.ESCALATED, now, f"escalated to {message.audience}", higher))


def record_of(
    incident: IncidentState, event: Event, now: datetime, summary: str, details: dict[str, object] | None = None
) -> LedgerRecord:
    """Write one record of an incident; one without a cause is a person's own order."""
    alert = ALERT_OF_CAUSE.get(incident.causes[0], AlertType.HEALTH_CHECK_FAILED) if incident.causes else BY_HAND_TYPE
    return LedgerRecord(
        timestamp=now,
        type=alert,
        service=incident.service,
        incident_id=incident.incident_id,
        event=event,
        source=Source.TRIAGE,
        summary=summary[:2000],
        details=details or {},
    )


def _opened(finding: Finding, ledger: OpenLedger, evidence: Evidence, incident_id: str) -> list[LedgerRecord]:
    now = ledger.now
    incident = IncidentState(
        incident_id=incident_id, service=ledger.service, state=Event.OPENED, opened_at=now, causes=(finding.cause,)
    )
    summary = f"{finding.cause}: {'; '.join(finding.because)}"
    details: dict[str, object] = {"cause": finding.cause, "tier": finding.tier}
    well_at = last_seen_without(incident, evidence.context.history)
    if well_at is not None:
        details["last_well_at"] = well_at.isoformat()
    return [
        record_of(incident, Event.OPENED, now, summary, details),
        record_of(incident, Event.DIAGNOSED, now, summary, finding.model_dump(mode="json")),
    ]


def _observed(incident: IncidentState, finding: Finding, now: datetime) -> LedgerRecord:
    because = "; ".join(finding.because)
    if finding.cause not in incident.causes:
        return record_of(incident, Event.DIAGNOSED, now, f"{finding.cause}: {because}", finding.model_dump(mode="json"))
    details: dict[str, object] = {"cause": finding.cause, "confidence": finding.confidence}
    return record_of(incident, Event.OBSERVED, now, because, details)
