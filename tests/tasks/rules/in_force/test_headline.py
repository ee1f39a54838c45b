"""The headline: from what was seen and what is in force; nobody reads *healthy* while something is held back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Cause, Diagnosis, Status
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome, RouteStatus, RoutingProbe, Seen
from tasks.model.remediation.in_force import AUTOMATION, Held, InForce, Restriction
from tasks.model.remediation.plan import Target
from tasks.model.remediation.remediation import ActionResult, Recovery, RemediationResult
from tasks.model.reports.report import TriageStory
from tasks.rules.in_force.headline import headline, held_now, overall_status, story_headline
from tasks.rules.in_force.restrictions import in_force, in_force_after, in_force_words
from tasks.rules.reports.report_markdown import triage_markdown
from tasks.rules.reports.run_names import found_name
from tests.fakes.incident.cases import finding, planned
from tests.fakes.incident.observations import NOW, evidence, gateway, observation, order
from tests.fakes.incident.past import routing, with_past

OK = Diagnosis(status=Status.OK)
EQUITY, FX = AssetClass.EQUITY, AssetClass.FX
AT = datetime.fromisoformat("2026-11-23T14:32:19+00:00")


def held(kind: Held = Held.TRADING, name: str = "equity", state: str = "halted", **changes: object) -> Restriction:
    """One thing in force, which the automation set."""
    inputs = {"kind": kind, "name": name, "state": state, "set_by": AUTOMATION, "set_at": AT, "reason": "XNAS, INC-1"}
    return Restriction.model_validate({**inputs, **changes})


def seen_with(*restrictions: Restriction, **changes: object) -> Observation:
    """A healthy service in which something is in force; the orders of its halted classes are denied."""
    halted = {one.name for one in restrictions if one.kind is Held.TRADING}
    orders = tuple(
        order(name, OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})
        if name in halted
        else order(name)
        for name in (EQUITY, FX)
    )
    table = routing()
    routes = tuple(
        one.model_copy(update={"trading_state": "halted"}) if one.asset_class in halted else one for one in table.routes
    )
    listed = table.model_copy(update={"restrictions": restrictions, "routes": routes})
    return observation(**{"orders": orders, "routing": listed, **changes})


def test_a_halted_class_is_the_headline_with_who_and_when() -> None:
    """An all-clear while nobody can trade equity costs the trust for good."""
    seen = evidence(seen_with(held()))

    line = headline("order-service", OK, seen)

    assert line == "order-service is up. EQUITY IS HALTED (by triage, 14:32:19Z). XNAS answers again: resume equity?"
    assert len(line.split(". XNAS")[0]) <= 80
    assert overall_status(OK, held_now(seen), seen) is Status.DEGRADED


def test_a_run_without_a_ledger_says_first_that_nothing_can_be_done() -> None:
    """The list of runs read *healthy* all night, while the automation could not have acted on anything."""
    seen = evidence(observation())
    context = seen.context.model_copy(update={"ledger_detail": "LEDGER_UNWRITABLE: expected to append was …"})
    story = TriageStory(evidence=seen.model_copy(update={"context": context}), diagnosis=OK)

    assert story_headline(story).startswith("NOTHING CAN BE DONE, the incident ledger cannot be used. order-service is")
    assert found_name(story) == "healthy, but no ledger: order-service"


def test_one_reason_to_resume_is_asked_about_once() -> None:
    """*XNAS answers again* twice in one line is one time too often."""
    seen = evidence(seen_with(held(), held(Held.GATEWAY, "XNAS", "degraded")))

    line = headline("order-service", OK, seen)

    assert line.endswith(" XNAS answers again: resume equity and XNAS?")
    assert line.count("answers again") == 1


def test_the_report_title_and_the_run_name_say_the_same() -> None:
    """Whoever sees the list of runs, or the report alone, reads of the halt."""
    story = TriageStory(evidence=evidence(seen_with(held())), diagnosis=OK)

    assert triage_markdown(story).startswith("# order-service is up. EQUITY IS HALTED (by triage, 14:32:19Z). ")
    assert found_name(story) == "EQUITY IS HALTED (by triage, 14:32:19Z): order-service"


@pytest.mark.parametrize(
    ("one", "words", "status"),
    [
        (held(state="reducing", set_by="kim"), "EQUITY IS REDUCING (by kim, 14:32:19Z).", Status.DEGRADED),
        (held(set_by=None, set_at=None), "EQUITY IS HALTED (by someone not named).", Status.DEGRADED),
        (held(state="closing-only"), "EQUITY IS CLOSING-ONLY (by triage, 14:32:19Z).", Status.DEGRADED),
        (held(Held.STRATEGY, "algo-7"), "STRATEGY algo-7 IS HALTED (by triage, 14:32:19Z).", Status.DEGRADED),
        (held(Held.GATEWAY, "XNAS", "degraded"), "Gateway XNAS is marked degraded (by triage,", Status.DEGRADED),
        (held(Held.GATEWAY, "XNAS", "disabled", set_by="kim"), "Gateway XNAS is marked disabled", Status.DEGRADED),
        (held(Held.ROUTE, "equity", "XNYS"), "Equity is re-routed to XNYS (by triage,", Status.DEGRADED),
        (held(Held.ROUTE, "equity", "XNYS", set_by="kim"), "Equity is re-routed to XNYS (by kim,", Status.OK),
        (held(Held.FEATURE, "band", "off"), "Feature band is off (by triage, 14:32:19Z).", Status.DEGRADED),
        (held(Held.FEATURE, "band", "off", set_by="kim"), "Feature band is off (by kim, 14:32:19Z).", Status.OK),
    ],
)
def test_all_that_is_in_force_is_said(one: Restriction, words: str, status: Status) -> None:
    """A mark, a re-route, a feature that is off: the next shift must not find out by itself."""
    seen = evidence(seen_with(one))

    assert words in headline("order-service", OK, seen)
    assert "healthy" not in headline("order-service", OK, seen)
    assert overall_status(OK, held_now(seen), seen) is status


def test_classes_that_one_hand_halted_at_once_are_one_sentence() -> None:
    """Four sentences that say one thing push the rest off the phone."""
    words = in_force_words((held(name="fx"), held(Held.GATEWAY, "XNAS", "degraded"), held()))

    assert words.startswith("EQUITY and FX ARE HALTED (by triage, 14:32:19Z). Gateway XNAS")


@pytest.mark.parametrize(
    ("other", "together"),
    [
        ({"set_at": AT + timedelta(seconds=40)}, True),
        ({"set_at": AT + timedelta(seconds=41)}, False),
        ({"set_at": None}, False),
        ({"set_by": "kim"}, False),
        ({"state": "reducing"}, False),
    ],
)
def test_only_what_one_hand_set_alike_within_a_minute_is_one_sentence(other: dict[str, Any], *, together: bool) -> None:
    """One time and one name over what two people did would send the caller to the wrong one."""
    assert ("EQUITY and FX ARE" in in_force_words((held(), held(name="fx", **other)))) is together


def test_two_marks_are_two_sentences_however_they_were_set() -> None:
    """Only classes are reported in one; a gateway's name stands by itself, after what stops orders."""
    words = in_force_words((held(Held.GATEWAY, "XNYS", "degraded"), held(Held.GATEWAY, "XNAS", "degraded"), held()))

    assert words == (
        "EQUITY IS HALTED (by triage, 14:32:19Z). Gateway XNAS is marked degraded (by triage, 14:32:19Z). "
        "Gateway XNYS is marked degraded (by triage, 14:32:19Z)."
    )


