"""A person's order in the ledger: which incident it goes into, and when its own one ends."""

from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Status
from tasks.model.incidents.incident import Action, Event, IncidentState, Outcome
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.operator_action import MANUAL_ACTION_TYPE, ManualAction, ManualActionStory
from tasks.model.remediation.plan import Plan, PlannedAction, Request, Target
from tasks.model.remediation.remediation import ActionResult, Recovery, RemediationResult
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.incidents.fold import failing_since, fold_incidents
from tasks.rules.incidents.hysteresis import may_close
from tasks.rules.messages.operator import announcement, outcome_line, outcome_messages
from tasks.rules.remediation.operator_action import ends_with_order, fitting_incident, opening_records
from tests.fakes.incident.cases import done_before, inputs, past, seen
from tests.fakes.incident.observations import NOW

EQUITY = AssetClass.EQUITY
PAUSE = Target(asset_class=EQUITY)


def manual_action(*targets: Target, action: Action = Action.PAUSE_STRATEGIES) -> ManualAction:
    """What a person orders."""
    asked = Request(by="ada", reason="the venue says so", overrides=(GuardCode.MODE_FORBIDS,))
    return ManualAction(service="order-service", action=action, asked=asked, targets=targets)


def incident(name: str, minutes_ago: float = 5, **inputs: object) -> IncidentState:
    """One incident that runs."""
    base: dict[str, object] = {"state": Event.OPENED, "causes": (Cause.GATEWAY_FAILING,), "service": "order-service"}
    opened_at = NOW - timedelta(minutes=minutes_ago)
    return IncidentState.model_validate({"incident_id": name, "opened_at": opened_at, **base, **inputs})


def opened() -> IncidentState:
    """The incident that an order opened."""
    return fold_incidents(opening_records(manual_action(PAUSE), "INC-9", NOW), "order-service")[0]


def result(outcome: Outcome, recovery: Outcome | None = None, action: Action = Action.RESTART_SERVICE) -> ActionResult:
    """What became of one action of an order that passed a guard by."""
    verdict = Verdict.yes("asked by ada", (GuardCode.MODE_FORBIDS,))
    planned = PlannedAction(key="k", action=action, incident_id="INC-9", why="by hand", verdict=verdict, target=PAUSE)
    proof = Recovery(outcome=recovery, detail="health ok") if recovery else None
    began_at = None if outcome is Outcome.REFUSED else NOW
    return ActionResult(planned=planned, outcome=outcome, detail="it went so", started_at=began_at, recovery=proof)


def ended(*actions: ActionResult) -> RemediationResult:
    """What an order came to."""
    return RemediationResult(outcome=actions[0].proven if actions else Outcome.REFUSED, detail="so", actions=actions)


def messages(
    done: RemediationResult, *, is_new: bool = True, one: IncidentState | None = None, at: datetime = NOW
) -> dict[str, Message]:
    """What is reported of an order's end, by audience."""
    known = inputs()
    story = ManualActionStory(
        manual_action=manual_action(PAUSE, action=Action.RESTART_SERVICE),
        evidence=known.evidence,
        diagnosis=known.diagnosis,
        incident=one or opened(),
        is_new=is_new,
    )
    return {message.audience: message for message in outcome_messages(story, Plan(written_at=at), done)}


def test_an_order_goes_to_the_incident_of_its_gateway_or_class_and_else_to_the_newest() -> None:
    """One thread for one trouble."""
    of_class = incident("INC-1", 30, asset_classes=(EQUITY,))
    newest = incident("INC-2", 5)
    over = incident("INC-3", 1, closed_at=NOW)

    assert fitting_incident(manual_action(PAUSE), (of_class, newest, over)) == of_class
    assert fitting_incident(manual_action(Target(gateway="CRYP")), (of_class, newest, over)) == newest
    assert fitting_incident(manual_action(PAUSE), (over,)) is None


def test_an_order_that_opens_an_incident_has_it_in_hand() -> None:
    """Who orders is there: nobody is paged for it, and it is not read as a failure of the service."""
    written = opening_records(manual_action(PAUSE), "INC-9", NOW)
    mine = opened()

    assert {one.type for one in written} == {MANUAL_ACTION_TYPE}
    assert written[0].details["overrides"] == [GuardCode.MODE_FORBIDS]
    assert (mine.acknowledged_by, mine.causes, mine.asset_classes) == ("ada", (), (EQUITY,))
    assert failing_since(written, "order-service", NOW) is None


