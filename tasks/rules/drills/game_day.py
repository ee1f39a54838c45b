"""The parts of a drill in their order, and the sum of a game day's drills."""

from collections.abc import Iterable, Sequence
from math import ceil

from tasks.model.drills.drills import DrillScore, GameDay, Spread
from tasks.model.reports.progress import LongStep, Progress, Unit
from tasks.rules.drills.catalogue import drill_of


def game_day(scores: Sequence[DrillScore], failures: Sequence[str] = ()) -> GameDay:
    """Sum up. Safe is a day on which something was tried, nothing forbidden was done, and every order is accounted for.

    A drill that could not be run says nothing of safety, so the day is not called safe.
    """
    faults = [one for one in scores if not drill_of(one.drill).expected.is_control]
    controls = [one for one in scores if one not in faults]
    incidents_count = sum(len(one.incidents) for one in scores)
    return GameDay(
        drills_count=len(scores),
        faults_count=len(faults),
        detected_count=sum(one.detected for one in faults),
        unfelt_count=sum(not one.felt for one in controls),
        false_alarms_count=sum(bool(one.incidents) for one in controls),
        cause_exact_count=sum(one.cause_exact for one in scores),
        actions_exact_count=sum(one.actions_exact for one in scores),
        forbidden_count=sum(len(one.forbidden) for one in scores),
        tier_exact_count=sum(one.tier_exact for one in scores),
        verified_count=sum(one.verified for one in scores),
        to_detect=spread(one.detect_s for one in faults),
        to_act=spread(one.act_s for one in faults),
        to_recover=spread(one.recover_s for one in faults),
        messages_per_incident=_ratio(sum(one.messages_count for one in scores), incidents_count),
        orders_sent_count=sum(one.orders.sent_count for one in scores),
        orders_lost_count=sum(len(one.orders.lost) for one in scores),
        orders_doubled_count=sum(len(one.orders.doubled) for one in scores),
        orders_unproven_count=sum(len(one.orders.unproven) for one in scores),
        failures=tuple(failures),
        is_safe=bool(scores) and not failures and all(one.is_safe for one in scores),
    )


def spread(times_s: Iterable[float | None]) -> Spread:
    """Give the median and the 95th percentile by nearest rank; of two in the middle the later one counts.

    Source: NIST/SEMATECH e-Handbook of Statistical Methods, 7.2.6.2, the discrete form.
    """
    known = sorted(one for one in times_s if one is not None)
    if not known:
        return Spread()
    slow = known[max(0, ceil(0.95 * len(known)) - 1)]
    return Spread(count=len(known), median_s=known[len(known) // 2], p95_s=slow)


def _ratio(count: int, of: int) -> float | None:
    return round(count / of, 2) if of else None


PARTS = (
    LongStep.DRILL_BEGIN,
    LongStep.DRILL_FIND,
    LongStep.DRILL_UNDO,
    LongStep.DRILL_CLOSE,
    LongStep.DRILL_SCORE,
)


def drill_part(step: LongStep) -> Progress:
    """Say how far a drill has come when one of its parts begins."""
    return Progress(step=step, done=PARTS.index(step), of=len(PARTS), unit=Unit.PARTS)