def test_a_denied_order_of_a_class_without_a_routing_says_that_it_is_halted() -> None:
    """A service that lists no routing tells it by its answers."""
    denied = order(EQUITY, OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})

    found = in_force(observation(orders=(denied, order(FX))))

    assert [(one.name, one.state, one.set_by) for one in found.restrictions] == [("equity", "halted", None)]


@pytest.mark.parametrize(("state", "count"), [("active", 0), ("ACTIVE", 0), ("halted", 1), ("paused", 1), ("", 0)])
def test_a_trading_state_that_is_not_known_to_be_active_is_in_force(state: str, count: int) -> None:
    """Any word that is not known to be good counted as good once."""
    table = RoutingProbe(
        seen=Seen.PASSED, detail="", looked_at=NOW, routes=(RouteStatus(asset_class=EQUITY, trading_state=state),)
    )

    assert len(in_force(observation(routing=table)).restrictions) == count


def test_no_service_is_called_healthy_whose_orders_are_denied_or_of_which_nobody_knows_what_is_in_force() -> None:
    """*Healthy* was said of two denied orders of two, behind a disabled gateway, while the routing was unreadable."""
    broken = RoutingProbe(seen=Seen.FAILED, detail="http_status=500", looked_at=NOW)
    denied = order(EQUITY, OrderOutcome.DENIED).model_copy(update={"code": "GATEWAY_DISABLED"})
    closed = order(EQUITY, OrderOutcome.REJECTED_AS_EXPECTED)

    assert headline("s", OK, evidence(observation(routing=broken))).startswith("s is up: health passed")
    assert headline("s", OK, evidence(observation(orders=(denied,)))).startswith("s is up: health passed")
    assert headline("s", OK, evidence(observation(orders=(closed,)))).startswith("s is healthy: health passed")


