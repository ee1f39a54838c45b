"""What lacked its input because the service hung is planned again once a restart made it answer."""

from typing import Any

import pytest

from flows import remediation as flow
from tasks.model.diagnosis.diagnosis import Cause, Diagnosis, Status
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import MARKED
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, Fault, RoutingProbe, Seen
from tasks.model.remediation.plan import Approval, ApprovalAnswer, Due, Plan, PlannedAction
from tasks.model.remediation.remediation import ActionResult, Recovery, RemediationCase
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.remediation.planning.due import input_is_back, lacks_input
from tasks.rules.remediation.planning.plan import make_plan, planned_again
from tests.fakes.incident.cases import finding, inputs, routing, seen, unreachable
from tests.fakes.incident.observations import NOW, gateway, health, process

HUNG, SICK = finding(), unreachable("XNAS")
DEAD = (gateway("XNAS", Seen.FAILED), gateway("XNYS"), gateway("FXALL"), gateway("XCME"))
SILENT = routing(seen=Seen.FAILED, detail="timed_out: no full answer", routes=(), table_hash=None, file_hash=None)


def plan(routing_probe: RoutingProbe | None) -> Plan:
    """The plan of a service that hangs beside a gateway that is gone."""
    known = inputs(found=(HUNG, SICK), seen=seen(gateways=DEAD, routing=routing_probe))
    return make_plan(known, {Cause.SERVICE_HUNG: "INC-1", Cause.DEPENDENCY_UNREACHABLE: "INC-2"})


def reroute_of(made: Plan) -> PlannedAction:
    """Its re-route."""
    return next(one for one in made.actions if one.action is Action.REROUTE_ORDERS)


@pytest.mark.parametrize("look", [SILENT, SILENT.model_copy(update={"seen": Seen.BLIND}), None])
def test_an_alternate_that_nobody_could_read_is_not_called_none(look: RoutingProbe | None) -> None:
    """*There was none* sends a person to the table; the truth is that the service did not answer."""
    verdict = reroute_of(plan(look)).verdict

    assert verdict.code is GuardCode.INPUT_UNKNOWN
    assert "found the routing table unreadable" in verdict.detail


@pytest.mark.parametrize(
    "look",
    [
        routing(routes=tuple(one.model_copy(update={"alternates": ()}) for one in routing().routes)),
        routing(seen=Seen.NOT_CONFIGURED, routes=()),
    ],
)
def test_a_table_that_was_read_and_names_no_alternate_has_none(look: RoutingProbe) -> None:
    """So has a service that has no table to ask for; waiting for it would help nobody."""
    assert reroute_of(plan(look)).verdict.code is GuardCode.NO_ALTERNATE


def again(waiting: tuple[PlannedAction, ...], **changes: Any) -> tuple[PlannedAction, ...]:
    """What is planned once the service answers."""
    return planned_again(waiting, inputs(**{"found": (SICK,), "seen": seen(gateways=DEAD), **changes}))


def test_once_the_table_can_be_read_the_class_is_led_around_and_not_paused() -> None:
    """A restart that helped must not end with a halted class whose alternate stood ready."""
    before = plan(SILENT).actions
    after = again(before)
    (rerouted,) = [one for one in after if one.action is Action.REROUTE_ORDERS]
    (paused,) = [one for one in after if one.action is Action.PAUSE_STRATEGIES and one.due is Due.IF_NOT_DONE]

    assert (rerouted.verdict.allowed, rerouted.target.gateway) == (True, "XNYS")
    assert (paused.other, paused.target.asset_class) == (rerouted.key, AssetClass.EQUITY)
    assert [one for one in after if one.action is Action.RESTART_SERVICE] == [before[0]]
    assert [one.action for one in after if one.action is Action.MARK_DEGRADED] == [Action.MARK_DEGRADED]


@pytest.mark.parametrize(("mode", "code"), [(Mode.ACT, GuardCode.ALLOWED), (Mode.PROPOSE, GuardCode.INPUT_UNKNOWN)])
def test_an_approval_covers_no_gateway_that_the_approved_plan_did_not_name(mode: Mode, code: GuardCode) -> None:
    """Kim approved a restart; where the orders of a class would go stood in no plan that anybody read."""
    after = again(plan(SILENT).actions, mode=mode, approval=Approval(answer=ApprovalAnswer.APPROVED, by="kim"))
    (rerouted,) = [one for one in after if one.action is Action.REROUTE_ORDERS]
    (paused,) = [one for one in after if one.action is Action.PAUSE_STRATEGIES and one.due is Due.IF_NOT_DONE]

    assert rerouted.verdict.code is code
    assert paused.verdict.allowed


def test_an_approval_covers_the_very_re_route_that_the_plan_showed() -> None:
    """Kim read where the orders would go, beside other actions: once it can be read again she is not asked twice."""
    before = plan(SILENT).actions
    shown = tuple(
        one.model_copy(update={"target": one.target.model_copy(update={"gateway": "XNYS"})})
        if one.action is Action.REROUTE_ORDERS
        else one
        for one in before
    )
    after = again(shown, mode=Mode.PROPOSE, approval=Approval(answer=ApprovalAnswer.APPROVED, by="kim"))

    assert [one.verdict.allowed for one in after if one.action is Action.REROUTE_ORDERS] == [True]


