"""What one record of the ledger changes in an escalation: who was notified, is in charge, acknowledged it."""

from datetime import datetime

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Event, IncidentState, LedgerRecord, Source
from tasks.model.probes.orders import classes_in
from tasks.rules.formats.json_values import table_of, text_of
from tasks.rules.formats.time import parse_time
from tasks.rules.incidents.message_keys import AGAIN, PAGES, about_of, audience_of
from tasks.rules.incidents.tiers import TIERS, higher_tier

KEY_LIMIT_COUNT = 500
Changes = dict[str, object]


def opened_again(incident: IncidentState, record: LedgerRecord) -> Changes:
    """Take an opening; one of an incident that was closed restarts its escalation."""
    if incident.is_open:
        return diagnosed(incident, record)
    return {
        "causes": _causes(incident, record),
        "tier": _tier(record) or incident.tier,
        "summary": record.summary or incident.summary,
        "closed_at": None,
        **_reopened(incident, record),
    }


def _reopened(incident: IncidentState, record: LedgerRecord) -> Changes:
    """Restart the escalation: what was over is back, so everybody who was notified has to be again."""
    return {
        "state": Event.OPENED,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "acknowledged_until": None,
        "paged_at": {},
        "reminders": 0,
        "reopened": incident.reopened + 1,
        "reopened_at": record.timestamp,
        "recovered_at": None,
        "trading": None,
        "not_trading": {},
    }


def diagnosed(incident: IncidentState, record: LedgerRecord) -> Changes:
    """Take a diagnosis: its cause, its tier unless a higher one is in charge, and the numbers that decided."""
    return {
        "causes": _causes(incident, record),
        "tier": higher_tier(incident.tier, _tier(record)),
        "summary": record.summary or incident.summary,
        "asset_classes": classes_in(incident.asset_classes, _texts(record, "asset_classes")),
        "gateways": incident.gateways or tuple(sorted(_texts(record, "gateways"))),
        **_back(incident, record),
    }


def observed(incident: IncidentState, record: LedgerRecord) -> Changes:
    """Take that its trouble showed once more; what had recovered is back, and its timers restart."""
    return {"observed_count": incident.observed_count + 1, **_back(incident, record)}


def recovered(incident: IncidentState, record: LedgerRecord) -> Changes:
    """Take that its trouble no longer shows, and how each asset class stood then; it may stay open all the same."""
    return {"state": record.event, "recovered_at": incident.recovered_at or record.timestamp, **_standings(record)}


def closed(_: IncidentState, record: LedgerRecord) -> Changes:
    """Take the end of an incident; what its record does not say of the asset classes, its recovery has said."""
    standings = _standings(record) if "trading" in record.details else {}
    return {"state": record.event, "closed_at": record.timestamp, **standings}


def _back(incident: IncidentState, record: LedgerRecord) -> Changes:
    return _reopened(incident, record) if incident.recovered_at else {}


def _standings(record: LedgerRecord) -> Changes:
    found = table_of(record.details, "not_trading") or {}
    words = {name: text_of(found, name) or "" for name in classes_in(found)}
    known = tuple(sorted(classes_in(_texts(record, "trading")))) if "trading" in record.details else None
    return {"trading": known, "not_trading": words}


def notified(incident: IncidentState, record: LedgerRecord) -> Changes:
    """Take that somebody was notified. Only what asks a tier to come moves the time that its timer counts from."""
    key = text_of(record.details, "key", KEY_LIMIT_COUNT) or ""
    keys = (key, *_texts(record, "also", KEY_LIMIT_COUNT))
    about, moment = about_of(key, incident.incident_id), record.timestamp
    changes: Changes = {
        "told": (*incident.told, *keys),
        "told_at": {
            **{one: at for one, at in incident.told_at.items() if one not in keys},
            **dict.fromkeys(keys, moment),
        },
        "messages": incident.messages + 1,
    }
    named = text_of(record.details, "audience", 100) or audience_of(key, incident.incident_id)
    if named not in TIERS:
        return changes
    tier = Audience(named)
    changes["escalated_at"] = {tier: moment, **incident.escalated_at}
    if about in PAGES or tier not in incident.paged_at:
        changes["paged_at"] = {**incident.paged_at, tier: moment}
    if about == AGAIN:
        changes["reminders"] = incident.reminders + 1
    return changes


def escalated(incident: IncidentState, record: LedgerRecord) -> Changes:
    """Take that a higher tier is in charge now."""
    return {"tier": higher_tier(incident.tier, _tier(record)), "state": record.event, "reminders": 0}


def acknowledged(_: IncidentState, record: LedgerRecord) -> Changes:
    """Take a person's word that they have it; nobody else can stop a timer."""
    if record.source != Source.OPERATOR:
        return {}
    return {
        "acknowledged_by": text_of(record.details, "by", 200) or "a person",
        "acknowledged_at": record.timestamp,
        "acknowledged_until": _until(record),
        "reminders": 0,
    }


def _until(record: LedgerRecord) -> datetime | None:
    return parse_time(record.details.get("until"))


def _causes(incident: IncidentState, record: LedgerRecord) -> tuple[Cause, ...]:
    named = text_of(record.details, "cause", 100)
    if named not in set(Cause) or named in incident.causes:
        return incident.causes
    return (*incident.causes, Cause(named))


def _tier(record: LedgerRecord) -> Audience | None:
    named = text_of(record.details, "tier", 100)
    return Audience(named) if named in set(Audience) else None


def _texts(record: LedgerRecord, key: str, limit_count: int = 100) -> tuple[str, ...]:
    found = record.details.get(key)
    return tuple(one[:limit_count] for one in found[:50] if isinstance(one, str)) if isinstance(found, list) else ()
