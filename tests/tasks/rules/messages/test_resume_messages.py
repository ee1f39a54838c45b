"""What the automation left in force: an incident answers for it, and people are asked until somebody lifts it."""

from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Status
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.escalation import PageClock
from tasks.model.incidents.incident import Event, IncidentState, LedgerRecord
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Seen
from tasks.model.remediation.in_force import AUTOMATION, Held, Restriction
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.model.reports.report import TriageStory
from tasks.rules.escalation.timers import due_pages
from tasks.rules.incidents.fold import failing_since, fold_incidents
from tasks.rules.incidents.transitions import End, OpenLedger, ending_records, incident_changes, record_of
from tasks.rules.messages.resume_offer import resume_messages
from tests.fakes.incident.observations import NOW, gateway, observation
from tests.fakes.incident.past import past, routing, with_past

OK = Diagnosis(status=Status.OK)
ID = "INC-20261123T140000Z-dependency_unreachable-ab12"


def halt(by: str = AUTOMATION, reason: str = f"dependency unreachable, {ID}") -> Restriction:
    """A halt of equity."""
    return Restriction(kind=Held.TRADING, name="equity", state="halted", set_by=by, reason=reason, set_at=NOW)


def over(minutes_ago: float = 1.0, **changes: object) -> IncidentState:
    """An incident whose trouble is over, and whose halt is not."""
    facts: dict[str, object] = {
        "incident_id": ID,
        "service": "order-service",
        "state": Event.RECOVERED,
        "opened_at": NOW - timedelta(hours=1),
        "causes": (Cause.DEPENDENCY_UNREACHABLE,),
        "asset_classes": (AssetClass.EQUITY,),
        "gateways": ("XNAS",),
        "recovered_at": NOW - timedelta(minutes=minutes_ago),
        **changes,
    }
    return IncidentState.model_validate(facts)


def story(incident: IncidentState, *restrictions: Restriction, **changes: object) -> TriageStory:
    """A healthy minute in which something is still in force."""
    seen = observation(routing=routing().model_copy(update={"restrictions": restrictions}), **changes)
    evidence = with_past((seen,), history=(past(2), past(1)))
    return TriageStory(evidence=evidence, diagnosis=OK, incidents=IncidentUpdate(held=(incident,)))


def test_on_call_and_the_desk_are_asked_whether_to_resume() -> None:
    """XNAS answers again; the halt stays until a person decides, and somebody has to know that."""
    told = {one.audience: one.text for one in resume_messages(story(over(), halt()))}

    assert told.keys() == {Audience.TIER_1, Audience.DESK}
    asked = "EQUITY IS HALTED (by triage, 15:00:00Z). XNAS answers again. Its cause has been gone since 14:59:00Z. "
    assert told[Audience.TIER_1].startswith(f"{asked}To resume: `runbook resume equity --reason …`.")
    assert told[Audience.DESK].startswith("EQUITY IS HALTED (by triage, 15:00:00Z). XNAS answers again")


def test_a_cause_is_never_said_to_be_gone_since_it_began() -> None:
    """The record of a recovery is written after the checks that saw it; a clock may also have been set back since."""
    just_now, to_come = (resume_messages(story(over(ago), halt()))[0] for ago in (-0.1, -60))

    assert "Its cause has been gone since 15:00:06Z. " in just_now.text
    assert "Its cause is gone. " in to_come.text
    assert just_now.key == resume_messages(story(over(0), halt()))[0].key


def test_they_are_reminded_until_it_is_lifted_and_not_more_often() -> None:
    """One question at night is overslept; one each minute is muted."""

    def keys(minutes_ago: float, told: tuple[Message, ...] = ()) -> set[str]:
        incident = over(minutes_ago, told=tuple(one.key for one in told))
        return {one.key for one in resume_messages(story(incident, halt()))}

    first = resume_messages(story(over(0), halt()))
    assert not keys(29, first)
    assert len(keys(31, first)) == 2
    assert not resume_messages(story(over(31)))


def test_nobody_is_asked_to_resume_what_its_gateway_does_not_answer_for() -> None:
    """It is said that equity is halted; that XNAS answers is not."""
    silent = story(over(), halt(), gateways=(gateway("XNAS", Seen.FAILED), gateway("FXALL")))

    assert not any("answers again" in one.text for one in resume_messages(silent))


