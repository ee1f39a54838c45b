"""Accepted checks against the evidence of a run: they note what they were drafted for, and never anything more."""

from datetime import timedelta

import pytest

from tasks.model.checks.checks import (
    Check,
    CheckSide,
    CheckStatus,
    LogTemplateRule,
    MetricRule,
    Rule,
    Signal,
    ThresholdRule,
)
from tasks.model.diagnosis.changes import GatewayTransition
from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.logs.findings import LogCheck, LogFinding, LogKind, LogScan, Severity
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, RoutingProbe, Seen
from tasks.model.probes.processes import Disk, MachineCheck
from tasks.model.reports.report import TriageStory
from tasks.rules.checks.checks import check_results, decided, rule_words, value_now
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.probes.history import past_observation
from tasks.rules.remediation.branches import needs_runbook
from tasks.rules.reports.lines import report_lines
from tasks.rules.reports.report_markdown import triage_markdown
from tests.fakes.incident import observations
from tests.fakes.incident.observations import NOW
from tests.fakes.incident.past import ago, counted, counters, past, routing, with_past

REJECTED = "orders_total|asset_class=equity|gateway=XNAS|outcome=rejected"
REJECTS = MetricRule(counter="orders_total", labels={"gateway": "XNAS", "outcome": "rejected"}, at_least_per_minute=5)
SLOW = ThresholdRule(signal=Signal.GATEWAY_MS, subject="XNAS", limit=100)
LOST = LogTemplateRule(template="session <id> lost after <n>", at_least_count=2)


def check(rule: Rule, **changes: object) -> Check:
    """One accepted check."""
    facts = {"check_id": "c-1", "service": "order-service", "rule": rule, "status": CheckStatus.ACCEPTED}
    return Check.model_validate({**facts, "drafted_at": NOW, "incident_id": "INC-1", **changes})


def run(*checks: Check, history: tuple[object, ...] = (), **changes: object) -> Evidence:
    """The evidence of one run that was given checks."""
    return with_past((observations.observation(**changes),), checks=checks, history=history)


def logs(template: str, count: int = 3, *, complete: bool = True) -> LogCheck:
    """Logs with one finding."""
    finding = LogFinding(
        kind=LogKind.OTHER, severity=Severity.ERROR, template=template, count=count, first_line=1, last_line=9
    )
    return LogCheck(scans=(LogScan(file="x.log", findings=(finding,), complete=complete),))


def fired(evidence: Evidence, said: LogCheck | None = None) -> bool | None:
    """What the one check of a run says."""
    (result,) = check_results(evidence, said)
    return result.fired


def slow_gateway(latency_ms: float) -> tuple[object, ...]:
    """Both gateways, XNAS so slow."""
    return (observations.gateway("XNAS").model_copy(update={"latency_ms": latency_ms}), observations.gateway("FXALL"))


@pytest.mark.parametrize(("latency_ms", "expected"), [(99.9, False), (100.0, True), (3000.0, True)])
def test_a_number_at_its_limit_is_noted(latency_ms: float, expected: bool) -> None:
    """The limit itself counts, as the file of the check says it."""
    assert fired(run(check(SLOW), gateways=slow_gateway(latency_ms))) is expected


def test_what_could_not_be_measured_has_neither_fired_nor_passed() -> None:
    """Missing data is not health, for a check as for the diagnosis."""
    (result,) = check_results(run(check(SLOW), gateways=(observations.gateway("XNAS", Seen.BLIND),)), None)

    assert result.fired is None
    assert "could not be measured" in result.detail


def test_counters_are_compared_over_the_minute_between_two_runs() -> None:
    """Ten rejects in two minutes are five a minute."""
    history = (past(2, counters=counters(**{REJECTED: 10.0})),)
    ten = run(check(REJECTS), history=history, metrics=counted(counters(**{REJECTED: 20.0})))
    nine = run(check(REJECTS), history=history, metrics=counted(counters(**{REJECTED: 19.0})))

    assert fired(ten) is True
    assert fired(nine) is False


