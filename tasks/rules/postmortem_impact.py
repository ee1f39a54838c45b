"""Say what an incident cost, and as plainly what nobody measured."""

from tasks.model.impact import ClassImpact, DownTime, Impact
from tasks.model.postmortem import PostmortemCase
from tasks.rules.cells import cell, table
from tasks.rules.impact import impact_of

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
    nobody = "Which asset classes were hit is not known: the cause names none, and no order count tells."
    return ["## Impact", "", *(table(head, rows) if rows else [nobody]), "", *_notes(impact)]


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
        return "not known: nobody looked"
    if not down.bad_count:
        return f"no look of {down.looks_count} saw it fail"
    least, most = down.at_least_s / 60, down.at_most_s / 60
    return f"at most {most:.1f} min" if not least else f"{least:.1f} to {most:.1f} min"


def _notes(impact: Impact) -> list[str]:
    return [f"- {line}" for line in (_delayed(impact), *_unknown(impact), *_counted(impact))]


def _delayed(impact: Impact) -> str:
    """Say what is known of delay: the service does not count delayed orders, it sums up their time."""
    told = "Orders delayed: how many is not counted"
    if impact.mean_ms is None:
        return f"{told}, and the time that orders took was not measured."
    usual = (
        f"{impact.usual_ms:.0f} ms in the hour before"
        if impact.usual_ms is not None
        else "the hour before is not known"
    )
    lost = f"; all orders together took {impact.extra_s:.1f} s longer than usual" if impact.extra_s is not None else ""
    return f"{told}. In the worst stretch an order took {impact.mean_ms:.0f} ms on average, {usual}{lost}."


def _unknown(impact: Impact) -> list[str]:
    if impact.unknown_most_count is None:
        return ["Orders whose outcome was not proven at one time: not known."]
    most, last = impact.unknown_most_count, impact.unknown_last_count
    return [f"Orders whose outcome was not proven at one time: {most} at most, {last} at the last look."]


def _counted(impact: Impact) -> list[str]:
    if not impact.is_counted:
        return ["Orders were not counted: there are not two looks that read the counters."]
    own = f"{impact.own_orders_count} of them are test orders of the triage"
    told = [f"Orders are counted by the service itself from {impact.counted_from} to {impact.counted_to}; about {own}."]
    if not impact.is_whole:
        told.append("The numbers are a least: between some looks nobody read the counters, or they began anew.")
    return told
