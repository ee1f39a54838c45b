"""The controls: what looks like a fault and is none, on which nothing may be done."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, MetricsProbe, OrderOutcome, OrderProbe
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.name_causes import name_cause
from tests.fakes.incident.observations import NOW, gateway, health, observation, order, process
from tests.fakes.incident.past import (
    STARTED_S,
    counted,
    counters,
    healthy_hour,
    past,
    released,
    rounds,
    routing,
    with_past,
)


@pytest.mark.parametrize(
    "seen",
    [
        with_past((observation(),), history=healthy_hour(), changes=(released(5),)),
        with_past((observation(0, health=health(Fault.TIMED_OUT)), observation(2)), history=healthy_hour()),
        with_past(rounds(orders=(order(outcome=OrderOutcome.REJECTED_AS_EXPECTED), order(AssetClass.FX)))),
        with_past(rounds(gateways=(gateway("XNAS").model_copy(update={"latency_ms": 200.0}), gateway("FXALL")))),
        with_past(
            (
                observation(
                    metrics=counted(counters(**{"orders_total|asset_class=fx|gateway=FXALL|outcome=error": 2.0}))
                ),
            ),
            history=healthy_hour(counters=counters(**{"orders_total|asset_class=fx|gateway=FXALL|outcome=error": 2.0})),
            changes=(released(5),),
        ),
        with_past(rounds(routing=routing()), history=healthy_hour()),
    ],
    ids=["deploy unchanged", "lost probe", "market closed", "latency within bounds", "old errors", "healthy hour"],
)
def test_a_control_gives_no_finding(seen: Evidence) -> None:
    """Whoever is called for nothing does not come the next time."""
    diagnosis = name_cause(seen)

    assert diagnosis.findings == ()
    assert diagnosis.status is Status.OK


def halted(asset_class: AssetClass) -> OrderProbe:
    """A test order that was denied because its class is halted."""
    return order(asset_class, OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})


def test_a_class_that_somebody_paused_is_no_fault() -> None:
    """Pausing is always allowed, and must not page the one who paused."""
    paused = routing().model_copy(
        update={"routes": tuple(one.model_copy(update={"trading_state": "halted"}) for one in routing().routes)}
    )
    orders = (halted(AssetClass.EQUITY), halted(AssetClass.FX))

    assert [finding.cause for finding in name_cause(with_past(rounds(orders=orders, routing=paused))).findings] == []


def test_the_newest_start_of_the_process_is_where_counting_begins() -> None:
    """A restart of the service is not a fall of its counters, nor a burst of orders."""
    history = tuple(past(n, counters=counters({"momentum": 5000.0 + n})) for n in range(60, 0, -1))
    table = counters({"momentum": 400.0}) | {"process_start_time_seconds": STARTED_S + 500}
    look = counted(table)
    assert isinstance(look, MetricsProbe)
    moved = look.model_copy(update={"looked_at": NOW + timedelta(seconds=1)})

    assert [
        finding.cause for finding in name_cause(with_past((observation(metrics=moved),), history=history)).findings
    ] == []


@pytest.mark.parametrize("fault", [Fault.TIMED_OUT, Fault.REFUSED, Fault.CUT_OFF, Fault.MALFORMED])
@pytest.mark.parametrize("state", list(ProcessState))
def test_a_service_that_fills_orders_is_never_restarted_for_its_health(fault: Fault, state: ProcessState) -> None:
    """Row 9: an idle process and a silent `/health` look like a hang, but the orders fill."""
    seen = with_past(rounds(health=health(fault), process=process(state, cpu_time_s=7.0)))

    assert [finding.cause for finding in name_cause(seen).findings] == [Cause.OBSERVABILITY_FAULT]