def test_who_is_asked_to_resume_is_not_paged_for_the_trouble_that_is_over() -> None:
    """*XNAS unreachable*, again, an hour after it came back: that page is not true any more."""
    clock = PageClock(now=NOW, every_s=60.0)

    assert due_pages(over(paged_at={}, recovered_at=None), clock, EscalationLimits())
    assert due_pages(over(paged_at={}), clock, EscalationLimits()) == ()


def changes_of(story_: TriageStory, *incidents: IncidentState) -> tuple[LedgerRecord, ...]:
    """What a triage appends about these incidents."""
    ledger = OpenLedger(
        service="order-service",
        now=NOW,
        incidents=tuple(one for one in incidents if one.is_open),
        closed=tuple(one for one in incidents if not one.is_open),
    )
    return incident_changes(OK, story_.evidence, ledger, lambda cause: f"INC-new-{cause}")


def test_an_incident_whose_halt_is_in_force_is_recovered_and_not_closed() -> None:
    """Closed means: as before. It is not as before."""
    open_ = over(recovered_at=None, state=Event.OPENED)

    (recovered,) = changes_of(story(open_, halt()), open_)
    assert recovered.event == Event.RECOVERED
    assert "EQUITY IS HALTED" in recovered.summary
    assert [one.event for one in changes_of(story(over()), over())] == [Event.CLOSED]
    assert [one.event for one in changes_of(story(open_), open_)] == [Event.RECOVERED, Event.CLOSED]
    assert changes_of(story(over(), halt()), over()) == ()


def test_a_halt_that_no_open_incident_answers_for_opens_one_once() -> None:
    """The ledger was lost, or an earlier version closed it: the halt is in force all the same."""
    before = over(closed_at=NOW - timedelta(minutes=10))
    lost = changes_of(story(before, halt()))
    back = changes_of(story(before, halt()), before)

    for records in (lost, back):
        assert [(one.event, one.incident_id) for one in records] == [(Event.OPENED, ID), (Event.RECOVERED, ID)]
    (again,) = fold_incidents(lost, "order-service")
    assert again.is_open
    assert again.recovered_at
    assert changes_of(story(again, halt()), again) == ()
    assert changes_of(story(before, halt(by="kim"))) == ()


def test_trouble_that_comes_back_before_the_halt_is_lifted_is_told_anew() -> None:
    """The desk has read that XNAS answers again; it must read that it does not."""
    incident = over(recovered_at=None, state=Event.OPENED)
    opened = record_of(incident, Event.OPENED, NOW - timedelta(minutes=9), "down", {"tier": "tier_3"})
    end = ending_records(incident, NOW - timedelta(minutes=5), End(because="gone", kept=(halt(),)))
    seen = record_of(incident, Event.OBSERVED, NOW, "down again")

    (recovered,) = fold_incidents((opened, *end), "order-service")
    (again,) = fold_incidents((opened, *end, seen), "order-service")

    assert (recovered.is_open, recovered.recovered_at, recovered.reopened) == (True, NOW - timedelta(minutes=5), 0)
    assert (again.recovered_at, again.reopened, again.reopened_at, again.paged_at) == (None, 1, NOW, {})


def test_what_is_written_after_the_end_is_no_failure() -> None:
    """*Failing since* began five minutes late, at the message that told of the close before."""
    incident = over(recovered_at=None)

    def record(event: Event, minutes_ago: float) -> LedgerRecord:
        return record_of(incident, event, NOW - timedelta(minutes=minutes_ago), "x")

    closed = (record(Event.OPENED, 30), record(Event.CLOSED, 20))
    after = (*closed, record(Event.NOTIFIED, 19), record(Event.ACKNOWLEDGED, 18), record(Event.ESCALATED, 17))

    assert failing_since(after, "order-service", NOW) is None
    assert failing_since((*after, record(Event.OPENED, 5)), "order-service", NOW) == NOW - timedelta(minutes=5)
    foreign = LedgerRecord(timestamp=NOW - timedelta(minutes=3), type="health_check_failed", service="order-service")
    assert failing_since((*after, foreign), "order-service", NOW) == NOW - timedelta(minutes=3)
    change = foreign.model_copy(update={"event": "observed", "type": "trading_changed"})
    assert failing_since((change,), "order-service", datetime.max.replace(tzinfo=NOW.tzinfo)) is None
