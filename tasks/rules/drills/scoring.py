"""Score one drill: hold what the ledger and the messages tell of it against what is expected."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from math import inf

from tasks.model.drills import Drill, DrillScene, DrillScore, Expected, OrderTally
from tasks.model.incident import Action, Event, LedgerRecord
from tasks.model.messages import Delivery
from tasks.model.orders import AssetClass
from tasks.model.past_looks import PastLook
from tasks.model.values import Value
from tasks.rules.drills.reaction import begun_actions
from tasks.rules.json_values import text_of

# What stops the service, or takes a release away, is done once or not at all.
ONCE = frozenset({Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE})
NAMED = frozenset({Event.OPENED, Event.DIAGNOSED})


class DrillTrace(Value):
    """Everything that a drill left behind. `well` says that it was seen well afterwards, with no incident open."""

    records: tuple[LedgerRecord, ...]
    deliveries: tuple[Delivery, ...]
    looks: tuple[PastLook, ...]
    orders: OrderTally
    well: bool


def score_of(drill: Drill, scene: DrillScene, trace: DrillTrace) -> DrillScore:
    """Score one drill.

    Errors: none. What the healing itself sets off counts as an incident and as messages, and is no cause of the drill.
    """
    expected, began_at = drill.expected, scene.injected_at or scene.opened_at
    incidents = incidents_of(trace.records, scene)
    own = tuple(one for one in trace.records if one.incident_id in incidents and one.timestamp >= began_at)
    during = tuple(one for one in own if scene.healed_at is None or one.timestamp < scene.healed_at)
    causes, tiers, begun = _said(during, "cause"), _said(during, "tier"), begun_actions(during)
    return DrillScore(
        drill=drill.name,
        run_id=scene.run_id,
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


def is_felt(drill: Drill, looks: Iterable[PastLook]) -> bool:
    """Say whether a control's fault reached a look: a round had to be repeated, or an answer was as slow as was set."""
    slow = {one.gateway: float(one.switch.get("latency_ms", inf)) for one in drill.steps if one.switch}
    return any(
        look.rounds_count > 1 or any((one.latency_ms or 0.0) >= slow.get(one.gateway, inf) for one in look.gateways)
        for look in looks
    )


def incidents_of(records: Iterable[LedgerRecord], scene: DrillScene) -> tuple[str, ...]:
    """Name the incidents that were opened, or opened again, since the drill began."""
    opened = (one for one in records if one.event == Event.OPENED and one.service == scene.service)
    since = scene.injected_at or scene.opened_at
    return tuple(dict.fromkeys(one.incident_id for one in opened if one.incident_id and one.timestamp >= since))


def forbidden_in(drill: Drill, begun: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """List what was begun and must not be: a forbidden action, another class than the drill's, a second restart."""
    all_begun = tuple(begun)
    counts = Counter(action for action, _ in all_begun)
    others = frozenset(AssetClass) - ({drill.asset_class} if drill.asset_class else frozenset(AssetClass))
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
