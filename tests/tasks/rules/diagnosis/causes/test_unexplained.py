"""What no rule names is said plainly: each visible symptom, and nothing that somebody set."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Finding
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, OrderProbe, Seen
from tasks.model.probes.processes import Disk, MachineCheck
from tasks.rules.diagnosis.causes.unexplained import symptoms, unknown
from tasks.rules.diagnosis.name_causes import worth_confirming
from tests.fakes.incident.cases import finding, routing
from tests.fakes.incident.observations import evidence, gateway, health, metrics, observation, order, process

LIMITS = DiagnosisLimits()
FULL = MachineCheck(disks=(Disk(what="journal", path="/data", free_bytes=0, total_bytes=1000),))


def failed(asset_class: AssetClass = AssetClass.EQUITY, **changes: object) -> OrderProbe:
    """One test order that was rejected."""
    return order(asset_class, OrderOutcome.REJECTED).model_copy(update=changes)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (observation(health=health(status="error")), "health: "),
        (observation(orders=(order(), failed(AssetClass.FX))), "order fx: "),
        (observation(gateways=(gateway("XNAS", Seen.FAILED),)), "gateway XNAS: "),
        (observation(gateways=(gateway("XNAS").model_copy(update={"latency_ms": 500.0}),)), "gateway XNAS: "),
        (observation(gateways=(gateway("XNAS").model_copy(update={"clock_skew_s": -5.0}),)), "gateway XNAS: "),
        (observation(metrics=metrics(Seen.FAILED)), "metrics: "),
        (observation(routing=routing(file_error="expected TOML")), "routing: expected TOML"),
        (observation(process=process(open_files_count=95, open_files_limit=100)), "descriptors: 95 of 100"),
        (observation(process=process(memory_bytes=90, memory_limit_bytes=100)), "memory: 90 bytes"),
        (observation(process=process(machine=FULL)), "almost no room at /data"),
    ],
)
def test_each_thing_that_is_visibly_wrong_is_a_symptom(seen: Observation, told: str) -> None:
    """A run that sees one checks again, and names it to a person where no rule does."""
    found = symptoms(seen, LIMITS)

    assert len(found) == 1
    assert found[0].startswith(told)


@pytest.mark.parametrize(
    "seen",
    [
        observation(),
        observation(orders=(order(outcome=OrderOutcome.BLIND),)),
        observation(gateways=(gateway("XNAS").model_copy(update={"latency_ms": 499.0, "clock_skew_s": 4.9}),)),
        observation(metrics=metrics(Seen.BLIND)),
        observation(routing=routing()),
        observation(process=process(open_files_count=94, open_files_limit=100)),
    ],
)
def test_what_is_within_its_limits_or_unseen_is_no_symptom(seen: Observation) -> None:
    """A quiet minute asks nobody for a second check."""
    assert symptoms(seen, LIMITS) == ()


EQUITY_FAILS = evidence(observation(orders=(failed(), order(AssetClass.FX))))
BOTH_FAIL = evidence(observation(orders=(failed(), failed(AssetClass.FX))))


@pytest.mark.parametrize(
    ("known", "left"),
    [
        (finding(Cause.GATEWAY_FAILING, asset_classes=(AssetClass.EQUITY,)), ["fx"]),
        (finding(Cause.GATEWAY_FAILING, gateways=("FXALL",)), ["equity"]),
        (finding(Cause.GATEWAY_FAILING, gateways=("XCME",), asset_classes=(AssetClass.CRYPTO,)), ["equity", "fx"]),
        (finding(Cause.SERVICE_HUNG), []),
    ],
)
def test_an_order_that_a_named_cause_explains_is_not_told_again(known: Finding, left: list[str]) -> None:
    """Two causes of one fault send two people to it."""
    found = unknown(BOTH_FAIL, (known,))

    orders = [line for line in found.because if line.startswith("order ")] if found else []
    assert [line.split(":")[0].removeprefix("order ") for line in orders] == left


@pytest.mark.parametrize("cause", sorted(Cause))
def test_only_what_ails_the_whole_service_explains_every_order(cause: Cause) -> None:
    """A second page for each class would bury the one that says that the service is down, or that we are blind."""
    whole = {
        "service_down", "service_hung", "crash_loop", "resource_exhausted", "infrastructure", "bad_release",
        "monitor_blind", "unknown",
    }  # fmt: skip

    assert (unknown(BOTH_FAIL, (finding(cause),)) is None) is (cause.value in whole)


def test_where_no_cause_is_named_every_symptom_is_told() -> None:
    """A person who looks starts from what was seen."""
    found = unknown(EQUITY_FAILS)

    assert found is not None
    assert found.cause is Cause.UNKNOWN
    assert found.because[0].startswith("order equity: ")
    assert unknown(evidence(observation())) is None


def test_a_round_is_repeated_where_something_is_wrong_in_it_and_else_not() -> None:
    """Three looks at a healthy service each minute would be three times the load, and confirm nothing."""
    assert worth_confirming(None, observation(health=health(Fault.REFUSED)))
    assert not worth_confirming(None, observation())
