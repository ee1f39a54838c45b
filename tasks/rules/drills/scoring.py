"""Score one drill: hold what the ledger, the messages and the orders tell of it against what is expected."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from math import inf

from tasks.model.drills.drills import Drill, DrillContext, DrillScore, Expected, OrderTally, Sent
from tasks.model.incidents.incident import Action, Event, LedgerRecord, Outcome
from tasks.model.messages.messages import Delivery
from tasks.model.probes.history import PastObservation
from tasks.model.probes.orders import WELL_KNOWN
from tasks.model.values import Value
from tasks.rules.formats.json_values import text_of

# What stops the service, or takes a release away, is done once or not at all.
ONCE = frozenset({Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE})
NAMED = frozenset({Event.OPENED, Event.DIAGNOSED})


class DrillTrace(Value):
    """Everything that a drill left behind. `well` says that it was seen well afterwards, with no incident open."""

    records: tuple[LedgerRecord, ...]
    deliveries: tuple[Delivery, ...]
    looks: tuple[PastObservation, ...]
    orders: OrderTally
    well: bool


def score_of(drill: Drill, context: DrillContext, trace: DrillTrace) -> DrillScore:
    """Score one drill.

    What the fixing itself sets off counts as an incident and as messages, and is no cause of the drill.
    """
    expected, began_at = drill.expected, context.injected_at or context.opened_at
    incidents = incidents_of(trace.records, context)
    own = tuple(one for one in trace.records if one.incident_id in incidents and one.timestamp >= began_at)
    during = tuple(one for one in own if context.healed_at is None or one.timestamp < context.healed_at)
    causes, tiers, begun = _said(during, "cause"), _said(during, "tier"), begun_actions(during)
    return DrillScore(
        drill=drill.name,
        run_id=context.run_id,
        injected_at=began_at,
        felt=bool(causes) or is_felt(drill, trace.looks),
        detected=bool(causes),
        causes=causes,
        cause_exact=causes[:1] == ((expected.cause.value,) if expected.cause else ())
        and expected.also >= {*causes[1:]},
        actions=tuple(f"{action} {target}".strip() for action, target in begun),
        actions_exact=frozenset(action for action, _ in begun) in expected.actions,
        forbidden=forbidden_in(drill, begun),
        tiers=tiers,
        tier_exact=tiers == ((expected.tier.value,) if expected.tier else ()),
        detect_s=_after(began_at, during, NAMED),
        act_s=_last_after(began_at, during),
        recover_s=_after(began_at, during, frozenset({Event.RECOVERED})),
        verified=trace.well and _is_proven(expected, during),
        incidents=incidents,
        messages_count=sum(one.incident_id in incidents and one.delivered for one in trace.deliveries),
        orders=trace.orders,
    )


def is_felt(drill: Drill, looks: Iterable[PastObservation]) -> bool:
    """Say whether a control's fault reached a check: one had to be repeated, or an answer was as slow as was set."""
    slow = {one.gateway: float(one.switch.get("latency_ms", inf)) for one in drill.steps if one.switch}
    return any(
        look.rounds_count > 1 or any((one.latency_ms or 0.0) >= slow.get(one.gateway, inf) for one in look.gateways)
        for look in looks
    )


def incidents_of(records: Iterable[LedgerRecord], context: DrillContext) -> tuple[str, ...]:
    """Name the incidents that were opened, or opened again, since the drill began."""
    opened = (one for one in records if one.event == Event.OPENED and one.service == context.service)
    since = context.injected_at or context.opened_at
    return tuple(dict.fromkeys(one.incident_id for one in opened if one.incident_id and one.timestamp >= since))