def test_counters_of_other_labels_are_not_added() -> None:
    """Rejects of another venue are another check."""
    other = REJECTED.replace("XNAS", "XNYS")
    evidence = run(check(REJECTS), history=(past(1),), metrics=counted(counters(**{other: 500.0})))

    assert fired(evidence) is False


@pytest.mark.parametrize("minutes", [[], [0.1]])
def test_a_rate_needs_two_looks_that_are_apart(minutes: list[float]) -> None:
    """One order in a second is no sixty a minute."""
    history = tuple(past(one, counters=counters()) for one in minutes)

    assert fired(run(check(REJECTS), history=history, metrics=counted(counters(**{REJECTED: 9.0})))) is None


def test_the_counters_of_the_run_before_say_nothing_of_this_one() -> None:
    """Metrics that cannot be read now must not be judged by those of a minute ago."""
    history = (past(2, counters=counters(**{REJECTED: 1.0})), past(1, counters=counters(**{REJECTED: 99.0})))

    assert fired(run(check(REJECTS), history=history)) is None


def test_log_lines_of_the_template_are_noted() -> None:
    """The template masks what varies; a word that differs is still the same line."""
    assert fired(run(check(LOST)), logs("session <id> lost after <n>")) is True
    assert fired(run(check(LOST)), logs("session <id> lost after <n>", count=1)) is False
    assert fired(run(check(LOST)), logs("disk <path> is full")) is False


def test_logs_that_nobody_read_to_the_end_prove_nothing() -> None:
    """An error in the unread half is an error."""
    assert fired(run(check(LOST)), None) is None
    assert fired(run(check(LOST)), logs("disk <path> is full", complete=False)) is None
    assert fired(run(check(LOST)), LogCheck(blind=("x.log: gone",))) is None


QUARTER = Disk(what="logs", path="/", free_bytes=1, total_bytes=4)
TURNS = tuple(GatewayTransition(at=ago(minutes), gateway="XNAS", up=bool(minutes % 2)) for minutes in range(5))
SIGNALS: dict[Signal, tuple[str, dict[str, object], float]] = {
    Signal.GATEWAY_MS: ("XNAS", {"gateways": slow_gateway(12.0)}, 12),
    Signal.GATEWAY_FAILED_COUNT: ("XNAS", {"gateways": (observations.gateway("XNAS", Seen.FAILED),)}, 1),
    Signal.GATEWAY_TURNS_COUNT: ("XNAS", {"gateway_turns": TURNS}, 5),
    Signal.HEALTH_MS: ("", {}, 0),
    Signal.ORDER_MS: ("equity", {"orders": (observations.order().model_copy(update={"latency_ms": 8.0}),)}, 8),
    Signal.OWN_MS: (
        "equity",
        {"orders": (observations.order().model_copy(update={"latency_ms": 8.0, "gateway_latency_ms": 3.0}),)},
        5,
    ),
    Signal.ORDERS_FAILED_COUNT: ("equity", {"orders": (observations.order(outcome=OrderOutcome.REJECTED),)}, 1),
    Signal.ORDERS_NOT_FILLED_COUNT: ("equity", {"orders": (observations.order(),)}, 1),
    Signal.ORDERS_UNKNOWN_COUNT: (
        "",
        {"metrics": observations.metrics().model_copy(update={"orders_unknown_count": 4})},
        4,
    ),
    Signal.MEMORY_BYTES: ("", {"process": observations.process(memory_bytes=77)}, 77),
    Signal.OPEN_FILES_COUNT: ("", {"process": observations.process(open_files_count=55)}, 55),
    Signal.SERVICE_STARTS_COUNT: ("", {}, 0),
    Signal.ROUTING_FAULTS_COUNT: ("", {"routing": routing({AssetClass.EQUITY: "XNYS"}, file_error="torn")}, 2),
    Signal.DISK_FREE_RATIO: ("", {"process": observations.process(machine=MachineCheck(disks=(QUARTER,)))}, 0.25),
    Signal.CLOCK_SKEW_S: (
        "",
        {"gateways": (observations.gateway("XNAS").model_copy(update={"clock_skew_s": -7.0}),)},
        7,
    ),
}  # fmt: skip


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_is_measured(signal: Signal) -> None:
    """A signal that nobody measures would be a check that never fires."""
    subject, changes, expected = SIGNALS[signal]
    facts = {name: value for name, value in changes.items() if name == "gateway_turns"}
    rounds = observations.observation(**{name: value for name, value in changes.items() if name not in facts})
    evidence = with_past((rounds,), **facts)

    assert value_now(signal, subject, evidence, past_observation(evidence, Diagnosis(status=Status.OK))) == expected


