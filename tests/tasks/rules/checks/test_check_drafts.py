"""Drafting a check from an incident: it fires on the incident, hardly ever on the hour before, and says so."""

import re
from pathlib import Path

import pytest

from tasks.clients.evidence.store import load_run
from tasks.model.checks.checks import ID_PATTERN, Check, LogTemplateRule, MetricRule, Rule, Signal, ThresholdRule
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Kind, Status
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import Event, IncidentState
from tasks.model.logs.findings import LogCheck, LogFinding, LogKind, LogScan, Rate, Severity
from tasks.model.probes.history import PastObservation
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.rules.checks.checks import result_of
from tasks.rules.checks.drafts import check_id, draft_checks
from tasks.rules.diagnosis.replay import replay
from tasks.rules.probes.history import past_observation
from tests.fakes.incident import observations
from tests.fakes.incident.observations import NOW
from tests.fakes.incident.past import ago, counted, counters, healthy_hour, past, with_past

RECORDED = Path(__file__).parents[1] / "diagnosis" / "recorded"
# Recorded on a machine so busy that the hour before was as slow: nothing stands out, and no limit lies between.
DROWNED = RECORDED / "bad_release_slow.json.gz"
TROUBLES = [path for path in sorted(RECORDED.glob("*.json.gz")) if replay(load_run(path).evidence).findings]
TROUBLES.remove(DROWNED)


def incident(*causes: Cause) -> IncidentState:
    """An incident with these causes."""
    return IncidentState(incident_id="INC-1", service="order-service", state=Event.CLOSED, opened_at=NOW, causes=causes)


def drafted(run: StoredRun) -> tuple[Check, ...]:
    """What is drafted from one run."""
    causes = tuple(finding.cause for finding in run.diagnosis.findings)
    return draft_checks(incident(*causes), run, NOW)


def one_run(*history: object, cause: Finding | None = None, said: LogCheck | None = None, **seen: object) -> StoredRun:
    """One run with a past, in which this cause was found."""
    evidence = with_past(tuple(observations.observation(after_s, **seen) for after_s in (0.0, 2.0)), history=history)
    diagnosis = Diagnosis(status=Status.DEGRADED, findings=(cause,)) if cause else replay(evidence)
    return StoredRun(stored_at=NOW, evidence=evidence, diagnosis=diagnosis, logs=said or LogCheck())


def slow(latency_ms: float) -> dict[str, object]:
    """Looks at gateways of which XNAS is so slow."""
    return {
        "gateways": (
            observations.gateway("XNAS").model_copy(update={"latency_ms": latency_ms}),
            observations.gateway("FXALL"),
        )
    }


def at_xnas(look: PastObservation, latency_ms: float) -> PastObservation:
    """A run that saw XNAS so slow."""
    first, *others = look.gateways
    return look.model_copy(update={"gateways": (first.model_copy(update={"latency_ms": latency_ms}), *others)})


def finding(cause: Cause = Cause.GATEWAY_FAILING, **facts: object) -> Finding:
    """One cause."""
    base = {"confidence": Confidence.CONFIRMED, "because": ("x",), "section": "§2.2", "tier": Audience.TIER_3}
    return Finding.model_validate({"cause": cause, **base, **facts})


LATENCY = finding(kinds=(Kind.LATENCY,), gateways=("XNAS",))


@pytest.mark.parametrize("path", TROUBLES, ids=lambda path: path.name.removesuffix(".json.gz"))
def test_every_recorded_incident_gives_a_check_that_fires_on_it(path: Path) -> None:
    """A draft that would not even have seen its own incident is worth nothing."""
    run = load_run(path)
    run = run.model_copy(update={"diagnosis": replay(run.evidence)})
    drafts = drafted(run)
    now = past_observation(run.evidence, run.diagnosis)

    assert 1 <= len(drafts) <= 3
    assert [one.check_id for one in drafts if not result_of(one, run.evidence, run.logs, now).fired] == []
    assert all(one.because and re.fullmatch(ID_PATTERN, one.check_id) for one in drafts)


def test_a_number_that_does_not_stand_out_from_the_hour_before_gives_no_check() -> None:
    """A limit that is made up is worse than none; the postmortem says that there is no draft."""
    assert drafted(load_run(DROWNED)) == ()


def test_the_limit_lies_between_what_is_usual_and_what_was_seen() -> None:
    """Early is before the diagnosis does, and above what every day shows."""
    (check,) = drafted(one_run(*healthy_hour(), cause=LATENCY, **slow(3000.0)))

    assert check.rule == ThresholdRule(signal=Signal.GATEWAY_MS, subject="XNAS", limit=94)
    assert check.owner is Audience.TIER_3
    assert check.because[1] == "in 49 healthy runs before it was 3 to 3; the check would have fired in 0 of them"


