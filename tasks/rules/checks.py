"""Hold the accepted checks against the evidence of one run. What fires is a note: no cause, no incident, no action."""

from collections.abc import Iterable
from datetime import datetime

from tasks.model.checks import Check, CheckResult, CheckStatus, LogTemplateRule, MetricRule, Rule, Side, ThresholdRule
from tasks.model.diagnosis import Diagnosis, Status
from tasks.model.evidence import Evidence
from tasks.model.log_findings import LogsLook
from tasks.model.past_looks import PastLook
from tasks.rules.check_signals import compared, growth_per_minute, value_now
from tasks.rules.log_templates import merged
from tasks.rules.past_looks import past_look

_NOT_NAMED_YET = Diagnosis(status=Status.OK)


def check_results(evidence: Evidence, logs: LogsLook | None) -> tuple[CheckResult, ...]:
    """Hold every check that the run was given against what it saw; the logs are None where nobody read them.

    Runbook: §5.2 A check that catches the like of it earlier.
    Errors: none; what could not be measured has not fired, and has not passed either.
    """
    now = past_look(evidence, _NOT_NAMED_YET)
    return tuple(result_of(check, evidence, logs, now) for check in evidence.context.checks)


def fired(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Take those that are worth a note."""
    return tuple(one for one in results if one.fired)


def result_of(check: Check, evidence: Evidence, logs: LogsLook | None, now: PastLook) -> CheckResult:
    """Hold one check against one run."""
    verdict, detail = _verdict(check.rule, evidence, logs, now)
    return CheckResult(
        check_id=check.check_id, fired=verdict, detail=detail, incident_id=check.incident_id, owner=check.owner
    )


def _verdict(rule: Rule, evidence: Evidence, logs: LogsLook | None, now: PastLook) -> tuple[bool | None, str]:
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
    """Say whether a number is worth a note."""
    match rule.side:
        case Side.AT_LEAST:
            return value >= rule.limit
        case Side.AT_MOST:
            return value <= rule.limit


def _side(side: Side) -> str:
    return "at least" if side is Side.AT_LEAST else "at most"


def _threshold(rule: ThresholdRule, evidence: Evidence, now: PastLook) -> tuple[bool | None, str]:
    value = value_now(rule.signal, rule.subject, evidence, now)
    about = f"{rule.signal}{f' of {rule.subject}' if rule.subject else ''}"
    if value is None:
        return None, f"{about} could not be measured"
    return beyond(rule, value), f"{about} is {value:.6g}, noted {_side(rule.side)} {rule.limit:g}"


def _log_template(rule: LogTemplateRule, logs: LogsLook | None) -> tuple[bool | None, str]:
    if logs is None:
        return None, "the logs were not looked at"
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
        return None, f"{rule.counter} could not be compared: no two looks far enough apart read the counters"
    told = f"{rule.counter} grew by {grew:.4g} a minute, noted from {rule.at_least_per_minute:g}"
    return grew >= rule.at_least_per_minute, told