def test_where_nobody_can_read_what_is_in_force_only_fills_prove_that_trading_is_open() -> None:
    """Market closed and routing broken: whether anything is halted is not known, and that is no *ok*."""
    broken = RoutingProbe(seen=Seen.FAILED, detail="http_status=500", looked_at=NOW)
    fills = evidence(observation(routing=broken))
    closed = evidence(observation(routing=broken, orders=(order(EQUITY, OrderOutcome.REJECTED_AS_EXPECTED),)))

    assert overall_status(OK, held_now(fills), fills) is Status.OK
    assert overall_status(OK, held_now(closed), closed) is Status.DEGRADED
    assert "What is in force is not known: http_status=500." in headline("s", OK, closed)


def test_no_question_is_asked_while_the_reason_is_still_there() -> None:
    """*Resume?* at a dead gateway is worse than nothing."""
    dead = evidence(seen_with(held(), gateways=(gateway("XNAS", Seen.FAILED), gateway("FXALL"))))
    unseen = evidence(seen_with(held(), gateways=()))

    assert "resume" not in headline("s", OK, dead)
    assert "resume" not in headline("s", OK, unseen)


def test_nobody_is_asked_to_lift_what_a_person_set() -> None:
    """It is theirs."""
    assert "resume" not in headline("s", OK, evidence(seen_with(held(set_by="kim"))))


def test_what_a_run_did_itself_is_in_its_headline() -> None:
    """The run that halts equity must not end with a title from before."""
    story = _acted(Action.PAUSE_STRATEGIES, Target(asset_class=EQUITY), Outcome.DONE)

    assert "EQUITY IS HALTED (by triage, 15:00:09Z)." in headline(
        "s", story.diagnosis, story.evidence, story.remediation
    )


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNKNOWN])
def test_what_was_not_done_is_not_in_force(outcome: Outcome) -> None:
    """A refused pause is no pause."""
    story = _acted(Action.PAUSE_STRATEGIES, Target(asset_class=EQUITY), outcome)

    assert held_now(story.evidence, story.remediation).restrictions == ()


