"""Turn a diagnosis into ledger records: open, observe, close. One incident for each service and cause."""

from collections.abc import Callable
from datetime import datetime

from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Finding, Status
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import ActionRecord, AlertType, Event, IncidentState, LedgerRecord, Source
from tasks.model.messages.messages import Message
from tasks.model.probes.trading import ClassStanding
from tasks.model.remediation.in_force import Restriction
from tasks.model.remediation.operator_action import MANUAL_ACTION_TYPE
from tasks.model.values import Value
from tasks.rules.in_force.class_standing import class_standings
from tasks.rules.in_force.restrictions import in_force, in_force_words, restriction_words
from tasks.rules.incidents.hysteresis import (
    claim_of,
    comes_back,
    is_overtaken,
    last_seen_without,
    may_close,
    same_trouble,
)
from tasks.rules.incidents.tiers import tier_of, tiers_above


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
        1. each finding opens an incident, or goes into the one that is open for its trouble; one that an action of
           ours explains, since it was under way while it was seen, opens none
        2. an open incident is closed when its trouble has been gone for long enough, unless somebody acts on the
           service now, or an action in it was begun and its end is not known: that is for a person
        3. what the automation left in force keeps its incident open, recovered; what no incident answers for opens one
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
    standings = class_standings(evidence.latest)
    for incident in ledger.incidents:
        closing = may_close(incident, diagnosis, evidence)
        if closing.is_over and not half_done(incident):
            end = End(because=f"its trouble no longer shows: {closing.because}", kept=closing.kept, standings=standings)
            records += ending_records(incident, ledger.now, end)
    return (*records, *_unclaimed(evidence, ledger))


def _open_for(finding: Finding, ledger: OpenLedger) -> IncidentState | None:
    """Find the open incident of a finding: the one that has named its very cause, else one of the same trouble."""
    same = [one for one in ledger.incidents if same_trouble(one, finding)]
    return next((one for one in same if finding.cause in one.causes), same[0] if same else None)


def half_done(incident: IncidentState) -> tuple[ActionRecord, ...]:
    """Find the actions that were begun and whose end is not known; a person who re-arms has settled them."""
    return tuple(action for action in incident.actions if action.is_half_done)


class End(Value):
    """How an incident's trouble ended: why it is over, what stays in force, and how each class stood."""

    because: str
    kept: tuple[Restriction, ...] = ()
    standings: tuple[ClassStanding, ...] = ()


def ending_records(incident: IncidentState, now: datetime, end: End) -> tuple[LedgerRecord, ...]:
    """Write the end of an incident: recovered, once; and closed, unless something that it set is still in force."""
    trading = [one.asset_class for one in end.standings if one.trades]
    not_trading = {one.asset_class: one.words for one in end.standings if not one.trades}
    details: dict[str, object] = {"trading": trading, "not_trading": not_trading} if end.standings else {}
    stays = f"; still in force: {in_force_words(end.kept)}" if end.kept else ""
    recovered = record_of(incident, Event.RECOVERED, now, f"{end.because}{stays}", details)
    closed = record_of(incident, Event.CLOSED, now, "closed", details)
    return (*((recovered,) if incident.recovered_at is None else ()), *(() if end.kept else (closed,)))


def _unclaimed(evidence: Evidence, ledger: OpenLedger) -> tuple[LedgerRecord, ...]:
    """Open an incident again, or a new one, for what the automation left in force and no open incident answers for.

    Runbook: §2.2, until a person resumes it.
    """
    claimed = {one.incident_id for one in ledger.incidents}
    causes = {one.incident_id: one.causes for one in ledger.closed}
    records: list[LedgerRecord] = []
    for one in in_force(evidence.latest).own:
        incident_id = claim_of(one)
        if incident_id not in claimed:
            known = causes.get(incident_id) or (Cause.UNKNOWN,)
            records += _opened_for(one, ledger, incident_id, known[-1])
            claimed.add(incident_id)
    return tuple(records)


def _opened_for(one: Restriction, ledger: OpenLedger, incident_id: str, cause: Cause) -> tuple[LedgerRecord, ...]:
    incident = IncidentState(
        incident_id=incident_id, service=ledger.service, state=Event.OPENED, opened_at=ledger.now, causes=(cause,)
    )
    summary = f"left in force: {restriction_words(one)}"
    details: dict[str, object] = {"cause": cause, "tier": Audience.TIER_1}
    opened = record_of(incident, Event.OPENED, ledger.now, summary, details)
    return (opened, record_of(incident, Event.RECOVERED, ledger.now, f"nothing else is wrong; {summary}"))


def told_records(
    incident: IncidentState, message: Message, details: dict[str, object], now: datetime
) -> tuple[LedgerRecord, ...]:
    """Write that an audience was notified; the first word to a higher tier is the escalation."""
    notified = record_of(incident, Event.NOTIFIED, now, f"notified {message.audience}", details)
    if message.audience not in tiers_above(tier_of(incident.tier)):
        return (notified,)
    higher: dict[str, object] = {"tier": message.audience}
    return (notified, record_of(incident, Event.ESCALATED, now, f"escalated to {message.audience}", higher))


def record_of(
    incident: IncidentState, event: Event, now: datetime, summary: str, details: dict[str, object] | None = None
) -> LedgerRecord:
    """Write one record of an incident; one without a cause is a person's own order."""
    alert = (
        ALERT_OF_CAUSE.get(incident.causes[0], AlertType.HEALTH_CHECK_FAILED) if incident.causes else MANUAL_ACTION_TYPE
    )
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
