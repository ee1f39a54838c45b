"""A service that comes and goes: what confirms that it is gone, what is a restart, and what ends a proof."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Confidence
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.confirming import Presence, decisive, presence, settled
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.probes.process_match import fitting
from tasks.rules.remediation.recovery import is_lost
from tests.fakes.incident.observations import (
    blind_health,
    evidence,
    gateway,
    health,
    observation,
    order,
    process,
    three,
)

LEAST = 3
NO_ORDERS = (order(outcome=OrderOutcome.NOT_REACHED), order(AssetClass.FX, OrderOutcome.NOT_REACHED))
UNANSWERED = (Fault.REFUSED, Fault.UNREACHABLE, Fault.TIMED_OUT, Fault.CUT_OFF)


def gone(fault: Fault = Fault.REFUSED, state: ProcessState = ProcessState.DEAD, after_s: float = 0.0) -> Observation:
    """A round at a service whose process is not there."""
    return observation(after_s, health=health(fault), process=process(state), orders=NO_ORDERS)


def silent(after_s: float = 0.0) -> Observation:
    """A round at a service that says nothing, with its process there."""
    return observation(after_s, health=health(Fault.TIMED_OUT), orders=NO_ORDERS)


@pytest.mark.parametrize("fault", UNANSWERED)
@pytest.mark.parametrize("state", [ProcessState.DEAD, ProcessState.NOT_OURS])
def test_a_service_whose_process_is_gone_is_down_however_its_connection_failed(
    fault: Fault, state: ProcessState
) -> None:
    """A busy machine drops the connection that it would have refused; the service must be started all the same."""
    finding = name_cause(evidence(*(gone(fault, state, at_s) for at_s in (0.0, 2.0, 4.0)))).findings[0]

    assert (finding.cause, finding.confidence) == (Cause.SERVICE_DOWN, Confidence.CONFIRMED)
    assert str(fault).replace("_", " ") in finding.because[0]


@pytest.mark.parametrize("state", [ProcessState.RUNNING, ProcessState.STOPPED, ProcessState.BLIND])
@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.CUT_OFF])
def test_a_service_that_cannot_be_reached_and_is_there_is_not_down(fault: Fault, state: ProcessState) -> None:
    """The network may be at fault; who is still there, or cannot be seen, is not started a second time."""
    found = name_cause(three(health=health(fault), process=process(state), orders=NO_ORDERS))

    assert not found.has(Cause.SERVICE_DOWN)


@pytest.mark.parametrize("fault", [Fault.BAD_STATUS, Fault.MALFORMED, Fault.CLIENT])
def test_a_process_that_is_not_seen_while_something_answers_is_not_down(fault: Fault) -> None:
    """Whoever answers on the port is there: a start would find it taken."""
    found = name_cause(three(health=health(fault), process=process(ProcessState.DEAD), orders=NO_ORDERS))

    assert not found.has(Cause.SERVICE_DOWN)


def test_nobody_says_that_the_port_is_taken_while_health_answers_on_it() -> None:
    """A proxy holds the port and the service stands behind it: "gone" would send the platform team to a living one."""
    behind = process(ProcessState.DEAD, port_owner_pid=77, port_owner_name="nginx")

    for status in ("ok", "degraded"):
        found = name_cause(three(health=health(status=status), process=behind, orders=NO_ORDERS))
        assert not any("is gone" in line for one in found.findings for line in one.because)
        assert not found.has(Cause.INFRASTRUCTURE)


@pytest.mark.parametrize("state", [ProcessState.DEAD, ProcessState.NOT_OURS])
def test_a_process_that_was_not_found_is_blind_while_the_service_works(state: ProcessState) -> None:
    """What is said of the process must fit what health and the orders show: it works, so it is not dead."""
    by_health = observation(process=process(state), orders=NO_ORDERS)
    by_orders = observation(process=process(state), health=health(Fault.TIMED_OUT))

    assert fitting(by_health).process.state is ProcessState.BLIND
    assert fitting(by_orders).process.state is ProcessState.BLIND
    assert "answers" in fitting(by_health).process.detail


def test_a_process_that_was_not_found_stays_dead_where_nothing_works() -> None:
    """A killed service answers nobody, and must be seen as such."""
    assert fitting(gone()).process.state is ProcessState.DEAD
    error = observation(process=process(ProcessState.DEAD), health=health(status="error"), orders=NO_ORDERS)
    assert fitting(error).process.state is ProcessState.DEAD
    assert fitting(observation()) == observation()


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (observation(), Presence.ANSWERS),
        (observation(health=health(status="error")), Presence.ANSWERS),
        (observation(health=health(Fault.MALFORMED)), Presence.ANSWERS),
        (silent(), Presence.SILENT),
        (observation(health=health(Fault.CUT_OFF)), Presence.SILENT),
        (gone(), Presence.GONE),
        (gone(Fault.TIMED_OUT), Presence.GONE),
        (observation(health=health(Fault.REFUSED)), Presence.GONE),
        (observation(health=blind_health()), Presence.BLIND),
    ],
)
def test_each_round_is_met_in_one_way(seen: Observation, word: Presence) -> None:
    """What the rounds must agree on before anybody is woken up."""
    assert presence(seen) is word


def test_one_refused_round_of_three_confirms_nothing() -> None:
    """A graceful restart of two seconds sent six pages; it deserves none."""
    error = observation(health=health(status="error"), orders=NO_ORDERS)

    assert not settled((error, error, gone()), LEAST)
    assert not settled((gone(), error, error), LEAST)
    assert not settled((error, gone(), gone()), LEAST)


def test_rounds_that_agree_are_enough() -> None:
    """A service that is really gone is started as soon as three rounds in a row say so."""
    assert not settled((gone(), gone()), LEAST)
    assert settled((gone(), gone(), gone()), LEAST)
    assert settled((silent(), gone(), gone(), gone()), LEAST)


def test_a_service_that_never_settles_is_reported_all_the_same() -> None:
    """One that flaps for longer than a restart takes is a matter for a person."""
    flapping = tuple(gone() if count % 2 else silent() for count in range(7))

    assert not settled(flapping[:-1], LEAST)
    assert settled(flapping, LEAST)
    assert decisive(flapping, LEAST) == flapping


def test_only_the_rounds_since_the_service_went_away_decide() -> None:
    """It was killed between the first round and the second: three rounds saw it gone, and one saw it die."""
    rounds = (silent(), gone(after_s=1), gone(after_s=2), gone(after_s=3))
    finding = name_cause(evidence(*decisive(rounds, LEAST))).findings[0]

    assert decisive(rounds, LEAST) == rounds[1:]
    assert (finding.cause, finding.confidence) == (Cause.SERVICE_DOWN, Confidence.CONFIRMED)


def test_rounds_that_all_agree_are_all_kept() -> None:
    """The span of a silence is measured over every one of them."""
    rounds = tuple(silent(at_s) for at_s in (0.0, 1.0, 2.0))

    assert decisive(rounds, LEAST) == rounds


def test_two_rounds_without_the_service_end_the_proof_of_its_recovery() -> None:
    """A second crash waited for the whole time limit of the proof, 300 s, before anybody did anything."""
    assert is_lost((gone(), gone(Fault.TIMED_OUT)))
    assert not is_lost((gone(),))
    assert not is_lost((observation(), gone()))
    assert not is_lost((gone(), observation()))
    assert not is_lost((silent(), silent()))


def test_a_gateway_that_is_away_ends_no_proof() -> None:
    """Only the service's own process does; a gateway has its own incident."""
    away = observation(gateways=(gateway("XNAS", Seen.FAILED),), orders=NO_ORDERS)

    assert not is_lost((away, away))