def test_a_re_route_that_a_guard_forbids_keeps_its_own_reason() -> None:
    """*The plan did not name it* would send a person to approve what cannot be done."""
    dead = tuple(gateway(one.gateway, Seen.FAILED if one.gateway == "XNYS" else one.seen) for one in DEAD)
    yes = Approval(answer=ApprovalAnswer.APPROVED, by="kim")
    after = again(plan(SILENT).actions, seen=seen(gateways=dead), mode=Mode.PROPOSE, approval=yes)
    (rerouted,) = [one for one in after if one.action is Action.REROUTE_ORDERS]

    assert rerouted.verdict.code is GuardCode.ALTERNATE_NOT_HEALTHY


def test_where_the_gateway_has_come_back_meanwhile_nothing_is_left_to_do_for_it() -> None:
    """Neither a re-route nor the pause in its place."""
    left = again(plan(SILENT).actions, found=(HUNG,))

    assert Action.REROUTE_ORDERS not in {one.action for one in left}
    assert not [one for one in left if one.due is Due.IF_NOT_DONE]


def result(planned: PlannedAction, proven: Outcome) -> ActionResult:
    """How one action ended."""
    recovery = Recovery(outcome=proven, detail="") if proven in {Outcome.RECOVERED, Outcome.NOT_RECOVERED} else None
    return ActionResult(planned=planned, outcome=Outcome.DONE if recovery else proven, detail="", recovery=recovery)


@pytest.mark.parametrize(
    ("proven", "is_back"),
    [(Outcome.RECOVERED, True), (Outcome.NOT_RECOVERED, False), (Outcome.UNKNOWN, False), (Outcome.DONE, False)],
)
def test_only_a_service_that_was_proven_to_have_recovered_is_asked_again(proven: Outcome, *, is_back: bool) -> None:
    """A hung one would cost its deadline once more and tell nothing."""
    restart, *waiting = plan(SILENT).actions

    assert input_is_back((result(restart, proven),), waiting) is is_back
    assert not input_is_back((), waiting)
    assert not input_is_back((result(restart, Outcome.RECOVERED),), plan(routing()).actions)


async def test_the_run_that_restarted_the_service_leads_the_class_around_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The desk must not wait a minute for the next run, with the class halted until a person resumes it."""
    made = plan(SILENT)
    case = RemediationCase(
        request=TriageRequest(service="order-service"),
        diagnosis=Diagnosis(status=Status.CRITICAL, findings=(HUNG, SICK)),
        process=process(),
        plan=made.model_copy(update={"written_at": NOW}),
    )
    done: list[str] = []

    async def act(_: RemediationCase, planned: PlannedAction) -> ActionResult:
        done.append(planned.words)
        return result(planned, Outcome.REFUSED if lacks_input(planned) else Outcome.RECOVERED)

    async def plan_again(_: RemediationCase, waiting: tuple[PlannedAction, ...]) -> tuple[PlannedAction, ...]:
        return again(waiting)

    monkeypatch.setattr(flow, "act", act)
    monkeypatch.setattr(flow, "plan_again", plan_again)
    monkeypatch.setattr(flow, "take_snapshot", lambda _: None)
    await flow.carry_out(case)

    assert done == ["restart service", "mark degraded XNAS", "reroute orders equity XNYS"]


@pytest.mark.parametrize("set_to", sorted(MARKED))
def test_an_alternate_that_somebody_marked_is_not_healthy(set_to: str) -> None:
    """A mark hides the signs of its trouble, and is none of health."""
    told = DependencyStatus(name="XNYS", status="degraded", set_to=set_to)
    marked = seen(gateways=DEAD, health=health().model_copy(update={"dependencies": (told,)}))

    assert (
        evaluate(reroute_of(plan(routing())), inputs(found=(SICK,), seen=marked)).code
        is GuardCode.ALTERNATE_NOT_HEALTHY
    )


def test_a_mark_that_nobody_could_judge_while_the_service_hung_is_planned_again_for_its_own_gateway() -> None:
    """A gateway beside a hung service was never marked: what was in force could not be read, and nobody asked again."""
    two = unreachable("XNAS", "FXALL", classes=(AssetClass.EQUITY, AssetClass.FX))
    dead = (gateway("XNAS", Seen.FAILED), gateway("XNYS"), gateway("FXALL", Seen.FAILED), gateway("XCME"))
    silent = seen(gateways=dead, routing=SILENT, health=health(Fault.TIMED_OUT))
    made = make_plan(inputs(found=(HUNG, two), seen=silent), {Cause.SERVICE_HUNG: "INC-1", two.cause: "INC-2"})
    marks = tuple(one for one in made.actions if one.action is Action.MARK_DEGRADED)

    again = planned_again(marks, inputs(found=(two,), seen=seen(gateways=dead)))

    assert [one.verdict.code for one in marks] == [GuardCode.BLIND, GuardCode.BLIND]
    assert all(lacks_input(one) for one in marks)
    assert [(one.target.gateway, one.verdict.allowed) for one in again] == [("XNAS", True), ("FXALL", True)]
