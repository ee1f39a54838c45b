"""Draft checks out of one incident: the number that showed it, with a limit between what is usual and what was seen.

A draft must have fired in the incident's own evidence, and hardly ever in the healthy runs before it: a check that
fires every hour is switched off, and rightly. It says how long before the incident it would have fired.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from tasks.model.checks.checks import Check, CheckSide, LogTemplateRule, MetricRule, Rule, Signal, ThresholdRule
from tasks.model.diagnosis.diagnosis import Cause, Finding, Kind
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import IncidentState
from tasks.model.logs.findings import LogFinding, Severity
from tasks.model.probes.history import PastObservation
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.rules.checks.checks import beyond, compared, growth_per_minute, value_before, value_now
from tasks.rules.messages.desk import traded_classes
from tasks.rules.probes.history import past_observation
from tasks.rules.probes.past_counters import Counted

ID_LIMIT_COUNT = 72
# What is drafted from numbers; a log template has none.
Measured = ThresholdRule | MetricRule
Names = Callable[[Finding], Iterable[str]]
Maker = Callable[[Finding], Iterable[Measured]]
DRAFTS_LIMIT_COUNT = 3
FALSE_ALARMS_RATIO = 0.05
USUAL_PART = 0.95
# What was seen must stand out this much from what is usual, or no limit lies between.
STANDS_OUT = 1.5
LED_IN_FOR = timedelta(minutes=10)
LEAST_USUAL_COUNT = 10
# Of these the first one is worth a note, where the hour before had none.
RARE = {
    Signal.GATEWAY_FAILED_COUNT,
    Signal.ORDERS_FAILED_COUNT,
    Signal.ORDERS_NOT_FILLED_COUNT,
    Signal.ORDERS_UNKNOWN_COUNT,
    Signal.SERVICE_STARTS_COUNT,
    Signal.ROUTING_FAULTS_COUNT,
}


class Watched(NamedTuple):
    """A number over the runs before, oldest first, and in the incident; and whether each found nothing wrong."""

    before: tuple[tuple[datetime, float, bool], ...]
    seen: float

    @property
    def usual(self) -> list[float]:
        """The values of the healthy runs, in order; the last minutes before it are the way into the incident."""
        healthy = [(at, value) for at, value, was_healthy in self.before if was_healthy]
        older = [value for at, value in healthy if at < self.before[-1][0] - LED_IN_FOR]
        return sorted(older if len(older) >= LEAST_USUAL_COUNT else (value for _, value in healthy))


def draft_checks(incident: IncidentState, run: StoredRun, now: datetime) -> tuple[Check, ...]:
    """Draft at most a few checks that catch the like of an incident earlier.

    Runbook: §5.2 A check that catches a similar regression earlier.
    Steps: 1. for each cause the first signal that stands out 2. the error lines that the hour before did not have
    """
    found: dict[str, Check] = {}
    for finding in run.diagnosis.findings:
        if finding.cause in incident.causes:
            rules = candidates(finding, classes_in(traded_classes(run.evidence)))
            drafts = (one for rule in rules if (one := _drafted(rule, finding, incident, run)))
            found |= {one.check_id: one for one in [next(drafts, None)] if one}
    found |= {one.check_id: one for one in _log_drafts(incident, run)}
    return tuple(one.model_copy(update={"drafted_at": now}) for one in found.values())[:DRAFTS_LIMIT_COUNT]


def _drafted(rule: Measured, finding: Finding, incident: IncidentState, run: StoredRun) -> Check | None:
    watched = _watched(rule, run)
    fitted = _fitted(rule, watched) if watched else None
    if watched is None or fitted is None:
        return None
    if sum(_fires(fitted, value) for value in watched.usual) > FALSE_ALARMS_RATIO * len(watched.usual):
        return None
    because = (
        f"in the incident it was {watched.seen:.4g}",
        _usual_words(fitted, watched),
        _lead_words(fitted, watched, incident),
    )
    return _check(fitted, incident, run, because).model_copy(update={"owner": finding.tier})


def _watched(rule: Measured, run: StoredRun) -> Watched | None:
    evidence = run.evidence
    history = [past for past in evidence.context.history if past.at < evidence.observations[0].looked_at]
    if isinstance(rule, MetricRule):
        pair = compared(evidence)
        seen = growth_per_minute(rule, *pair) if pair else None
        return Watched(tuple(_growths(rule, history)), seen) if seen is not None else None
    now = value_now(rule.signal, rule.subject, evidence, past_observation(evidence, run.diagnosis))
    before = tuple(
        (past.at, value, past.status == "ok")
        for past in history
        if (value := value_before(rule.signal, rule.subject, past)) is not None
    )
    return Watched(before, now) if now is not None else None


def _growths(rule: MetricRule, history: Sequence[PastObservation]) -> Iterable[tuple[datetime, float, bool]]:
    for one, two in pairwise([past for past in history if past.counters]):
        grew = growth_per_minute(rule, Counted(one.at, one.counters), Counted(two.at, two.counters))
        if grew is not None:
            yield two.at, grew, two.status == "ok"


def _fitted(rule: Measured, watched: Watched) -> Measured | None:
    """Put the limit between what is usual and what was seen: in the middle, by ratio; None where nothing stands out."""
    if isinstance(rule, MetricRule):
        limit = _limit(watched, CheckSide.AT_LEAST, is_rare=True)
        return rule.model_copy(update={"at_least_per_minute": limit}) if limit else None
    limit = _limit(watched, rule.side, is_rare=rule.signal in RARE)
    fitted = rule.model_copy(update={"limit": limit}) if limit else None
    return fitted if fitted is not None and beyond(fitted, watched.seen) else None


def _limit(watched: Watched, side: CheckSide, *, is_rare: bool) -> float | None:
    if watched.seen <= 0:
        return None
    return _high_limit(watched, is_rare=is_rare) if side is CheckSide.AT_LEAST else _low_limit(watched)


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
    """Round to two digits, downwards, so that what was seen still fires."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(math.floor(value / step) * step, 12)


