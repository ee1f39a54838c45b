"""Check a right at a door. A refusal is recorded in the ledger, reported where it matters, and raised in one line."""

import hashlib
from datetime import UTC, datetime, timedelta

from tasks.clients.incidents.ledger import append_or_keep, read_ledger, transact
from tasks.clients.messages.delivery_thread import deliver
from tasks.model.errors import Code, NothingDone, RunbookError
from tasks.model.incidents.incident import IncidentState, Ledger, LedgerRecord
from tasks.model.messages.messages import Message
from tasks.model.people.person import Identity, Permit, Right
from tasks.model.remediation.operator_action import ManualAction
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.messages.desk import desk_clock
from tasks.rules.people.permissions import is_free, permit, recorded_as, rights_of_order
from tasks.rules.people.records import (
    TwoPeopleOrder,
    first_person,
    order_record,
    refusal_messages,
    refusal_record,
    second_wanted,
)
from tasks.settings import RunbookSettings


def permitted(
    settings: RunbookSettings, identity: Identity, right: Right, claimed: str = "", service: str = ""
) -> Permit:
    """Let a person do something, and say as whom it is recorded.

    Errors: `NOT_PERMITTED`, after it is in the ledger of the service, or of the first one where it is about none.
    """
    found = permit(settings.people, identity, right, claimed)
    if not found.allowed:
        _note_refusal(settings, service, identity, right, found)
        raise RunbookError(Code.NOT_PERMITTED, found.detail)
    return found


def order_permitted(settings: RunbookSettings, identity: Identity, order: ManualAction) -> ManualAction:
    """Let a person's order through, with the name that is proven; `four_eyes` holds the first of two back.

    Errors: `NOT_PERMITTED`; `SECOND_PERSON_NEEDED` names until when another person may give the same order.
    What tightens is never refused at a shell or in a form (safety rule 8): it is recorded as by whom.
    """
    asked, service = order.asked, order.service
    if is_free(order.action, identity.door, overrides=bool(asked.overrides)):
        by = recorded_as(settings.people, identity, asked.by) if settings.people else asked.by
        return _as(order, by)
    found = Permit(allowed=True, by=asked.by)
    for right in rights_of_order(order.action, overrides=bool(asked.overrides)):
        found = permitted(settings, identity, right, asked.by, service)
    by = _with_second_person(settings, order, found) if order.action in settings.four_eyes else found.by
    return _as(order, by)


def _with_second_person(settings: RunbookSettings, order: ManualAction, second: Permit) -> str:
    """Record the first of two orders, and hold it back; name both where this one is the second."""
    now, within = datetime.now(UTC), timedelta(seconds=settings.approval_timeout_s)
    wanted, firsts = TwoPeopleOrder(order.service, _fingerprint(order), _words(order)), list[str]()

    def decide(ledger: Ledger) -> tuple[LedgerRecord, ...]:
        firsts.append(first_person(ledger.records, wanted, second.key, now, within))
        return (order_record(wanted, second, firsts[0], now),)

    transact(settings.ledger(order.service), decide)
    if firsts[0]:
        return f"{firsts[0]} and {second.by}"
    _report(settings, order.service, second_wanted(_incidents(settings, order.service), wanted, second, now + within))
    raise NothingDone(
        Code.SECOND_PERSON_NEEDED,
        f"expected two people for {wanted.words}, found {second.by} alone, nothing is done yet; "
        f"another approver gives the same order by {desk_clock(now + within)}",
    )


def _as(order: ManualAction, by: str) -> ManualAction:
    return order.model_copy(update={"asked": order.asked.model_copy(update={"by": by})})


def _words(order: ManualAction) -> str:
    return f"{order.action.replace('_', ' ')} {' and '.join(one.words for one in order.targets)}".strip()


def _fingerprint(order: ManualAction) -> str:
    """Name what is ordered: the second person must mean the same action on the same targets, past the same guards."""
    said = f"{order.service}/{order.action}/{[one.model_dump_json() for one in order.targets]}/{order.asked.overrides}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _note_refusal(settings: RunbookSettings, service: str, identity: Identity, right: Right, found: Permit) -> None:
    """Write a refusal down and report it; neither holds the refusal up."""
    place = settings.ledger(service or next(iter(settings.watching().services)))
    append_or_keep(place, [refusal_record(service, identity, right, found, datetime.now(UTC))])
    incidents = _incidents(settings, service) if service else ()
    _report(settings, service, refusal_messages(incidents, identity, right, found))


def _incidents(settings: RunbookSettings, service: str) -> tuple[IncidentState, ...]:
    """Read the incidents of a service; none where the ledger cannot be read, for a report holds nothing up."""
    try:
        return fold_incidents(read_ledger(settings.ledger(service)), service)
    except RunbookError:
        return ()


def _report(settings: RunbookSettings, service: str, messages: tuple[Message, ...]) -> None:
    for message in messages:
        deliver(settings, service, message)