def test_a_triage_does_not_close_what_a_person_has_in_hand() -> None:
    """A healthy minute in the middle of an order is not its end; one that was left lying is closed later."""
    healthy = inputs(history=(past(3), past(2), past(1)), seen=seen(looked_at=NOW)).evidence
    fine = Diagnosis(status=Status.OK)
    acted = opened().model_copy(update={"actions": (done_before(0, Outcome.DONE),)})
    left = opened().model_copy(update={"opened_at": NOW - timedelta(minutes=30)})

    assert not may_close(opened(), fine, healthy).may_close
    assert not may_close(acted, fine, healthy).may_close
    assert may_close(left, fine, healthy).may_close


def test_its_own_incident_ends_with_an_order_unless_the_end_is_bad() -> None:
    """What nobody knows the end of stays open for people."""
    good = (ended(result(Outcome.DONE)), ended(result(Outcome.REFUSED)), ended())
    bad = (ended(result(Outcome.UNKNOWN)), ended(result(Outcome.DONE, Outcome.NOT_RECOVERED)))

    assert all(ends_with_order(one, is_new=True) for one in good)
    assert not any(ends_with_order(one, is_new=True) for one in bad)
    assert not any(ends_with_order(one, is_new=False) for one in (*good, *bad))


def test_the_end_names_the_guards_that_were_passed_by_to_tier_and_desk() -> None:
    """Nobody passes a guard by unseen."""
    told = messages(ended(result(Outcome.DONE, Outcome.RECOVERED)))

    assert "Guards overridden: MODE_FORBIDS." in told[Audience.TIER_1].text
    assert "Guards overridden: MODE_FORBIDS." in told[Audience.DESK].text
    assert told[Audience.DESK].text.startswith("The order service was restarted and works again. Manual action by ada.")
    assert told[Audience.DESK].key.endswith("/desk/closed")


def test_tier_and_desk_read_why_a_person_wanted_it() -> None:
    """Who reads of a pause at night must not have to ask around for its reason."""
    told = messages(ended(result(Outcome.DONE, Outcome.RECOVERED)))

    assert all("Reason: the venue says so." in one.text for one in told.values())
    assert set(told) == {Audience.TIER_1, Audience.DESK}


def test_what_was_refused_is_told_to_the_tier_and_not_to_the_desk() -> None:
    """Nothing changed for the desk; and a guard that was named and never in the way is not told as passed by."""
    told = messages(ended(result(Outcome.REFUSED)))

    assert told.keys() == {Audience.TIER_1}
    assert "overridden" not in told[Audience.TIER_1].text


def test_a_bad_end_goes_to_the_developer_lead_in_the_runbooks_words() -> None:
    """§4.2: what a person could not fix alone is handed on."""
    told = messages(ended(result(Outcome.UNKNOWN)))

    assert told[Audience.TIER_2].text.startswith("Incident: order-routing health checks failing since")
    assert "outcome unknown: verify by hand" in told[Audience.DESK].text


def test_the_end_in_another_incident_is_told_once_for_each_order() -> None:
    """The incident goes on: its own end is still to be told by itself."""
    keys = {one.key for one in messages(ended(result(Outcome.DONE)), is_new=False, one=incident("INC-1")).values()}

    assert all(key.endswith("/by-hand-20261123T150000.000000Z-ended") for key in keys)


def test_two_orders_of_one_second_are_each_told() -> None:
    """A person lifts the mark and resumes the class, and the desk must read both: one key would be sent once."""
    moments = (NOW, NOW + timedelta(milliseconds=400))
    keys = [messages(ended(result(Outcome.DONE)), is_new=False, one=incident("INC-1"), at=at) for at in moments]

    assert {one.key for one in keys[0].values()}.isdisjoint(one.key for one in keys[1].values())


def test_the_announcement_says_who_why_and_what_may_be_done() -> None:
    """The on-call hears of it before it is done."""
    known = inputs()
    story = ManualActionStory(
        manual_action=manual_action(PAUSE),
        evidence=known.evidence,
        diagnosis=known.diagnosis,
        incident=opened(),
        is_new=True,
    )
    plan = Plan(written_at=NOW, actions=(result(Outcome.DONE).planned,))
    (message,) = announcement(story, plan)

    assert message.audience is Audience.TIER_1
    assert message.text.startswith("Manual action by ada: restart service equity. Reason: the venue says so.")
    assert "1. restart service equity\n" in message.text
    assert outcome_line(story, ended(result(Outcome.DONE))) == "order-service: pause strategies: done. so"


def test_the_desk_reads_that_a_resume_was_halted_again() -> None:
    """Orders went through for a moment: who only reads *refused* thinks that nothing changed at all."""
    again = result(Outcome.REFUSED, action=Action.RESUME).model_copy(
        update={"code": GuardCode.HALTED_AGAIN, "detail": "a test order was rejected; halted again: done"}
    )

    text = messages(ended(again))[Audience.DESK].text

    assert text.startswith("Equity was resumed and is halted again: a test order was rejected")
    assert Audience.DESK not in messages(ended(result(Outcome.REFUSED, action=Action.RESUME)))
