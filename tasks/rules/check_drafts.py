"""Draft checks out of one incident: the number that showed it, with a limit between what is usual and what was seen.

A draft must have fired in the incident's own evidence, and hardly ever in the healthy runs before it: a check that
cries every hour is switched off, and rightly. It says how long before the incident it would have told.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from tasks.model.checks import Check, LogTemplateRule, MetricRule, Rule, Side, Signal, ThresholdRule
from tasks.model.diagnosis import Finding
from tasks.model.incident import IncidentState
from tasks.model.log_findings import LogFinding
from tasks.model.log_levels import Severity
from tasks.model.past_looks import PastLook
from tasks.model.stored_run import StoredRun
from tasks.rules.check_candidates import candidates, check_id
from tasks.rules.check_signals import compared, growth_per_minute, value_before, value_now
from tasks.rules.checks import beyond
from tasks.rules.past_counters import Counted
from tasks.rules.past_looks import past_look

DRAFTS_LIMIT_COUNT = 3
FALSE_ALARMS_RATIO = 0.05
USUAL_PART = 0.95
# What was seen must stand out this much from what is usual, or no limit lies between.
STANDS_OUT = 1.5
LED_IN_FOR = timedelta(minutes=10)
LEAST_USUAL_COUNT = 10
# Of these the first one is worth a note, where the hour before had none.
RARE = frozenset(
    {
        Signal.GATEWAY_FAILED_COUNT,
        Signal.ORDERS_FAILED_COUNT,
        Signal.ORDERS_NOT_FILLED_COUNT,
        Signal.ORDERS_UNKNOWN_COUNT,
        Signal.SERVICE_STARTS_COUNT,
        Signal.ROUTING_FAULTS_COUNT,
    }
)


class Watched(NamedTuple):
    """A number over the runs before, oldest first, and in the incident; `well` says which runs found nothing wrong."""

    before: tuple[tuple[datetime, float, bool], ...]
    seen: float

    @property
    def usual(self) -> list[float]:
        """The values of the runs that were well, in order; the last minutes before it are the way into the incident."""
        well = [(at, value) for at, value, was_well in self.before if was_well]
        older = [value for at, value in well if at < self.before[-1][0] - LED_IN_FOR]
        return sorted(older if len(older) >= LEAST_USUAL_COUNT else (value for _, value in well))


def draft_checks(incident: IncidentState, run: StoredRun, now: datetime) -> tuple[Check, ...]:
    """Draft at most a few checks that catch the like of an incident earlier.

    Runbook: §5.2 A check that catches a similar regression earlier.
    Errors: none; an incident whose numbers do not stand out from the healthy hour gives none.
    Steps: 1. for each cause the first signal that stands out 2. the error lines that the hour before did not have
    """
    found: dict[str, Check] = {}
    for finding in run.diagnosis.findings:
        if finding.cause in incident.causes:
            drafts = (one for rule in candidates(finding) if (one := _drafted(rule, finding, incident, run)))
            found |= {one.check_id: one for one in [next(drafts, None)] if one}
    found |= {one.check_id: one for one in _log_drafts(incident, run)}
    return tuple(one.model_copy(update={"drafted_at": now}) for one in found.values())[:DRAFTS_LIMIT_COUNT]


def _drafted(rule: Rule, finding: Finding, incident: IncidentState, run: StoredRun) -> Check | None:
    watched = _watched(rule, run)
    fitted = _fitted(rule, watched) if watched else None
    if watched is None or fitted is None:
        return None
    alarms = [value for value in watched.usual if _fires(fitted, value)]
    if len(alarms) > FALSE_ALARMS_RATIO * len(watched.usual):
        return None
    because = (
        f"in the incident it was {watched.seen:.4g}",
        _usual_words(fitted, watched),
        _lead_words(fitted, watched, incident),
    )
    return _check(fitted, incident, run, because).model_copy(update={"owner": finding.tier})


def _watched(rule: Rule, run: StoredRun) -> Watched | None:
    evidence = run.evidence
    history = [look for look in evidence.context.history if look.at < evidence.observations[0].looked_at]
    if isinstance(rule, MetricRule):
        pair = compared(evidence)
        seen = growth_per_minute(rule, *pair) if pair else None
        return Watched(tuple(_growths(rule, history)), seen) if seen is not None else None
    if not isinstance(rule, ThresholdRule):
        return None
    now = value_now(rule.signal, rule.subject, evidence, past_look(evidence, run.diagnosis))
    before = tuple(
        (look.at, value, look.status == "ok")
        for look in history
        if (value := value_before(rule.signal, rule.subject, look)) is not None
    )
    return Watched(before, now) if now is not None else None


def _growths(rule: MetricRule, history: Sequence[PastLook]) -> Iterable[tuple[datetime, float, bool]]:
    for one, two in pairwise([look for look in history if look.counters]):
        grew = growth_per_minute(rule, Counted(one.at, one.counters), Counted(two.at, two.counters))
        if grew is not None:
            yield two.at, grew, two.status == "ok"


def _fitted(rule: Rule, watched: Watched) -> Rule | None:
    """Put the limit between what is usual and what was seen: in the middle, by ratio; None where nothing stands out."""
    if isinstance(rule, MetricRule):
        limit = _limit(watched, Side.AT_LEAST, is_rare=True)
        return rule.model_copy(update={"at_least_per_minute": limit}) if limit else None
    if not isinstance(rule, ThresholdRule):
        return None
    limit = _limit(watched, rule.side, is_rare=rule.signal in RARE)
    fitted = rule.model_copy(update={"limit": limit}) if limit else None
    return fitted if fitted is not None and beyond(fitted, watched.seen) else None


def _limit(watched: Watched, side: Side, *, is_rare: bool) -> float | None:
    if watched.seen <= 0:
        return None
    return _high_limit(watched, is_rare=is_rare) if side is Side.AT_LEAST else _low_limit(watched)


def _high_limit(watched: Watched, *, is_rare: bool) -> float | None:
    usual, seen = watched.usual, watched.seen
    high = usual[math.ceil(USUAL_PART * (len(usual) - 1))] if usual else 0.0
    if seen < high * STANDS_OUT:
        return None
    if high > 0:
        return _rounded(math.sqrt(high * seen))
    # Where nothing is usual, or nobody knows, half of what was seen is on the way to it.
    return min(1.0, seen) if is_rare else _rounded(seen / 2)


def _low_limit(watched: Watched) -> float | None:
    usual, seen = watched.usual, watched.seen
    low = usual[math.floor((1 - USUAL_PART) * (len(usual) - 1))] if usual else seen * STANDS_OUT**2
    return _rounded(math.sqrt(low * seen)) if seen * STANDS_OUT <= low else None


def _rounded(value: float) -> float:
    """Round to two digits that count, downwards, so that what was seen still fires."""
    if value <= 0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(math.floor(value / step) * step, 12)


def _fires(rule: Rule, value: float) -> bool:
    if isinstance(rule, MetricRule):
        return value >= rule.at_least_per_minute
    return isinstance(rule, ThresholdRule) and beyond(rule, value)


def _usual_words(rule: Rule, watched: Watched) -> str:
    usual = watched.usual
    if not usual:
        return "what is usual is not known: no healthy run before it measured this"
    alarms = sum(_fires(rule, value) for value in usual)
    span = f"{usual[0]:.4g} to {usual[-1]:.4g}"
    return f"in {len(usual)} healthy runs before it was {span}; the check would have fired in {alarms} of them"


def _lead_words(rule: Rule, watched: Watched, incident: IncidentState) -> str:
    """Say how long before the incident the check would have told, without a break since."""
    first: datetime | None = None
    for at, value, _ in reversed(watched.before):
        if not _fires(rule, value):
            break
        first = at
    if first is None:
        return "it would have told in the run that opened the incident, not before"
    return f"it would have told {(incident.opened_at - first).total_seconds():.0f} s before the incident was opened"


def _log_drafts(incident: IncidentState, run: StoredRun) -> Iterable[Check]:
    """Take the most frequent error of the run that the hour before did not have."""
    findings = [finding for scan in run.logs.scans for finding in scan.findings if _is_new_error(finding)]
    if findings:
        worst = max(findings, key=lambda one: (one.severity, one.count))
        said = f"in the incident {worst.count} lines said so, in the hour before it none"
        yield _check(LogTemplateRule(template=worst.template[:400]), incident, run, (said,))


def _is_new_error(finding: LogFinding) -> bool:
    is_new = finding.is_new or finding.rate.hour_before_count == 0
    return finding.severity >= Severity.ERROR and is_new and bool(finding.template.strip())


def _check(rule: Rule, incident: IncidentState, run: StoredRun, because: tuple[str, ...]) -> Check:
    return Check(
        check_id=check_id(incident.service, rule),
        service=incident.service,
        rule=rule,
        incident_id=incident.incident_id,
        drafted_at=run.stored_at,
        because=because,
    )