def _fires(rule: Measured, value: float) -> bool:
    if isinstance(rule, MetricRule):
        return value >= rule.at_least_per_minute
    return beyond(rule, value)


def _usual_words(rule: Measured, watched: Watched) -> str:
    usual = watched.usual
    if not usual:
        return "what is usual is not known: no healthy run before it measured this"
    alarms = sum(_fires(rule, value) for value in usual)
    span = f"{usual[0]:.4g} to {usual[-1]:.4g}"
    return f"in {len(usual)} healthy runs before it was {span}; the check would have fired in {alarms} of them"


def _lead_words(rule: Measured, watched: Watched, incident: IncidentState) -> str:
    """Say how long before the incident the check would have fired, without a break since."""
    first: datetime | None = None
    for at, value, _ in reversed(watched.before):
        if not _fires(rule, value):
            break
        first = at
    if first is None:
        return "it would have fired in the run that opened the incident, not before"
    return f"it would have fired {(incident.opened_at - first).total_seconds():.0f} s before the incident was opened"


def _log_drafts(incident: IncidentState, run: StoredRun) -> Iterable[Check]:
    """Take the most frequent error of the run that the hour before did not have."""
    findings = [finding for scan in run.logs.scans for finding in scan.findings if _is_new_error(finding)]
    if findings:
        worst = max(findings, key=lambda one: (one.severity, one.count))
        said = f"in the incident {worst.count} lines like it, in the hour before none"
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


def candidates(finding: Finding, traded: tuple[AssetClass, ...] = ()) -> tuple[Measured, ...]:
    """List the rules to try for a finding, the most telling one first; their limits are fitted afterwards.

    Steps: where what is slow names no class, any that is traded may stand out.
    """
    slow = finding.model_copy(update={"asset_classes": finding.asset_classes or traded})
    of_kinds = [(_OF_KIND.get(kind, ()), slow if kind is Kind.LATENCY else finding) for kind in finding.kinds]
    makers = (*of_kinds, (_OF_CAUSE.get(finding.cause, ()), finding))
    rules = [rule for group, about in makers for maker in group for rule in maker(about)]
    return (*rules, ThresholdRule(signal=Signal.ORDERS_FAILED_COUNT, limit=1))


