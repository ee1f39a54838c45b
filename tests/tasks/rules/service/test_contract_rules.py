"""Each rule of a contract: how it ended, and the key that a person would change."""

from datetime import UTC, datetime

import pytest

from tasks.model.probes.order_states import BlindReason, OrderSafety, OrderStates
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, Fault, MetricsProbe, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.model.service.contract import Contract, ContractMark, ContractRule
from tasks.model.service.health_settings import HealthSettings
from tasks.model.service.metrics_settings import MetricsSettings
from tasks.model.service.order_settings import OrderSettings
from tasks.rules.probes.health import judge_health
from tasks.rules.service.contract_rules import (
    OrdersAsked,
    gateway_rules,
    health_rules,
    logs_rule,
    metrics_rule,
    order_rules,
    process_rule,
    unproven_rule,
)
from tests.fakes.incident import observations

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
DESCRIBED = HealthSettings(healthy_when="status == 'UP'", dependencies="parts")


UP = '{"status": "UP", "parts": {"XNAS": {"status": "UP"}}}'


def health(body: str = UP, **answer: object) -> dict[str, ContractRule]:
    """The rules of one answer of health."""
    inputs = {"method": "GET", "url": "http://s/h", "http_status": 200, "body": body, **answer}
    probe = judge_health(Exchange.model_validate(inputs), NOW, DESCRIBED)
    return {one.rule: one for one in health_rules(probe, DESCRIBED)}


def test_what_passes_names_where_each_value_was_read() -> None:
    """A value from the wrong place is seen at a glance."""
    rules = health()

    assert [one.mark for one in rules.values()] == [ContractMark.PASSED] * 3
    (read,) = rules["dependencies"].read
    assert (read.what, read.key, read.where) == ("XNAS", "health.dependencies", "parts")


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"http_status": 404}, "health.path"),
        ({"http_status": 401}, "http"),
        ({"http_status": 503}, "health.status_codes"),
        ({"http_status": None, "fault": Fault.REFUSED, "detail": "refused"}, "base_url"),
        ({"http_status": None, "fault": Fault.TIMED_OUT, "detail": "none in time"}, "look.health_timeout_s"),
    ],
)
def test_an_answer_that_fails_names_the_key_that_fits(answer: dict[str, object], key: str) -> None:
    """And no condition is judged on what was no answer."""
    rules = health(**answer)

    assert list(rules) == ["health"]
    assert (rules["health"].mark, rules["health"].key) == (ContractMark.FAILED, key)


def test_our_own_failure_says_nothing_of_the_service() -> None:
    """Whether a triage can work is then unknown, and never no."""
    rules = health(http_status=None, fault=Fault.CLIENT, detail="no descriptors left")
    found = Contract(service="s", rules=tuple(rules.values()))

    assert rules["health"].mark is ContractMark.UNKNOWN
    assert found.works is None


def test_a_condition_and_a_list_that_are_described_must_be_there() -> None:
    """A word that nobody described is not healthy, and a described list that is not there is no *none*."""
    rules = health('{"status": "FINE"}')

    assert (rules["healthy"].key, rules["dependencies"].key) == ("health.healthy_when", "health.dependencies")
    assert "FINE" in rules["healthy"].answered


@pytest.mark.parametrize(
    ("names", "count", "mark"),
    [
        ({"orders_total": {"name": "theirs"}}, None, ContractMark.FAILED),
        ({}, None, ContractMark.PASSED),
        ({"orders_total": {"name": "theirs"}}, 3.0, ContractMark.PASSED),
    ],
)
def test_a_count_that_is_described_must_be_there(
    names: dict[str, object], count: float | None, mark: ContractMark
) -> None:
    """Else no error rate is ever seen, and nobody knows."""
    probe = MetricsProbe(seen=Seen.PASSED, detail="read", looked_at=NOW, orders_count=count)
    rule = metrics_rule(probe, "http://s/m", MetricsSettings.model_validate({"names": names}))

    assert rule.mark is mark
    assert rule.key == ("metrics.names.orders_total" if mark is ContractMark.FAILED else "")


def test_a_log_that_is_described_must_be_there() -> None:
    """A pattern with a slip of the pen reads as *no errors* for ever."""
    rules = [logs_rule(("/a.log",), ()), logs_rule(("/a.log",), ("/a.log is not there",)), logs_rule((), ())]

    assert [one.mark.value for one in rules] == ["passed", "failed", "not available"]
    assert rules[1].key == "logs.files"


def test_what_is_not_described_is_not_available_and_no_fault() -> None:
    """A triage works with less; the report says with what."""
    unproven = OrderStates(verdict=OrderSafety.BLIND, detail="none", looked_at=NOW, blind=BlindReason.NOT_AVAILABLE)
    rules = (*gateway_rules(()), *order_rules(OrdersAsked((), (), OrderSettings())), unproven_rule(unproven))

    assert {one.mark for one in rules} == {ContractMark.NOT_AVAILABLE}
    assert Contract(service="s", rules=rules).works is True


@pytest.mark.parametrize(
    ("state", "mark"),
    [
        (ProcessState.RUNNING, ContractMark.PASSED),
        (ProcessState.BLIND, ContractMark.NOT_AVAILABLE),
        (ProcessState.NOT_AVAILABLE, ContractMark.NOT_AVAILABLE),
        (ProcessState.DEAD, ContractMark.FAILED),
        (ProcessState.NOT_OURS, ContractMark.FAILED),
    ],
)
def test_a_process_that_is_another_s_is_a_fault_and_one_that_is_not_seen_is_none(
    state: ProcessState, mark: ContractMark
) -> None:
    """A pattern that fits nothing would make every triage say that the service is down."""
    assert process_rule(observations.process(state)).mark is mark


def test_an_order_that_is_not_asked_for_is_not_sent_and_one_that_fails_names_its_table() -> None:
    """Only --send-order sends."""
    outcomes = (OrderOutcome.EXECUTED, OrderOutcome.REJECTED, OrderOutcome.BLIND)
    probes = [(observations.order(outcome=outcome),) for outcome in outcomes]
    sent = [order_rules(OrdersAsked((AssetClass.EQUITY,), one, OrderSettings()))[0] for one in (*probes, ())]

    assert [one.mark.value for one in sent] == ["passed", "failed", "unknown", "not asked"]
    assert [one.key for one in sent] == ["", "orders", "", ""]
    assert "--send-order equity" in sent[-1].answered