def test_a_class_that_lost_its_route_is_a_routing_fault() -> None:
    """The table that serves may have forgotten a class that traded a minute ago."""
    seen = routing()
    left = RoutingProbe.model_validate({**seen.model_dump(), "routes": seen.routes[:1]})

    rule = ThresholdRule(signal=Signal.ROUTING_FAULTS_COUNT, limit=1)

    assert fired(run(check(rule), history=(past(1),), routing=left)) is True
    assert fired(run(check(rule), history=(past(1),), routing=seen)) is False


def test_a_low_number_can_be_what_is_noted() -> None:
    """Disks fill: little is what tells."""
    rule = ThresholdRule(signal=Signal.DISK_FREE_RATIO, side=CheckSide.AT_MOST, limit=0.3)

    assert fired(run(check(rule), process=SIGNALS[Signal.DISK_FREE_RATIO][1]["process"])) is True


def test_a_check_that_fires_names_no_cause_and_starts_nothing() -> None:
    """A note must never restart a service: nobody has proven that anything is wrong."""
    evidence = run(check(SLOW), gateways=slow_gateway(200.0))
    diagnosis = name_cause(evidence)

    assert fired(evidence) is True
    assert diagnosis == Diagnosis(status=Status.OK)
    assert not needs_runbook(TriageStory(evidence=evidence, diagnosis=diagnosis))


def test_the_report_tells_an_early_warning_at_its_head_and_at_its_line() -> None:
    """Who opens the report of a healthy minute sees what is coming."""
    evidence = run(check(SLOW), gateways=slow_gateway(200.0))
    story = TriageStory(evidence=evidence, diagnosis=name_cause(evidence))
    text = triage_markdown(story)

    assert "**Early warning** c-1: gateway\\_ms of XNAS is 200" in text
    assert [line.section for line in report_lines(story)][-1] == "§5.2"
    quiet = run(check(SLOW), gateways=slow_gateway(2.0))
    assert "Early warning" not in triage_markdown(story.model_copy(update={"evidence": quiet}))


def test_a_file_that_is_no_check_is_told_in_the_report() -> None:
    """A check that was broken by an edit is off, and somebody must know."""
    evidence = with_past((observations.observation(),), checks_detail="FILE_UNREADABLE: x")
    line = report_lines(TriageStory(evidence=evidence, diagnosis=name_cause(evidence)))[-1]

    assert (line.section, line.mark.value, line.evidence) == ("§5.2", "could not", "FILE_UNREADABLE: x")


def test_deciding_the_same_again_keeps_the_first_name() -> None:
    """Who switched it on stays who switched it on."""
    draft = check(SLOW, status="draft")
    first = decided(draft, CheckStatus.ACCEPTED, "Ada", "why", NOW)

    assert decided(first, CheckStatus.ACCEPTED, "Bob", "x", NOW + timedelta(hours=1)) == first
    assert (first.decided_by, first.status) == ("Ada", CheckStatus.ACCEPTED)
    assert decided(first, CheckStatus.REJECTED, "Bob", "noise", ago(0)).decided_by == "Bob"


@pytest.mark.parametrize("rule", [SLOW, LOST, REJECTS])
def test_a_rule_can_be_read_aloud(rule: Rule) -> None:
    """Who decides reads a sentence, not a table."""
    assert len(rule_words(rule)) > 10
