"""One instance at a time, never the last that serves; red when either guard is forced open."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Action, ActionRecord, Outcome
from tasks.model.probes.order_states import OrderSafety
from tasks.model.probes.probes import Fault, InstanceProbe
from tasks.model.probes.processes import ProcessCheck, ProcessIdentity, ProcessState
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.probes.order_states import worst_of
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.guards.one_instance import leaves_one_serving, one_at_a_time
from tasks.rules.remediation.guards.recheck import recheck
from tasks.rules.remediation.planning.propose import Trouble
from tasks.rules.remediation.planning.service_actions import infrastructure, restart
from tests.fakes.incident.cases import INCIDENT, done_before, finding, inputs, orders, planned, seen
from tests.fakes.incident.observations import blind_health, health, metrics, process

HUNG = finding(Cause.SERVICE_HUNG, instances=("b",), serving=("a", "c"))
RESTART = planned(found=HUNG, target=Target(instance="b"))
KNOWN = Capabilities(instances=("a", "b", "c"))


def probe(name: str, state: str) -> InstanceProbe:
    """One instance: it serves, hangs, or could not be asked."""
    told = {"serves": health(), "hangs": health(Fault.TIMED_OUT), "unseen": blind_health()}[state]
    at: ProcessCheck = process(ProcessState.STOPPED if state == "hangs" else ProcessState.RUNNING)
    return InstanceProbe(instance=name, health=told, process=at, metrics=metrics())


def with_instances(a: str, b: str, c: str, *before: ActionRecord, **changes: object) -> GuardInputs:
    """Inputs at a service of three instances."""
    probes = tuple(probe(name, state) for name, state in (("a", a), ("b", b), ("c", c)))
    looked = seen(instances=probes)
    return inputs(*before, found=(HUNG,), seen=looked, **{"capabilities": KNOWN, **changes})


def test_one_hung_instance_is_restarted_while_the_others_serve() -> None:
    """The main job, for a third of the service."""
    assert evaluate(RESTART, with_instances("serves", "hangs", "serves")).allowed


def test_the_last_instance_that_serves_is_never_stopped_whoever_asks() -> None:
    """Also by a person who passes every guard by: it would take the service down."""
    everything = Request(by="kim", reason="leaks", overrides=tuple(GuardCode))
    by_hand = RESTART.model_copy(update={"finding": None})
    last = with_instances("hangs", "serves", "hangs", asked=everything)

    assert evaluate(by_hand, last).code is GuardCode.LAST_INSTANCE
    assert leaves_one_serving(RESTART, with_instances("unseen", "serves", "unseen")).code is GuardCode.LAST_INSTANCE


def test_two_instances_in_trouble_point_to_a_shared_cause() -> None:
    """Rule 6: a person looks for it."""
    assert leaves_one_serving(RESTART, with_instances("hangs", "hangs", "serves")).code is GuardCode.SHARED_CAUSE
    assert leaves_one_serving(RESTART, with_instances("hangs", "hangs", "hangs")).code is GuardCode.SHARED_CAUSE


def test_no_instance_is_stopped_while_the_others_cannot_be_seen() -> None:
    """Blind never acts (safety rule 2)."""
    assert leaves_one_serving(RESTART, with_instances("unseen", "hangs", "unseen")).code is GuardCode.BLIND
    unknown = with_instances("serves", "hangs", "serves", capabilities=Capabilities(instances=("a", "b", "c", "d")))
    assert leaves_one_serving(RESTART, unknown).code is GuardCode.BLIND


def test_an_instance_that_was_not_looked_at_is_not_restarted() -> None:
    """Nobody knows then what the restart would end."""
    assert leaves_one_serving(RESTART, inputs(capabilities=KNOWN)).code is GuardCode.BLIND


def restarted(name: str, minutes_ago: float, outcome: Outcome | None) -> ActionRecord:
    """One earlier restart of an instance."""
    return done_before(minutes_ago, outcome, key=f"INC-0/restart_service/{name}/20261123T1459")


@pytest.mark.parametrize("outcome", [None, Outcome.DONE, Outcome.UNKNOWN, Outcome.NOT_RECOVERED])
def test_another_instance_that_was_restarted_and_not_proven_comes_first(outcome: Outcome | None) -> None:
    """Two at once, and a fault of the release would take both."""
    known = with_instances("serves", "hangs", "serves", restarted("a", 5, outcome))

    assert one_at_a_time(RESTART, known).code is GuardCode.ONE_AT_A_TIME
    two = with_instances("serves", "hangs", "serves", restarted("c", 9, Outcome.DONE), restarted("a", 5, outcome))
    assert "restart_service/a/" in one_at_a_time(RESTART, two).detail
    assert not evaluate(RESTART, known).allowed


@pytest.mark.parametrize(
    "before",
    [
        restarted("a", 5, Outcome.RECOVERED),
        restarted("a", 5, Outcome.REFUSED),
        restarted("a", 20, Outcome.NOT_RECOVERED),
        restarted("b", 5, Outcome.NOT_RECOVERED),
    ],
)
def test_a_restart_that_was_proven_or_long_ago_holds_no_other_up(before: ActionRecord) -> None:
    """Its own budget bounds the instance itself."""
    assert one_at_a_time(RESTART, with_instances("serves", "hangs", "serves", before)).allowed


def test_of_two_who_answer_for_orders_the_worse_one_counts() -> None:
    """The one behind the common address may know nothing of what the instance holds."""
    safe, wait, blind, unsafe = (orders(OrderSafety(one)) for one in ("safe", "wait", "blind", "unsafe"))

    assert worst_of((safe, unsafe, blind)) is unsafe
    assert worst_of((blind, wait)) is blind
    assert worst_of((safe, wait)) is wait
    assert worst_of((safe,)) is safe


def test_a_restart_names_one_of_its_instances() -> None:
    """The process behind the common address is nobody's to end; nor is a release rolled back that way."""
    whole = planned(found=HUNG)
    stranger = planned(found=HUNG, target=Target(instance="z"))
    known = with_instances("serves", "hangs", "serves")

    assert evaluate(whole, known).code is GuardCode.BAD_TARGET
    assert evaluate(stranger, known).code is GuardCode.BAD_TARGET


