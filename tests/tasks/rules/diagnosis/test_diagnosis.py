"""Naming the cause, on evidence written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Status
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Exchange, Fault, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.name_causes import name_cause
from tests.fakes.incident.observations import (
    blind_health,
    evidence,
    gateway,
    health,
    metrics,
    observation,
    order,
    process,
    three,
)

SILENT_ORDERS = (order(AssetClass.EQUITY, OrderOutcome.TIMED_OUT), order(AssetClass.FX, OrderOutcome.TIMED_OUT))
LOST_ORDERS = (order(AssetClass.EQUITY, OrderOutcome.NOT_REACHED), order(AssetClass.FX, OrderOutcome.NOT_REACHED))


def test_a_healthy_service_has_no_cause() -> None:
    """A quiet night must not page anybody."""
    diagnosis = name_cause(evidence(observation()))

    assert diagnosis.status is Status.OK
    assert diagnosis.findings == ()


def test_a_stopped_process_that_answers_nobody_is_hung() -> None:
    """SIGSTOP leaves the port open; only the process state and the silence together say hung."""
    seen = three(health=health(Fault.TIMED_OUT), process=process(ProcessState.STOPPED), orders=SILENT_ORDERS)

    finding = name_cause(seen).findings[0]

    assert finding.cause is Cause.SERVICE_HUNG
    assert finding.confidence is Confidence.CONFIRMED
    assert finding.tier is Audience.TIER_1


def test_silence_alone_is_not_enough_to_call_a_service_hung() -> None:
    """A busy process that works on is not restarted for being slow: the verdict needs a second signal."""
    rounds = [
        observation(after_s, health=health(Fault.TIMED_OUT), process=process(cpu_time_s=1 + after_s * 0.4), orders=())
        for after_s in (0.0, 2.0, 4.0)
    ]

    finding = name_cause(evidence(*rounds)).findings[0]

    assert finding.cause is Cause.SERVICE_HUNG
    assert finding.confidence is Confidence.LIKELY


def test_a_process_that_spins_and_answers_nobody_is_hung() -> None:
    """A whole core burnt while nobody is answered is a spin."""
    rounds = [
        observation(
            after_s, health=health(Fault.TIMED_OUT), process=process(cpu_time_s=1 + after_s), orders=SILENT_ORDERS
        )
        for after_s in (0.0, 2.0, 4.0)
    ]

    assert name_cause(evidence(*rounds)).findings[0].confidence is Confidence.CONFIRMED


def test_a_process_that_does_nothing_and_answers_nobody_is_hung() -> None:
    """A deadlock burns no CPU; the frozen clock of the process is the second signal."""
    seen = three(health=health(Fault.TIMED_OUT), process=process(cpu_time_s=7.0), orders=SILENT_ORDERS)

    assert name_cause(seen).findings[0].confidence is Confidence.CONFIRMED


def test_a_clock_that_was_set_between_the_looks_makes_nobody_hung() -> None:
    """Rule 1: a busy process would count as frozen over ten minutes that never were."""
    rounds = [
        observation(
            after_s + (600 if after_s else 0),
            health=health(Fault.TIMED_OUT),
            process=process(cpu_time_s=1 + after_s * 0.4, steady_s=after_s),
            orders=(),
        ).model_copy(update={"steady_s": after_s})
        for after_s in (0.0, 0.9, 1.8)
    ]

    finding = name_cause(evidence(*rounds)).findings[0]

    assert (finding.cause, finding.confidence) == (Cause.SERVICE_HUNG, Confidence.LIKELY)
    assert "for 1.8 s" in finding.because[0]


def test_orders_that_hang_behind_a_fine_health_are_a_hung_service() -> None:
    """`/health` is not trusted: the synthetic order decides, when the gateways themselves answer."""
    finding = name_cause(three(orders=SILENT_ORDERS)).findings[0]

    assert finding.cause is Cause.SERVICE_HUNG
    assert finding.confidence is Confidence.CONFIRMED


def test_orders_that_hang_with_a_sick_gateway_are_not_blamed_on_the_service() -> None:
    """Blame the callee first: with a silent gateway the service is not surely hung."""
    seen = three(orders=SILENT_ORDERS, gateways=(gateway("XNAS", Seen.FAILED), gateway("FXALL")))

    finding = name_cause(seen).find(Cause.SERVICE_HUNG)

    assert finding is None or finding.confidence is not Confidence.CONFIRMED


def test_a_refused_port_and_a_dead_process_are_a_service_that_is_down() -> None:
    """kill -9 leaves no process and no listener: two signals, confirmed."""
    seen = three(health=health(Fault.REFUSED), process=process(ProcessState.DEAD), orders=LOST_ORDERS)

    finding = name_cause(seen).findings[0]

    assert finding.cause is Cause.SERVICE_DOWN
    assert finding.confidence is Confidence.CONFIRMED


def test_a_refused_port_with_a_living_process_is_never_confirmed() -> None:
    """A service that is still starting must not be killed for it."""
    finding = name_cause(three(health=health(Fault.REFUSED), orders=LOST_ORDERS)).findings[0]

    assert finding.confidence is Confidence.LIKELY


def test_a_port_taken_by_somebody_else_is_infrastructure() -> None:
    """A restart could not take the port; the platform team is told who holds it."""
    dead = process(ProcessState.DEAD, port_owner_pid=77, port_owner_name="nginx")

    finding = name_cause(three(health=health(Fault.REFUSED), process=dead, orders=LOST_ORDERS)).findings[0]

    assert finding.cause is Cause.INFRASTRUCTURE
    assert "pid=77" in finding.because[0]
    assert finding.tier is Audience.TIER_3


def test_a_silent_stranger_on_the_port_is_not_a_hung_service() -> None:
    """Who holds the port and says nothing is not our service; nobody must be killed for it."""
    dead = process(ProcessState.DEAD, port_owner_pid=77, port_owner_name="nginx")

    findings = name_cause(three(health=health(Fault.TIMED_OUT), process=dead, orders=SILENT_ORDERS)).findings

    assert [finding.cause for finding in findings] == [Cause.INFRASTRUCTURE]


def test_two_looks_never_confirm() -> None:
    """One or two failed probes are not enough to act on."""
    down = {"health": health(Fault.REFUSED), "process": process(ProcessState.DEAD), "orders": LOST_ORDERS}

    finding = name_cause(evidence(observation(0, **down), observation(2, **down))).findings[0]

    assert finding.confidence is Confidence.LIKELY


def test_one_good_last_look_clears_the_doubt() -> None:
    """An event loop blocked once for five seconds is no incident."""
    bad = observation(0, health=health(Fault.TIMED_OUT), orders=SILENT_ORDERS)

    assert name_cause(evidence(bad, observation(2))).status is Status.OK


def test_a_dead_gateway_is_a_dependency_and_never_a_hung_service() -> None:
    """A restart does not bring a gateway back; the desk is notified which class waits."""
    seen = three(
        health=health(status="degraded", dependencies={"XNAS": "down", "FXALL": "ok"}),
        orders=(order(AssetClass.EQUITY, OrderOutcome.DENIED), order(AssetClass.FX)),
        gateways=(gateway("XNAS", Seen.FAILED), gateway("FXALL")),
    )

    diagnosis = name_cause(seen)

    assert [finding.cause for finding in diagnosis.findings] == [Cause.DEPENDENCY_UNREACHABLE]
    assert diagnosis.findings[0].gateways == ("XNAS",)
    assert diagnosis.findings[0].asset_classes == (AssetClass.EQUITY,)
    assert diagnosis.findings[0].tier is Audience.TIER_3
    assert diagnosis.status is Status.DEGRADED


def test_a_gateway_that_only_the_service_misses_is_likely_the_way_between() -> None:
    """The service says down and we reach it: the network between them, not the gateway."""
    refused = order(AssetClass.EQUITY, OrderOutcome.DENIED).model_copy(update={"code": "GATEWAY_UNREACHABLE"})
    down = health(status="degraded", dependencies={"XNAS": "down"})
    seen = three(health=down, orders=(refused, order(AssetClass.FX)))

    finding = name_cause(seen).findings[0]

    assert finding.cause is Cause.DEPENDENCY_UNREACHABLE
    assert finding.confidence is Confidence.LIKELY


def test_a_hung_service_and_a_dead_gateway_are_two_causes_in_order() -> None:
    """Restart once, then degrade: the order of the findings is the order of remediation."""
    seen = three(
        health=health(Fault.TIMED_OUT),
        process=process(ProcessState.STOPPED),
        orders=SILENT_ORDERS,
        gateways=(gateway("XNAS", Seen.FAILED), gateway("FXALL")),
    )

    causes = [finding.cause for finding in name_cause(seen).findings]

    assert causes == [Cause.SERVICE_HUNG, Cause.DEPENDENCY_UNREACHABLE]


def test_health_that_fails_while_orders_fill_is_an_instrument_fault() -> None:
    """A service that fills orders is never restarted for its health endpoint."""
    finding = name_cause(three(health=health(status="error"))).findings[0]

    assert finding.cause is Cause.OBSERVABILITY_FAULT
    assert finding.tier is Audience.TIER_2


def test_unreadable_metrics_are_an_instrument_fault() -> None:
    """Garbage in `/metrics` says nothing of trading."""
    assert name_cause(three(metrics=metrics(Seen.FAILED))).findings[0].cause is Cause.OBSERVABILITY_FAULT


def test_a_blind_monitor_says_nothing_of_the_patient() -> None:
    """Blind is its own verdict; it is neither healthy nor sick."""
    diagnosis = name_cause(three(health=blind_health()))

    assert diagnosis.status is Status.BLIND
    assert [finding.cause for finding in diagnosis.findings] == [Cause.MONITOR_BLIND]


def test_symptoms_that_no_rule_explains_are_unknown_and_inconclusive() -> None:
    """The report says plainly that nobody knows, and a person looks."""
    seen = three(orders=(order(AssetClass.EQUITY, OrderOutcome.NO_EXECUTION), order(AssetClass.FX)))

    finding = name_cause(seen).findings[0]

    assert finding.cause is Cause.UNKNOWN
    assert finding.confidence is Confidence.INCONCLUSIVE


@given(
    fault=st.sampled_from(Fault),
    state=st.sampled_from(ProcessState),
    outcome=st.sampled_from(OrderOutcome),
    probe=st.sampled_from(Seen),
)
def test_nothing_about_the_service_is_confirmed_while_it_answers_and_fills(
    fault: Fault, state: ProcessState, outcome: OrderOutcome, probe: Seen
) -> None:
    """Whatever else is seen, a service whose health passes and whose orders fill is never restarted."""
    seen = three(
        health=health(fault),
        process=process(state),
        orders=(order(AssetClass.EQUITY, outcome), order(AssetClass.FX, outcome)),
        gateways=(gateway("XNAS", probe), gateway("FXALL")),
    )

    confirmed = [one for one in name_cause(seen).findings if one.confidence is Confidence.CONFIRMED]

    if fault is Fault.NONE and outcome.delivered:
        assert not [one for one in confirmed if one.cause in {Cause.SERVICE_DOWN, Cause.SERVICE_HUNG}]


def test_a_service_that_answers_late_is_slow_and_not_hung() -> None:
    """A probe that waited longer got its answer: the process works, and is not killed for being late."""
    late = health().model_copy(update={"exchange": Exchange(method="GET", url="http://s/health", seconds_s=3.0)})
    rounds = three(health=health(Fault.TIMED_OUT), process=process(cpu_time_s=7.0), orders=SILENT_ORDERS).observations
    patient = rounds[-1].model_copy(update={"patience": late})

    finding = name_cause(evidence(*rounds[:-1], patient)).findings[0]

    assert finding.confidence is Confidence.INCONCLUSIVE
    assert "slow is not hung" in finding.because[1]


@pytest.mark.parametrize("fault", [Fault.CUT_OFF, Fault.MALFORMED, Fault.TOO_LARGE])
def test_a_service_that_answers_badly_is_not_hung(fault: Fault) -> None:
    """Who resets, cuts or garbles its answers turns its loop: a person looks, nobody is killed."""
    seen = three(health=health(fault), process=process(cpu_time_s=7.0), orders=())

    assert not [one for one in name_cause(seen).findings if one.confidence is Confidence.CONFIRMED]


@pytest.mark.parametrize("fault", [Fault.TIMED_OUT, Fault.REFUSED])
def test_a_process_that_we_may_not_see_is_never_confirmed_hung_or_down(fault: Fault) -> None:
    """On another host, or under another user, silence alone must not start a second service beside the first."""
    seen = three(health=health(fault), process=process(ProcessState.BLIND), orders=())

    assert not [one for one in name_cause(seen).findings if one.confidence is Confidence.CONFIRMED]