def test_the_draft_says_how_long_before_it_would_have_told() -> None:
    """The minutes that were to be won decide whether it is worth accepting."""
    hour = (*healthy_hour()[:-3], *(at_xnas(one, 400.0) for one in healthy_hour()[-3:]))
    (check,) = drafted(one_run(*hour, cause=LATENCY, **slow(3000.0)))

    assert check.because[2] == "it would have fired 180 s before the incident was opened"


def test_a_number_that_is_always_that_high_gives_no_check() -> None:
    """A check that cries every hour is switched off, and the next incident is missed with it."""
    usual = tuple(at_xnas(one, 2500.0) for one in healthy_hour())
    drafts = drafted(one_run(*usual, cause=LATENCY, **slow(3000.0)))

    assert [one for one in drafts if isinstance(one.rule, ThresholdRule) and one.rule.signal is Signal.GATEWAY_MS] == []


def test_rejects_are_watched_by_the_services_own_counter() -> None:
    """The clients' orders tell of it before our one test order a minute does."""
    rejected = "orders_total|asset_class=equity|gateway=XNAS|outcome=rejected"
    seen = {"metrics": counted(counters(**{rejected: 30.0}))}
    rejects = finding(kinds=(Kind.REJECTS,), gateways=("XNAS",))
    (check,) = drafted(one_run(past(2), past(1), cause=rejects, **seen))

    labels = {"gateway": "XNAS", "outcome": "rejected"}
    assert check.rule == MetricRule(counter="orders_total", labels=labels, at_least_per_minute=1)


def error_lines(template: str, hour_before_count: int, severity: Severity = Severity.ERROR) -> LogCheck:
    """Logs with one finding, so frequent in the hour before."""
    said = LogFinding(
        kind=LogKind.OTHER,
        severity=severity,
        template=template,
        count=7,
        first_line=1,
        last_line=9,
        rate=Rate(last_hour_count=7, hour_before_count=hour_before_count),
    )
    return LogCheck(scans=(LogScan(file="x.log", findings=(said,)),))


def test_an_error_that_the_hour_before_did_not_have_is_a_check_of_its_own() -> None:
    """The log often says it first."""
    run = one_run(past(1), cause=LATENCY, said=error_lines("session lost", 0), **slow(3000.0))

    assert [one.rule for one in drafted(run) if isinstance(one.rule, LogTemplateRule)] == [
        LogTemplateRule(template="session lost")
    ]


@pytest.mark.parametrize("said", [error_lines("session lost", 4), error_lines("session lost", 0, Severity.WARNING)])
def test_lines_that_are_always_there_or_are_no_errors_give_none(said: LogCheck) -> None:
    """What the service says every hour tells of nothing."""
    drafts = drafted(one_run(past(1), cause=LATENCY, said=said, **slow(3000.0)))

    assert not any(isinstance(one.rule, LogTemplateRule) for one in drafts)


def test_a_cause_of_another_incident_drafts_nothing_here() -> None:
    """Two incidents in one run draft each its own."""
    run = one_run(past(1), cause=LATENCY, **slow(3000.0))

    assert draft_checks(incident(Cause.BAD_RELEASE), run, NOW) == ()


def test_a_service_that_is_gone_is_watched_by_its_orders() -> None:
    """Where no number led up to it, one lost test order is the earliest there is."""
    gone = one_run(
        *healthy_hour(),
        cause=finding(Cause.SERVICE_DOWN),
        health=observations.blind_health(),
        orders=(observations.order(outcome=OrderOutcome.NOT_REACHED),),
    )
    (check,) = drafted(gone)

    assert check.rule == ThresholdRule(signal=Signal.ORDERS_FAILED_COUNT, limit=1)


NAMED: tuple[tuple[Rule, str], ...] = (
    (ThresholdRule(signal=Signal.GATEWAY_MS, subject="XNAS", limit=1), r"order-service-gateway-ms-xnas"),
    (
        ThresholdRule(signal=Signal.GATEWAY_MS, subject="../../etc", limit=1),
        r"order-service-gateway-ms-etc-[0-9a-f]{6}",
    ),
    (LogTemplateRule(template="取引停止"), r"order-service-log-[0-9a-f]{6}"),
    (LogTemplateRule(template="x" * 400), r"order-service-log-x+-[0-9a-f]{6}"),
)


@pytest.mark.parametrize(("rule", "expected"), NAMED)
def test_a_check_has_a_name_that_can_be_typed(rule: Rule, expected: str) -> None:
    """It is typed on a command line, and it is a file name; foreign text is neither."""
    assert re.fullmatch(expected, check_id("order-service", rule))
    assert re.fullmatch(ID_PATTERN, check_id("order-service", rule))


def test_blind_gateways_and_no_history_draft_without_failing() -> None:
    """The first minute after an installation has no hour before it."""
    run = one_run(cause=LATENCY, gateways=(observations.gateway("XNAS", Seen.BLIND),))

    assert all(one.because for one in drafted(run))
    assert ago(0) == NOW