def check_id(service: str, rule: Rule) -> str:
    """Name a check after what it watches: two incidents of one kind give one check.

    Errors: none; text from outside that is no plain name adds a hash of itself.
    """
    words: tuple[str, ...] = ("log", rule.template) if isinstance(rule, LogTemplateRule) else ()
    if isinstance(rule, MetricRule):
        words = (rule.counter, *rule.labels.values())
    elif isinstance(rule, ThresholdRule):
        words = (rule.signal.value, rule.subject)
    text = " ".join(word for word in (service, *words) if word)
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(plain) <= ID_LIMIT_COUNT and re.fullmatch(r"[a-zA-Z0-9_ -]+", text):
        return plain
    digest = sha256(text.encode("utf-8", "replace")).hexdigest()[:6]
    return f"{plain[: ID_LIMIT_COUNT - 7].strip('-') or 'check'}-{digest}"


def _of_each(signal: Signal, names: Names) -> Maker:
    return lambda finding: (ThresholdRule(signal=signal, subject=str(name), limit=1) for name in names(finding))


def _alone(signal: Signal, side: CheckSide = CheckSide.AT_LEAST) -> Maker:
    return lambda _: (ThresholdRule(signal=signal, side=side, limit=1),)


def _counter_of_each(counter: str, label: str, names: Names) -> Maker:
    return lambda finding: (
        MetricRule(counter=counter, labels={label: str(name)}, at_least_per_minute=1) for name in names(finding)
    )


def _orders(outcome: str) -> Maker:
    """Count orders by outcome: at each gateway that the finding names, else all of them."""

    def make(finding: Finding) -> Iterable[Measured]:
        for labels in [{"gateway": name} for name in finding.gateways] or [{}]:
            yield MetricRule(counter="orders_total", labels={**labels, "outcome": outcome}, at_least_per_minute=1)

    return make


_GATEWAYS: Names = attrgetter("gateways")
_CLASSES: Names = attrgetter("asset_classes")
_FAILED = _of_each(Signal.ORDERS_FAILED_COUNT, _CLASSES)
_DENIED = _counter_of_each("orders_denied_total", "asset_class", _CLASSES)
_GATEWAY_FAILED = _of_each(Signal.GATEWAY_FAILED_COUNT, _GATEWAYS)
_SLOW = _alone(Signal.HEALTH_MS)
_ROUTING = (_alone(Signal.ROUTING_FAULTS_COUNT), _FAILED)
_LATENCY = (
    _of_each(Signal.GATEWAY_MS, _GATEWAYS),
    _of_each(Signal.OWN_MS, _CLASSES),
    _of_each(Signal.ORDER_MS, _CLASSES),
    _SLOW,
)
_OF_KIND: dict[Kind, tuple[Maker, ...]] = {
    Kind.UNREACHABLE: (_GATEWAY_FAILED, _FAILED),
    Kind.UNSTABLE: (_of_each(Signal.GATEWAY_TURNS_COUNT, _GATEWAYS), _GATEWAY_FAILED, _FAILED),
    Kind.LATENCY: _LATENCY,
    Kind.REJECTS: (_orders("rejected"), _FAILED),
    Kind.NO_EXECUTIONS: (_of_each(Signal.ORDERS_NOT_FILLED_COUNT, _CLASSES),),
    Kind.UNKNOWN_OUTCOMES: (_alone(Signal.ORDERS_UNKNOWN_COUNT), _orders("unknown"), _FAILED),
    **dict.fromkeys((Kind.WRONG_RULE, Kind.CLASS_MISSING, Kind.LATENT), _ROUTING),
    Kind.ERRORS: (_orders("error"), _DENIED, _FAILED),
    Kind.CRASHES: (_alone(Signal.SERVICE_STARTS_COUNT),),
    Kind.MEMORY: (_alone(Signal.MEMORY_BYTES),),
    Kind.DESCRIPTORS: (_alone(Signal.OPEN_FILES_COUNT),),
    Kind.STORAGE: (_alone(Signal.DISK_FREE_RATIO, CheckSide.AT_MOST),),
    Kind.CLOCK: (_alone(Signal.CLOCK_SKEW_S),),
    Kind.HEALTH: (_SLOW,),
    Kind.RATE: (_counter_of_each("strategy_orders_total", "strategy", attrgetter("strategies")),),
}
_OF_CAUSE: dict[Cause, tuple[Maker, ...]] = {
    Cause.SERVICE_HUNG: (_SLOW,),
    Cause.BAD_FEATURE: (_DENIED, _orders("error"), _FAILED),
    Cause.INFRASTRUCTURE: (_SLOW,),
    Cause.UNKNOWN: (_SLOW,),
}
