"""What an incident cost, measured from the runs that saw it: nothing is guessed, and what nobody measured is named."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from tasks.model.postmortem.impact import ClassImpact, DownTime, Impact
from tasks.model.postmortem.postmortem import NumberedRecord, PostmortemCase
from tasks.model.probes.history import PastObservation, PastOrder
from tasks.model.probes.probes import OrderOutcome
from tasks.rules.formats.json_values import table_of, text_of
from tasks.rules.formats.markdown_cells import cell, table
from tasks.rules.formats.time import utc_text
from tasks.rules.postmortem.cause import asset_classes
from tasks.rules.postmortem.durations import began_at
from tasks.rules.probes.past_counters import START, Counted, grown

GOOD = frozenset({OrderOutcome.EXECUTED.value, OrderOutcome.REJECTED_AS_EXPECTED.value})
# A triage runs every minute; two further apart leave a gap in which nobody knows.
GAP = timedelta(minutes=3)
PAUSED = frozenset({"halted", "reducing"})
NOT_KNOWN = "not known"
# Outcomes as the service counts them, under the word that the desk asks for.
WORDS = {
    "rejected": ("rejected",),
    "unknown": ("unknown",),
    "denied": ("denied",),
    "failed": ("error", "not_received"),
}


def impact_lines(case: PostmortemCase) -> list[str]:
    """Write the impact: classes, minutes, orders delayed, rejected, unknown.

    Runbook: §5.1.
    """
    impact = impact_of(case)
    head = ("asset class", "did not trade", "paused", "orders", *WORDS)
    rows = [_class_row(one, impact) for one in impact.classes]
    nobody = "Which asset classes were hit is not known: the cause names none, and no order count shows it."
    return ["## Impact", "", *(table(head, rows) if rows else [nobody]), "", *_notes(impact)]


def impact_of(case: PostmortemCase) -> Impact:
    """Measure the impact on each asset class, and on all orders.

    Runbook: §5.1.
    Errors: none; where no run or no counter was kept, the value is None.
    """
    during = _during(case)
    counted = [Counted(run.at, run.counters) for run in during if run.counters]
    pairs = list(pairwise(counted))
    unknown = [run.orders_unknown_count for run in during if run.orders_unknown_count is not None]
    counts = {name: _orders(pairs, name) for name in _classes(case, pairs)}
    mean_ms, usual_ms, extra_s = _slowness(case, pairs)
    return Impact(
        classes=tuple(_class_impact(case, during, name, found if pairs else None) for name, found in counts.items()),
        is_counted=bool(pairs),
        is_whole=bool(pairs) and len(counted) == len(during) and not _restarted(pairs) and not _gaps(during),
        counted_from=utc_text(counted[0].at) if pairs else "",
        counted_to=utc_text(counted[-1].at) if pairs else "",
        own_orders_count=sum(count for run in during[1:] for order in run.orders for count in order.outcomes.values()),
        unknown_most_count=round(max(unknown)) if unknown else None,
        unknown_last_count=round(unknown[-1]) if unknown else None,
        mean_ms=mean_ms,
        usual_ms=usual_ms,
        extra_s=extra_s,
    )


def _during(case: PostmortemCase) -> list[PastObservation]:
    """List the runs of the incident, with the last one before it and the first one after it."""
    began, _ = began_at(case)
    closed = case.incident.closed_at
    before = [run for run in case.looks if run.at < began]
    inside = [run for run in case.looks if run.at >= began and (closed is None or run.at <= closed)]
    after = [run for run in case.looks if closed is not None and run.at > closed]
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
    case: PostmortemCase, during: list[PastObservation], name: str, orders: dict[str, int] | None
) -> ClassImpact:
    return ClassImpact(asset_class=name, down=_down_time(during, name), paused_s=_paused_s(case, name), orders=orders)


def _down_time(during: list[PastObservation], name: str) -> DownTime | None:
    seen = [(run.at, bad) for run in during if (bad := _was_bad(run, name)) is not None]
    if not seen:
        return None
    least_s = most_s = 0.0
    for (at, bad), (later, bad_later) in pairwise(seen):
        between_s = (later - at).total_seconds()
        least_s += between_s if bad and bad_later else 0.0
        most_s += between_s if bad or bad_later else 0.0
    return DownTime(
        at_least_s=least_s, at_most_s=most_s, checked_count=len(seen), bad_count=sum(bad for _, bad in seen)
    )


def _was_bad(run: PastObservation, name: str) -> bool | None:
    order = next((one for one in run.orders if one.asset_class == name), None)
    words = _outcomes(order)
    return None if not words else any(word not in GOOD for word in words)


def _outcomes(order: PastOrder | None) -> set[str]:
    """Name what became of the orders of one run; one that could not be sent says nothing."""
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
    before = [Counted(run.at, run.counters) for run in case.looks if run.counters and run.at < began]
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


def _restarted(pairs: list[tuple[Counted, Counted]]) -> bool:
    return any(abs(two.counters.get(START, 0.0) - one.counters.get(START, 0.0)) > 1.0 for one, two in pairs)


def _gaps(during: list[PastObservation]) -> bool:
    return any(two.at - one.at > GAP for one, two in pairwise(during))


def _class_row(one: ClassImpact, impact: Impact) -> tuple[str, ...]:
    name = cell(one.asset_class, 60)
    paused = f"{one.paused_s / 60:.1f} min" if one.paused_s is not None else "no" if impact.is_counted else NOT_KNOWN
    if one.orders is None:
        return (name, _minutes(one.down), paused, NOT_KNOWN, *(NOT_KNOWN for _ in WORDS))
    least = "" if impact.is_whole else "at least "
    sums = (sum(one.orders.get(word, 0) for word in words) for words in WORDS.values())
    return (
        name,
        _minutes(one.down),
        paused,
        f"{least}{sum(one.orders.values())}",
        *(f"{least}{count}" for count in sums),
    )


def _minutes(down: DownTime | None) -> str:
    if down is None:
        return "not known: not checked"
    if not down.bad_count:
        return f"passed in all {down.checked_count} runs"
    least, most = down.at_least_s / 60, down.at_most_s / 60
    return f"at most {most:.1f} min" if not least else f"{least:.1f} to {most:.1f} min"


def _notes(impact: Impact) -> list[str]:
    return [f"- {line}" for line in (_delayed(impact), *_unknown(impact), *_counted(impact))]


def _delayed(impact: Impact) -> str:
    """State the delay: the service does not count delayed orders, it sums up their time."""
    delayed = "Orders delayed: how many is not counted"
    if impact.mean_ms is None:
        return f"{delayed}, and the time that orders took was not measured."
    usual = (
        f"{impact.usual_ms:.0f} ms in the hour before"
        if impact.usual_ms is not None
        else "the hour before is not known"
    )
    lost = f"; all orders together took {impact.extra_s:.1f} s longer than usual" if impact.extra_s is not None else ""
    return f"{delayed}. In the worst stretch an order took {impact.mean_ms:.0f} ms on average, {usual}{lost}."


def _unknown(impact: Impact) -> list[str]:
    if impact.unknown_most_count is None:
        return ["Orders whose outcome was not proven at one time: not known."]
    most, last = impact.unknown_most_count, impact.unknown_last_count
    return [f"Orders whose outcome was not proven at one time: {most} at most, {last} in the last run."]


def _counted(impact: Impact) -> list[str]:
    if not impact.is_counted:
        return ["Orders were not counted: no two runs read the counters."]
    own = f"{impact.own_orders_count} of them are test orders of the triage"
    span = f"from {impact.counted_from} to {impact.counted_to}"
    notes = [f"Orders are counted by the service itself {span}; about {own}."]
    if not impact.is_whole:
        notes.append("The numbers are a least: some runs did not read the counters, or they began again at zero.")
    return notes