def test_an_instance_whose_supervisor_cannot_restart_it_is_left_alone() -> None:
    """Each has its own."""
    cannot = KNOWN.model_copy(update={"cannot_restart_instance": {"b": "no start_command"}})

    assert (
        evaluate(RESTART, with_instances("serves", "hangs", "serves", capabilities=cannot)).code
        is GuardCode.NOT_AVAILABLE
    )


def test_the_check_before_the_restart_is_of_that_very_instance_and_process() -> None:
    """One that somebody has started since is left alone; another's hang is not this one's."""
    now = with_instances("serves", "hangs", "serves")
    b = now.latest.process_of("b").identity

    assert recheck(RESTART, now, b).allowed
    assert recheck(RESTART, now, ProcessIdentity(pid=1, created_at_s=0)).code is GuardCode.CLEARED
    other = planned(found=HUNG, target=Target(instance="a"))
    assert recheck(other, now, now.latest.process_of("a").identity).code is GuardCode.CLEARED


def test_the_plan_restarts_the_instance_and_pauses_nothing() -> None:
    """The others trade on, also where nobody answers the plan."""
    wanted = restart(Trouble(incident_id=INCIDENT, finding=HUNG, inputs=with_instances("serves", "hangs", "serves")))

    assert [(one.action, one.target.instance) for one in wanted] == [(Action.RESTART_SERVICE, "b")]
    assert wanted[0].words == "restart service b"
    taken = HUNG.model_copy(update={"kinds": ("port",)})
    assert infrastructure(Trouble(incident_id=INCIDENT, finding=taken, inputs=inputs())) == ()