def test_a_recovered_service_is_not_called_critical_and_what_is_left_is_said() -> None:
    """Restarted, and the gateway is still down: both, in this order."""
    hung = finding(Cause.SERVICE_HUNG)
    dead = finding(Cause.DEPENDENCY_UNREACHABLE, gateways=("XNAS",), asset_classes=(EQUITY,))
    restarted = ActionResult(
        planned=planned(Action.RESTART_SERVICE, hung),
        outcome=Outcome.DONE,
        detail="started",
        finished_at=NOW + timedelta(seconds=9),
        recovery=Recovery(outcome=Outcome.RECOVERED, detail="health ok", held=InForce()),
    )
    result = RemediationResult(outcome=Outcome.RECOVERED, detail="", actions=(restarted,))
    alone = Diagnosis(status=Status.CRITICAL, findings=(hung,))
    both = Diagnosis(status=Status.CRITICAL, findings=(hung, dead))

    line = headline("s", alone, evidence(observation()), result)
    assert line == "Recovered: s was hung. Restart service: recovered since 15:00:09Z."
    assert "XNAS has been unreachable since 15:00:00Z." in headline("s", both, evidence(observation()), result)


def _acted(action: Action, target: Target, outcome: Outcome) -> TriageStory:
    found = finding(Cause.DEPENDENCY_UNREACHABLE, gateways=("XNAS",), asset_classes=(EQUITY,))
    done = ActionResult(
        planned=planned(action, found, target), outcome=outcome, detail="", finished_at=NOW + timedelta(seconds=9)
    )
    return TriageStory(
        evidence=with_past((observation(routing=routing()),)),
        diagnosis=Diagnosis(status=Status.DEGRADED, findings=(found,)),
        remediation=RemediationResult(outcome=outcome, detail="", actions=(done,)),
    )


@pytest.mark.parametrize(
    ("action", "target", "one"),
    [
        (Action.PAUSE_STRATEGIES, Target(strategy="algo-7"), (Held.STRATEGY, "algo-7", "halted")),
        (Action.MARK_DEGRADED, Target(gateway="XNAS"), (Held.GATEWAY, "XNAS", "degraded")),
        (Action.REROUTE_ORDERS, Target(asset_class=EQUITY, gateway="XNYS"), (Held.ROUTE, "equity", "XNYS")),
        (Action.DISABLE_FEATURE, Target(feature="band"), (Held.FEATURE, "band", "off")),
    ],
)
def test_each_action_leaves_in_force_what_it_sets_and_its_opposite_lifts_it(
    action: Action, target: Target, one: tuple[Held, str, str]
) -> None:
    """What is lifted is no longer said, and what is set is."""
    result = _acted(action, target, Outcome.DONE).remediation

    (left,) = in_force_after(InForce(), result).restrictions
    assert (left.kind, left.name, left.state) == one
    assert in_force_after(InForce(restrictions=(left,)), result).restrictions == (left,)
    undone = {
        Action.REROUTE_ORDERS: _acted(Action.REROUTE_ORDERS, Target(asset_class=EQUITY), Outcome.DONE),
        Action.PAUSE_STRATEGIES: _acted(Action.RESUME, target, Outcome.DONE),
        Action.MARK_DEGRADED: _acted(Action.RESUME, target, Outcome.DONE),
    }.get(action)
    if undone is not None:
        assert in_force_after(InForce(restrictions=(left,)), undone.remediation).restrictions == ()


@given(st.lists(st.sampled_from([*Held]), max_size=4), st.sampled_from(["halted", "reducing", "degraded", "odd word"]))
def test_nothing_that_is_in_force_ever_reads_healthy(kinds: list[Held], state: str) -> None:
    """The rule that every headline keeps."""
    restrictions = tuple(held(kind, f"n{number}", state) for number, kind in enumerate(kinds))
    line = headline("s", OK, evidence(seen_with(*restrictions)))

    assert ("healthy" in line) is (not restrictions)


def test_what_was_set_in_one_minute_is_told_with_the_first_time() -> None:
    """From then on something was held back."""
    words = in_force_words((held(), held(name="fx", set_at=AT + timedelta(seconds=40))))

    assert words == "EQUITY and FX ARE HALTED (by triage, 14:32:19Z)."