def forbidden_in(drill: Drill, begun: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """List what was begun and must not be: a forbidden action, another class than the drill's, a second restart."""
    all_begun = tuple(begun)
    counts = Counter(action for action, _ in all_begun)
    others = frozenset(WELL_KNOWN) - ({drill.asset_class} if drill.asset_class else frozenset(WELL_KNOWN))
    wrong = [one for one in all_begun if one[0] in drill.expected.forbidden or others & set(one[1].split())]
    again = [f"{action} {counts[action]} times" for action in sorted(ONCE) if counts[action] > 1]
    return (*(f"{action} {target}".strip() for action, target in wrong), *again)


def _said(records: Iterable[LedgerRecord], key: str) -> tuple[str, ...]:
    named = (text_of(one.details, key, 100) for one in records if one.event in NAMED)
    return tuple(dict.fromkeys(one for one in named if one))


def _after(began_at: datetime, records: Iterable[LedgerRecord], events: frozenset[Event]) -> float | None:
    moments = [one.timestamp for one in records if one.event in events]
    return round((min(moments) - began_at).total_seconds(), 3) if moments else None


def _last_after(began_at: datetime, records: Iterable[LedgerRecord]) -> float | None:
    """Say when the last action had been done; the proof of its effect comes later."""
    first_ends: dict[str, datetime] = {}
    for one in records:
        if one.event == Event.ACTION_FINISHED:
            first_ends.setdefault(text_of(one.details, "key", 500) or "", one.timestamp)
    return round((max(first_ends.values()) - began_at).total_seconds(), 3) if first_ends else None


def _is_proven(expected: Expected, records: Iterable[LedgerRecord]) -> bool:
    return not expected.heals or any(one.event == Event.RECOVERED for one in records)


# An action that is only done is still being checked.
PROVEN = frozenset({Outcome.RECOVERED, Outcome.NOT_RECOVERED, Outcome.REFUSED, Outcome.UNKNOWN})


def has_reacted(drill: Drill, records: Iterable[LedgerRecord]) -> bool:
    """Say whether the automation has done all that is expected, with its effect checked where it is to be proven.

    A control has reacted at once: there is nothing to wait for.
    """
    if drill.expected.is_control:
        return True
    ends = _last_ends(records)
    done = {action for action, _ in ends}
    wanted = next((one for one in drill.expected.actions if one <= done), None)
    if wanted is None or None in ends.values():
        return False
    return not drill.expected.heals or all(end in PROVEN for (action, _), end in ends.items() if action in wanted)


def _last_ends(records: Iterable[LedgerRecord]) -> dict[tuple[str, str], str | None]:
    """Find how each action ended last; None where it was begun and has not."""
    ends: dict[tuple[str, str], str | None] = {}
    for record in records:
        place = (text_of(record.details, "action", 100) or "", text_of(record.details, "key", 500) or "")
        if record.event == Event.ACTION_STARTED:
            ends[place] = None
        elif record.event == Event.ACTION_FINISHED and place in ends:
            ends[place] = text_of(record.details, "outcome", 100)
    return ends


def begun_actions(records: Iterable[LedgerRecord]) -> tuple[tuple[Action | str, str], ...]:
    """List the actions that were begun, in order, each with the words of its target."""
    started = (record for record in records if record.event == Event.ACTION_STARTED)
    return tuple(
        (text_of(one.details, "action", 100) or "", text_of(one.details, "target", 500) or "") for one in started
    )


# The journal's words for: nobody knows yet; provably at no gateway.
NOT_PROVEN = frozenset({"in_flight", "unknown"})
NEVER_SENT = frozenset({"denied", "not_received"})


def tally_of(sent: Iterable[Sent]) -> OrderTally:
    """Count the orders, each asked for in the journal and at every gateway."""
    orders = tuple(sent)
    return OrderTally(
        sent_count=len(orders),
        lost=tuple(one.client_order_id for one in orders if is_lost(one)),
        doubled=tuple(one.client_order_id for one in orders if one.received_count > 1),
        unproven=tuple(one.client_order_id for one in orders if one.journal in NOT_PROVEN),
    )


def is_lost(order: Sent) -> bool:
    """Say whether the two sides disagree about an order: one has it and the other does not know.

    An order that was answered as executed, or that the journal holds as taken by a gateway, must be at one. One that a
    gateway has must stand in the journal, and not as denied.
    """
    at_gateway = order.received_count > 0
    if at_gateway:
        return order.journal is None or order.journal in NEVER_SENT
    taken = order.journal is not None and order.journal not in NOT_PROVEN | NEVER_SENT
    return taken or order.http_status == 201
