"""Measure what an incident cost, from the runs that looked while it ran: nothing is guessed, and gaps are told."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from tasks.model.impact import ClassImpact, DownTime, Impact
from tasks.model.looks import OrderOutcome
from tasks.model.past_looks import PastLook, PastOrder
from tasks.model.postmortem import NumberedRecord, PostmortemCase
from tasks.rules.json_values import table_of, text_of
from tasks.rules.past_counters import START, Counted, grown
from tasks.rules.postmortem_cause import asset_classes
from tasks.rules.postmortem_times import began_at
from tasks.rules.times import utc_text

GOOD = frozenset({OrderOutcome.EXECUTED.value, OrderOutcome.REJECTED_AS_EXPECTED.value})
# A triage runs every minute; two looks further apart leave a gap in which nobody knows.
GAP = timedelta(minutes=3)
PAUSED = frozenset({"halted", "reducing"})


def impact_of(case: PostmortemCase) -> Impact:
    """Measure the impact on each asset class, and on all orders.

    Runbook: §5.1.
    Errors: none; where no look or no counter was kept, the value is None.
    """
    during = _during(case)
    counted = [Counted(look.at, look.counters) for look in during if look.counters]
    pairs = list(pairwise(counted))
    unknown = [look.orders_unknown_count for look in during if look.orders_unknown_count is not None]
    counts = {name: _orders(pairs, name) for name in _classes(case, pairs)}
    mean_ms, usual_ms, extra_s = _slowness(case, pairs)
    return Impact(
        classes=tuple(_class_impact(case, during, name, found if pairs else None) for name, found in counts.items()),
        is_counted=bool(pairs),
        is_whole=bool(pairs) and len(counted) == len(during) and not _anew(pairs) and not _gaps(during),
        counted_from=utc_text(counted[0].at) if pairs else "",
        counted_to=utc_text(counted[-1].at) if pairs else "",
        own_orders_count=sum(
            count for look in during[1:] for order in look.orders for count in order.outcomes.values()
        ),
        unknown_most_count=round(max(unknown)) if unknown else None,
        unknown_last_count=round(unknown[-1]) if unknown else None,
        mean_ms=mean_ms,
        usual_ms=usual_ms,
        extra_s=extra_s,
    )


def _during(case: PostmortemCase) -> list[PastLook]:
    """List the runs of the incident, with the last one before it and the first one after it."""
    began, _ = began_at(case)
    closed = case.incident.closed_at
    before = [look for look in case.looks if look.at < began]
    inside = [look for look in case.looks if look.at >= began and (closed is None or look.at <= closed)]
    after = [look for look in case.looks if closed is not None and look.at > closed]
    return [*before[-1:], *inside, *after[:1]]


def _classes(case: PostmortemCase, pairs: list[tuple[Counted, Counted]]) -> tuple[str, ...]:
    """Name the classes that were hit; where the cause names none, those whose orders changed for the worse."""
    known = asset_classes(case)
    if known:
        return known
    counted = {label for one, two in pairs for key in grown(one, two, "orders_total|")
               if (label := _labels(key).get("asset_class"))}  # fmt: skip
    return tuple(sorted(name for name in counted if any(_is_bad(word) for word in _orders(pairs, name))))


def _class_impact(
    case: PostmortemCase, during: list[PastLook], name: str, orders: dict[str, int] | None
) -> ClassImpact:
    return ClassImpact(asset_class=name, down=_down_time(during, name), paused_s=_paused_s(case, name), orders=orders)


def _down_time(during: list[PastLook], name: str) -> DownTime | None:
    seen = [(look.at, bad) for look in during if (bad := _was_bad(look, name)) is not None]
    if not seen:
        return None
    least_s = most_s = 0.0
    for (at, bad), (later, bad_later) in pairwise(seen):
        between_s = (later - at).total_seconds()
        least_s += between_s if bad and bad_later else 0.0
        most_s += between_s if bad or bad_later else 0.0
    return DownTime(at_least_s=least_s, at_most_s=most_s, looks_count=len(seen), bad_count=sum(bad for _, bad in seen))


def _was_bad(look: PastLook, name: str) -> bool | None:
    order = next((one for one in look.orders if one.asset_class.value == name), None)
    words = _outcomes(order)
    return None if not words else any(word not in GOOD for word in words)


def _outcomes(order: PastOrder | None) -> set[str]:
    """Name what became of the orders of one look; one that could not be sent says nothing."""
    found = {word.partition(":")[0] for word in (order.outcomes if order else ())}
    return found - {OrderOutcome.BLIND.value}


def _orders(pairs: Iterable[tuple[Counted, Counted]], name: str) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one, two in pairs:
        for key, count in grown(one, two, "orders_total|").items():
            labels = _labels(key)
            if labels.get("asset_class") == name and count > 0:
                sums[labels.get("outcome", "not named")] += round(count)
    return dict(sorted(sums.items()))


def _slowness(
    case: PostmortemCase, pairs: list[tuple[Counted, Counted]]
) -> tuple[float | None, float | None, float | None]:
    """Measure the mean time of an order in the worst stretch and in the hour before, and the time lost in all."""
    began, _ = began_at(case)
    before = [Counted(look.at, look.counters) for look in case.looks if look.counters and look.at < began]
    usual_ms = _mean_ms(_spent(before[0], before[-1])) if len(before) > 1 else None
    spent = [_spent(one, two) for one, two in pairs]
    means = [mean for one in spent if (mean := _mean_ms(one)) is not None]
    if not means or usual_ms is None:
        return max(means, default=None), usual_ms, None
    extra_s = sum(seconds - count * usual_ms / 1000 for seconds, count in spent)
    return max(means), usual_ms, max(0.0, extra_s)


def _spent(one: Counted, two: Counted) -> tuple[float, float]:
    found = grown(one, two, "order_seconds_")
    return found.get("order_seconds_sum", 0.0), found.get("order_seconds_count", 0.0)


def _mean_ms(spent: tuple[float, float]) -> float | None:
    seconds, count = spent
    return seconds / count * 1000 if count else None


def _paused_s(case: PostmortemCase, name: str) -> float | None:
    """Measure for how long a class was halted or reduced, by the control changes that the service wrote down."""
    changes = [(one.record.timestamp, state) for one in case.around if (state := _trading(one, name))]
    if not changes:
        return None
    ended = case.incident.closed_at or max(at for at, _ in changes)
    total_s, since = 0.0, None
    for at, state in sorted(changes):
        if state in PAUSED:
            since = since or at
        elif since is not None:
            total_s, since = total_s + (at - since).total_seconds(), None
    return total_s + (_left_s(since, ended) if since else 0.0)


def _left_s(since: datetime, ended: datetime) -> float:
    return max(0.0, (ended - since).total_seconds())


def _trading(one: NumberedRecord, name: str) -> str | None:
    details = one.record.details
    if one.record.type != "control_changed" or details.get("part") != "trading" or details.get("key") != name:
        return None
    return text_of(table_of(details, "now"), "state", 40)


def _labels(key: str) -> dict[str, str]:
    return {label: value for label, _, value in (word.partition("=") for word in key.split("|")[1:])}


def _is_bad(outcome: str) -> bool:
    return outcome in {"rejected", "unknown", "denied", "error", "not_received"}


def _anew(pairs: list[tuple[Counted, Counted]]) -> bool:
    return any(abs(two.counters.get(START, 0.0) - one.counters.get(START, 0.0)) > 1.0 for one, two in pairs)


def _gaps(during: list[PastLook]) -> bool:
    return any(two.at - one.at > GAP for one, two in pairwise(during))
