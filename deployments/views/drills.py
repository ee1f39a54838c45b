"""Game days for a person: the list of drills, one line for each that is over, and the score."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from deployments.views.columns import Rows, View, laid_out
from deployments.views.terminal import BAD, DIM, GOOD, line
from tasks.model.drills.drills import Drill, DrillScore, GameDay, Spread
from tasks.rules.drills.catalogue import drill_of
from tasks.rules.drills.drill_markdown import score_line, seconds, words

HEAD = ("drill", "row", "cause", "actions", "tier", "detect", "act", "recover", "messages", "orders", "")
SURE = "exact"


def drills_document(drills: Sequence[Drill]) -> dict[str, Any]:
    """Lay the drills out for other programs."""
    return {
        "drills": [
            {
                "name": one.name,
                "row": one.row,
                "fault": one.fault,
                "asset_class": one.asset_class,
                "cause": one.expected.cause,
                "actions": [sorted(each) for each in one.expected.actions],
                "tier": one.expected.tier,
                "recovers_by_itself": one.expected.heals,
                "forbidden": sorted(one.expected.forbidden),
            }
            for one in drills
        ]
    }


def drill_lines(drills: Sequence[Drill]) -> list[Text]:
    """Lay out each drill: its row in the table of faults, what it breaks, what is expected, what is forbidden."""
    return [row for one in drills for row in laid_out(CONTROL if one.expected.is_control else DRILL, one)]


def score_words(score: DrillScore) -> str:
    """Sum up one drill that is over, in a line."""
    return f"{score_line(score)}; detected in {seconds(score.detect_s)}, done in {seconds(score.act_s)}"


def day_lines(scores: Sequence[DrillScore], day: GameDay) -> list[Text]:
    """Lay out the score of a game day: a row for each drill, then the sum, what must be nought first."""
    rows = [HEAD, *map(_cells, scores)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    table = [line((row, DIM if place == 0 else "")) for place, row in enumerate(padded)]
    return [*table, line(""), *laid_out(DAY, day), line(("safe", GOOD) if day.is_safe else ("NOT SAFE", BAD))]


def _actions(drill: Drill) -> str:
    wanted = " or ".join(words(one) for one in drill.expected.actions)
    return wanted + (", and proven healthy" if drill.expected.heals else "")


def _cells(score: DrillScore) -> tuple[str, ...]:
    return (
        score.drill.value,
        str(drill_of(score.drill).row or "-"),
        SURE if score.cause_exact else ", ".join(score.causes) or "none",
        SURE if score.actions_exact else ", ".join(score.actions) or "none",
        SURE if score.tier_exact else ", ".join(score.tiers) or "none",
        seconds(score.detect_s),
        seconds(score.act_s),
        seconds(score.recover_s),
        f"{score.messages_count}/{len(score.incidents)}",
        f"{score.orders.sent_count} sent",
        "safe" if score.is_safe else _unsafe(score),
    )


def _unsafe(score: DrillScore) -> str:
    orders = score.orders
    counted = ((len(orders.lost), "LOST {}"), (len(orders.doubled), "DOUBLED {}"), (len(orders.unproven), "NOT PROVEN"))
    bad = (words.format(count) for count, words in counted if count)
    return ", ".join((*(f"FORBIDDEN {one}" for one in score.forbidden), *bad, *filter(None, [orders.blind])))


def _spread(spread: Spread) -> str:
    return f"median {seconds(spread.median_s)}, p95 {seconds(spread.p95_s)}, of {spread.count}"


CONTROL = View("{name!b}  {fault}", "expected", computed={"expected": lambda _: "no cause, no action, no message"})
DRILL = View(
    "{name!b}  row {row!d}  {fault}",
    "cause actions forbidden",
    computed={
        "cause": lambda drill: f"{drill.expected.cause}, {drill.expected.tier}",
        "actions": _actions,
        "forbidden": lambda drill: words(drill.expected.forbidden),
    },
)
DAY = View(
    "",
    "forbidden_actions=forbidden_count orders detected exact verified to_detect to_act to_recover messages",
    (Rows("failures", "could not be run {!w}"),),
    {
        "orders": lambda day: (
            f"{day.orders_lost_count} lost, {day.orders_doubled_count} doubled, "
            f"{day.orders_unproven_count} not proven of {day.orders_sent_count}"
        ),
        "detected": lambda day: (
            f"{day.detected_count} of {day.faults_count} faults, {day.false_alarms_count} false alarms, "
            f"{day.unfelt_count} controls not felt"
        ),
        "exact": lambda day: (
            f"cause {day.cause_exact_count}, actions {day.actions_exact_count}, tier {day.tier_exact_count} "
            f"of {day.drills_count}"
        ),
        "verified": lambda day: f"{day.verified_count} of {day.drills_count} healthy afterwards",
        "to_detect": lambda day: _spread(day.to_detect),
        "to_act": lambda day: _spread(day.to_act),
        "to_recover": lambda day: _spread(day.to_recover),
        "messages": lambda day: (
            "-" if day.messages_per_incident is None else f"{day.messages_per_incident:g} an incident"
        ),
    },
)
