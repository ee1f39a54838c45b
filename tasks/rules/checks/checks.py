"""Evaluate the accepted checks on the evidence of one run. What fires is a note: no cause, no incident, no action."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from tasks.model.checks.checks import (
    Check,
    CheckResult,
    CheckSide,
    CheckStatus,
    LogTemplateRule,
    MetricRule,
    Rule,
    Signal,
    ThresholdRule,
)
from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.logs.findings import LogCheck
from tasks.model.probes.history import PastObservation, PastOrder
from tasks.model.probes.probes import OrderOutcome
from tasks.rules.logs.groups import merged
from tasks.rules.probes.history import past_observation
from tasks.rules.probes.past_counters import Counted, counted, grown

COUNTED_FOR = timedelta(minutes=15)
GOOD = frozenset({OrderOutcome.EXECUTED.value, OrderOutcome.REJECTED_AS_EXPECTED.value})
MINUTE_S = 60.0
# One order in a second is no sixty a minute.
LEAST_WINDOW = timedelta(seconds=20)
_NOT_NAMED_YET = Diagnosis(status=Status.OK)


def check_results(evidence: Evidence, logs: LogCheck | None) -> tuple[CheckResult, ...]:
    """Evaluate every check that the run was given on what it saw; the logs are None where nobody read them.

    Runbook: §5.2 A check that catches the like of it earlier.
    Errors: none; what could not be measured has not fired, and has not passed either.
    """
    now = past_observation(evidence, _NOT_NAMED_YET)
    return tuple(result_of(check, evidence, logs, now) for check in evidence.context.checks)


def fired(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    return tuple(one for one in results if one.fired)


def result_of(check: Check, evidence: Evidence, logs: LogCheck | None, now: PastObservation) -> CheckResult:
    verdict, detail = _verdict(check.rule, evidence, logs, now)
    return CheckResult(
        check_id=check.check_id, fired=verdict, detail=detail, incident_id=check.incident_id, owner=check.owner
    )


def _verdict(rule: Rule, evidence: Evidence, logs: LogCheck | None, now: PastObservation) -> tuple[bool | None, str]:
    match rule:
        case ThresholdRule():
            return _threshold(rule, evidence, now)
        case LogTemplateRule():
            return _log_template(rule, logs)
        case MetricRule():
            return _metric(rule, evidence)


def decided(check: Check, status: CheckStatus, by: str, reason: str, now: datetime) -> Check:
    """Switch a check on or off in a person's name; deciding the same again changes nothing.

    Runbook: §5.2.
    """
    if check.status is status:
        return check
    return check.model_copy(update={"status": status, "decided_by": by, "decided_at": now, "reason": reason})


def rule_words(rule: Rule) -> str:
    """Say what a rule watches, as a person says it."""
    match rule:
        case ThresholdRule():
            subject = f" of {rule.subject}" if rule.subject else ""
            return f"{rule.signal}{subject} {_side(rule.side)} {rule.limit:g}"
        case LogTemplateRule():
            return f"{rule.at_least_count} or more new log lines like: {rule.template}"
        case MetricRule():
            labels = ", ".join(f"{name}={value}" for name, value in rule.labels.items())
            return f"{rule.counter}{{{labels}}} grows by at least {rule.at_least_per_minute:g} a minute"


def beyond(rule: ThresholdRule, value: float) -> bool:
    match rule.side:
        case CheckSide.AT_LEAST:
            return value >= rule.limit
        case CheckSide.AT_MOST:
            return value <= rule.limit


def _side(side: CheckSide) -> str:
    return "at least" if side is CheckSide.AT_LEAST else "at most"


def _threshold(rule: ThresholdRule, evidence: Evidence, now: PastObservation) -> tuple[bool | None, str]:
    value = value_now(rule.signal, rule.subject, evidence, now)
    about = f"{rule.signal}{f' of {rule.subject}' if rule.subject else ''}"
    if value is None:
        return None, f"{about} could not be measured"
    return beyond(rule, value), f"{about} is {value:.6g}, noted {_side(rule.side)} {rule.limit:g}"


def _log_template(rule: LogTemplateRule, logs: LogCheck | None) -> tuple[bool | None, str]:
    if logs is None:
        return None, "the logs were not read"
    findings = (finding for scan in logs.scans for finding in scan.findings)
    count = sum(finding.count for finding in findings if _says_the_same(rule.template, finding.template))
    if count >= rule.at_least_count:
        return True, f"{count} new log lines like: {rule.template}"
    whole = bool(logs.scans) and not logs.blind and all(scan.complete for scan in logs.scans)
    return (False, f"{count} new log lines of its kind") if whole else (None, "a log could not be read to its end")


def _says_the_same(template: str, other: str) -> bool:
    return template == other or merged(template, other) is not None


def _metric(rule: MetricRule, evidence: Evidence) -> tuple[bool | None, str]:
    pair = compared(evidence)
    grew = growth_per_minute(rule, *pair) if pair else None
    if grew is None:
        return None, f"{rule.counter} could not be compared: no two runs far enough apart read the counters"
    detail = f"{rule.counter} grew by {grew:.4g} a minute, noted from {rule.at_least_per_minute:g}"
    return grew >= rule.at_least_per_minute, detail


def value_now(signal: Signal, subject: str, evidence: Evidence, now: PastObservation) -> float | None:
    """Measure a signal of this run; None where nobody could, which says nothing of the service.

    Runbook: §5.2.
    """
    if signal is Signal.GATEWAY_TURNS_COUNT:
        return _flaps(evidence, subject)
    measure = _NOW.get(signal)
    return measure(evidence) if measure else value_before(signal, subject, now)


def value_before(signal: Signal, subject: str, run: PastObservation) -> float | None:
    """Measure a signal of a run as it was remembered; None also for what is not remembered."""
    measure = _PAST.get(signal)
    return measure(run, subject) if measure else None


def compared(evidence: Evidence) -> tuple[Counted, Counted] | None:
    """Take the counters of this run, and the newest ones before that are far enough apart to measure a rate.

    None where this run read none: the counters of the run before say nothing of now.
    """
    counts = counted(evidence)
    if not counts or counts[-1].at < evidence.observations[0].looked_at:
        return None
    earlier = [one for one in counts if counts[-1].at - one.at >= LEAST_WINDOW]
    return (earlier[-1], counts[-1]) if earlier else None


def growth_per_minute(rule: MetricRule, one: Counted, two: Counted) -> float | None:
    """Measure how fast the counters of a rule grew between two runs; None where no time lies between them."""
    window_s = (two.at - one.at).total_seconds()
    if window_s <= 0:
        return None
    grew = grown(one, two, rule.counter)
    total = sum(count for key, count in grew.items() if _matches(key, rule))
    return total * MINUTE_S / window_s


def _matches(key: str, rule: MetricRule) -> bool:
    name, *words = key.split("|")
    labels = dict(word.partition("=")[::2] for word in words)
    return name == rule.counter and rule.labels.items() <= labels.items()


def _order(run: PastObservation, subject: str) -> PastOrder | None:
    return next((one for one in run.orders if one.asset_class == subject), None)


def _order_ms(run: PastObservation, subject: str) -> float | None:
    found = _order(run, subject)
    return found.latency_ms if found else None


def _own_ms(run: PastObservation, subject: str) -> float | None:
    found = _order(run, subject)
    return found.own_ms if found else None


def _gateway_ms(run: PastObservation, subject: str) -> float | None:
    found = run.gateway(subject)
    return found.latency_ms if found else None


def _gateway_failed(run: PastObservation, subject: str) -> float | None:
    found = run.gateway(subject)
    return float(found.failed_count) if found and found.looks_count else None


def _orders_failed(run: PastObservation, subject: str) -> float | None:
    """Count the test orders that did not come back as they should; of one class, or of all."""
    words = [(word.partition(":")[0], count) for one in run.orders if subject in {"", one.asset_class}
             for word, count in one.outcomes.items()]  # fmt: skip
    sent = [(word, count) for word, count in words if word != OrderOutcome.BLIND]
    return float(sum(count for word, count in sent if word not in GOOD)) if sent else None


def _orders_not_filled(run: PastObservation, subject: str) -> float | None:
    found = _order(run, subject)
    executed = found.outcomes.get(OrderOutcome.EXECUTED.value, 0) if found else 0
    return float(executed - found.filled_count) if found and executed else None


def _starts(evidence: Evidence) -> float:
    since = evidence.latest.looked_at - COUNTED_FOR
    return float(sum(run.started_at > since for run in evidence.context.lives))


def _flaps(evidence: Evidence, gateway: str) -> float:
    """Count how often a gateway went or came back, as the service wrote into the ledger."""
    since = evidence.latest.looked_at - COUNTED_FOR
    return float(sum(flap.gateway == gateway and flap.at > since for flap in evidence.context.gateway_turns))


def _routing_faults(evidence: Evidence) -> float | None:
    """Count the classes whose gateway is not the shipped one or that have none, and a table on disk that is broken."""
    routing = evidence.latest.routing
    if routing is None or not (routing.routes or routing.file_error):
        return None
    served = {route.asset_class for route in routing.routes}
    traded = {name for run in evidence.context.history for name in run.routes}
    other = sum(
        bool(route.shipped_gateway) and route.table_gateway != route.shipped_gateway for route in routing.routes
    )
    return float(other + len(traded - served) + bool(routing.file_error))


def _disk_free(evidence: Evidence) -> float | None:
    machine = evidence.latest.process.machine
    free = [disk.free_bytes / disk.total_bytes for disk in (machine.disks if machine else ()) if disk.total_bytes]
    return min(free, default=None)


def _clock_skew(evidence: Evidence) -> float | None:
    skews = [abs(one.clock_skew_s) for one in evidence.latest.gateways if one.clock_skew_s is not None]
    return max(skews, default=None)


def _number(value: float | None) -> float | None:
    return float(value) if value is not None else None


_PAST: dict[Signal, Callable[[PastObservation, str], float | None]] = {
    Signal.HEALTH_MS: lambda run, _: run.health_ms,
    Signal.ORDER_MS: _order_ms,
    Signal.OWN_MS: _own_ms,
    Signal.GATEWAY_MS: _gateway_ms,
    Signal.GATEWAY_FAILED_COUNT: _gateway_failed,
    Signal.ORDERS_FAILED_COUNT: _orders_failed,
    Signal.ORDERS_NOT_FILLED_COUNT: _orders_not_filled,
    Signal.ORDERS_UNKNOWN_COUNT: lambda run, _: run.orders_unknown_count,
    Signal.MEMORY_BYTES: lambda run, _: _number(run.memory_bytes),
    Signal.OPEN_FILES_COUNT: lambda run, _: _number(run.open_files_count),
}
_NOW: dict[Signal, Callable[[Evidence], float | None]] = {
    Signal.SERVICE_STARTS_COUNT: _starts,
    Signal.ROUTING_FAULTS_COUNT: _routing_faults,
    Signal.DISK_FREE_RATIO: _disk_free,
    Signal.CLOCK_SKEW_S: _clock_skew,
}
