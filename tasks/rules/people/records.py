"""What the ledger keeps of who was refused, and of an order or answer that a door has proven."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.model.incidents.incident import IncidentState, LedgerRecord, Source
from tasks.model.messages.messages import Message
from tasks.model.people.person import Identity, Permit, Right
from tasks.rules.incidents.tiers import tier_of
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.templates import message_of, one_line

NOT_PERMITTED_TYPE = "not_permitted"
TWO_PEOPLE_TYPE = "two_people_order"
# Of these a refusal is reported to the tier: somebody wants what loosens, and may not.
REPORTED = frozenset({Right.APPROVE, Right.ORDER, Right.OVERRIDE, Right.LOOSEN_MODE, Right.REARM})


class TwoPeopleOrder(NamedTuple):
    """What two people must order. The fingerprint names the action, its targets and its overrides."""

    service: str
    fingerprint: str
    words: str


def refusal_record(service: str, identity: Identity, right: Right, permit: Permit, now: datetime) -> LedgerRecord:
    """Write that somebody was refused, and as whom."""
    return LedgerRecord(
        timestamp=now,
        type=NOT_PERMITTED_TYPE,
        service=service or None,
        source=Source.OPERATOR,
        summary=f"{permit.by} may not {right}",
        details={"by": permit.by, "person": permit.key, "right": right.name.lower(), "door": identity.words},
    )


def refusal_messages(
    incidents: Iterable[IncidentState], identity: Identity, right: Right, permit: Permit
) -> tuple[Message, ...]:
    """Report a refusal to the tier of an open incident, once for each person and right; other refusals stay quiet."""
    incident = _latest_open(incidents)
    if incident is None or right not in REPORTED:
        return ()
    about = f"not-permitted-{permit.key or identity.words}-{right.name.lower()}"
    text = f"{incident.service}: {permit.by} may not {right}. Nothing was done. {one_line(permit.detail)}."
    return (message_of(incident, tier_of(incident.tier), about, f"{text} [{incident.incident_id}]"),)


def order_record(order: TwoPeopleOrder, permit: Permit, first: str, now: datetime) -> LedgerRecord:
    """Write that a person ordered what needs two, and of whom they are the second."""
    waits = f"the second after {first}" if first else "waits for a second person"
    return LedgerRecord(
        timestamp=now,
        type=TWO_PEOPLE_TYPE,
        service=order.service,
        source=Source.OPERATOR,
        summary=f"{order.words}: ordered by {permit.by}, {waits}",
        details={"by": permit.by, "person": permit.key, "order": order.fingerprint, "second_after": first},
    )


def second_wanted(
    incidents: Iterable[IncidentState], order: TwoPeopleOrder, first: Permit, until: datetime
) -> tuple[Message, ...]:
    """Ask the tier of an open incident for the second person, once for each first one and order."""
    incident = _latest_open(incidents)
    if incident is None:
        return ()
    about = f"second-person-{first.key}-{order.fingerprint[:12]}-{until:%Y%m%dT%H%M}"
    text = (
        f"{incident.service}: {first.by} orders {order.words}. Nothing is done yet: "
        f"another approver gives the same order by {desk_clock(until)}. [{incident.incident_id}]"
    )
    return (message_of(incident, tier_of(incident.tier), about, text),)


def _latest_open(incidents: Iterable[IncidentState]) -> IncidentState | None:
    return max((one for one in incidents if one.is_open), key=lambda one: one.opened_at, default=None)


def first_person(
    records: Iterable[LedgerRecord], order: TwoPeopleOrder, second: str, now: datetime, within: timedelta
) -> str:
    """Find who else ordered the same within the time and still waits; empty where only the same person, or nobody, did.

    Errors: none. An order that a second person has carried out waits no longer.
    """
    first = ""
    for record in records:
        if (record.type, record.service, record.source) != (TWO_PEOPLE_TYPE, order.service, Source.OPERATOR):
            continue
        if record.details.get("order") != order.fingerprint or not now - within <= record.timestamp <= now:
            continue
        by, person = (str(record.details.get(name) or "") for name in ("by", "person"))
        if record.details.get("second_after"):
            first = ""
        elif person and person != second:
            first = by
    return first
