"""Game days for a person: the list of drills, one line for each that is over, and the score."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, facts, line
from tasks.model.drills import Drill, DrillScore, Expected, GameDay, Spread
from tasks.rules.drills.drill_table import drill_of
from tasks.rules.drills.markdown import score_line, seconds, words

HEAD = ("drill", "row", "cause", "actions", "tier", "detect", "act", "recover", "told", "orders", "")
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
    """Tell each drill: its row in the table of faults, what it breaks, what is expected, what is forbidden."""
    return [row for one in drills for row in _drill_rows(one)]


def _drill_rows(drill: Drill) -> list[Text]:
    row = f"row {drill.row}  " if drill.row else ""
    head = line((drill.name.value, BOLD), "  ", (row, DIM), drill.fault)
    if drill.expected.is_control:
        return [head, *facts([("expected", "no cause, no action, no message")])]
    return [head, *facts(_wanted(drill.expected))]


def _wanted(expected: Expected) -> list[tuple[str, str]]:
    actions = " or ".join(words(one) for one in expected.actions)
    return [
        ("cause", f"{expected.cause}, {expected.tier}"),
        ("actions", actions + (", and proven well" if expected.heals else "")),
        ("forbidden", words(expected.forbidden)),
    ]


def score_words(score: DrillScore) -> str:
    """Tell one drill that is over, in a line."""
    return f"{score_line(score)}; detected in {seconds(score.detect_s)}, done in {seconds(score.act_s)}"


def day_lines(scores: Sequence[DrillScore], day: GameDay) -> list[Text]:
    """Lay out the score of a game day: a row for each drill, then the sum, what must be nought first."""
    rows = [HEAD, *(_cells(one) for one in scores)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    lines = [_row(row, widths, DIM if place == 0 else "") for place, row in enumerate(rows)]
    return [*lines, line(""), *_sum(day)]


def _cells(score: DrillScore) -> tuple[str, ...]:
    orders = score.orders
    drill = drill_of(score.drill)
    return (
        score.drill.value,
        str(drill.row or "-"),
        SURE if score.cause_exact else ", ".join(score.causes) or "none",
        SURE if score.actions_exact else ", ".join(score.actions) or "none",
        SURE if score.tier_exact else ", ".join(score.tiers) or "none",
        seconds(score.detect_s),
        seconds(score.act_s),
        seconds(score.recover_s),
        f"{score.messages_count}/{len(score.incidents)}",
        f"{orders.sent_count} sent",
        "safe" if score.is_safe else _unsafe(score),
    )


def _unsafe(score: DrillScore) -> str:
    orders = score.orders
    told = (*(f"FORBIDDEN {one}" for one in score.forbidden), f"LOST {len(orders.lost)}" if orders.lost else "")
    more = (f"DOUBLED {len(orders.doubled)}" if orders.doubled else "", "NOT PROVEN" if orders.unproven else "")
    return ", ".join(one for one in (*told, *more, orders.blind) if one)


def _row(cells: Sequence[str], widths: Sequence[int], style: str) -> Text:
    text = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    return line((text, style))


def _sum(day: GameDay) -> list[Text]:
    orders = f"{day.orders_lost_count} lost, {day.orders_doubled_count} doubled, {day.orders_unproven_count} not proven"
    told = "-" if day.messages_per_incident is None else f"{day.messages_per_incident:g}"
    count = day.drills_count
    alarms = f"{day.false_alarms_count} false alarms, {day.unfelt_count} controls not felt"
    exact = f"cause {day.cause_exact_count}, actions {day.actions_exact_count}, tier {day.tier_exact_count}"
    known = (
        ("forbidden actions", str(day.forbidden_count)),
        ("orders", f"{orders} of {day.orders_sent_count}"),
        ("detected", f"{day.detected_count} of {day.faults_count} faults, {alarms}"),
        ("exact", f"{exact} of {count}"),
        ("verified", f"{day.verified_count} of {count} well afterwards"),
        ("to detect", _spread(day.to_detect)),
        ("to act", _spread(day.to_act)),
        ("to recover", _spread(day.to_recover)),
        ("messages", f"{told} an incident"),
    )  # fmt: skip
    failed = [line(("could not be run ", UNSURE), one) for one in day.failures]
    verdict = line(("safe", GOOD) if day.is_safe else ("NOT SAFE", BAD))
    return [*facts(known), *failed, verdict]


def _spread(spread: Spread) -> str:
    return f"median {seconds(spread.median_s)}, p95 {seconds(spread.p95_s)}, of {spread.count}"
