"""A ledger that cannot be read: nothing is done, and that is reported."""

from datetime import timedelta

from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Status
from tasks.model.messages.messages import Message
from tasks.model.reports.report import TriageStory
from tasks.rules.messages.ledger_unreadable import NO_END, lost_ledger_messages
from tasks.rules.remediation.branches import needs_runbook
from tests.fakes.incident.cases import finding
from tests.fakes.incident.observations import NOW, evidence, observation

WHY = "LEDGER_UNREADABLE: expected a readable file was Permission denied path=incidents.jsonl; fix its permissions"
WELL = Diagnosis(status=Status.OK, findings=())
ILL = Diagnosis(status=Status.CRITICAL, findings=(finding(),))


def told(diagnosis: Diagnosis = WELL, detail: str = WHY, after: timedelta = timedelta(0)) -> tuple[Message, ...]:
    """What a run tells that could not read the ledger, some time later."""
    seen = evidence(observation())
    changes = {"ledger_detail": detail, "looked_at": NOW + after}
    story = TriageStory(
        evidence=seen.model_copy(update={"context": seen.context.model_copy(update=changes)}), diagnosis=diagnosis
    )
    assert needs_runbook(story) is False or not detail
    return lost_ledger_messages(story)


def test_the_platform_team_is_told_that_nothing_will_be_done() -> None:
    """Automation that does nothing and says nothing is worse than none."""
    (message,) = told()

    assert message.audience is Audience.TIER_3
    assert WHY in message.text
    assert message.text.startswith("No action taken: the incident ledger of order-service cannot be used.")


def test_on_call_is_told_too_where_the_service_is_ill() -> None:
    """Without the ledger nobody else would be paged for a service that hangs."""
    messages = told(ILL)

    desk = [one for one in messages if one.audience is Audience.DESK]
    assert [one.audience for one in messages if one not in desk] == [Audience.TIER_3, Audience.TIER_1]
    assert all("service_hung" in one.text for one in messages if one not in desk)


def test_on_calls_phone_shows_what_is_broken_and_that_nothing_is_done() -> None:
    """Eighty characters that name an id and a mode say nothing to who wakes up."""
    on_call = next(one for one in told(ILL) if one.audience is Audience.TIER_1)

    assert on_call.text[:80] == ("order-service has been hung since 15:00:00Z. No action taken: the incident ledge")


def test_the_desk_is_told_of_a_service_that_hangs_without_a_ledger() -> None:
    """Nothing is done about it, and nobody will write that it is over: who trades on must know both."""
    desk = [one for one in told(ILL) if one.audience is Audience.DESK]

    (notice,) = desk
    assert notice.text.partition(" for ")[2].partition(".")[0] == "equity and fx"
    assert notice.detail.endswith(NO_END)


def test_a_service_that_goes_down_later_in_the_hour_is_told_all_the_same() -> None:
    """On-call had read of a hang, which was over; then the service was killed, and no one was called for 30 minutes."""
    gone = Diagnosis(status=Status.CRITICAL, findings=(finding(Cause.SERVICE_DOWN),))
    other = WHY.replace("LEDGER_UNREADABLE", "LEDGER_UNWRITABLE")

    keys = [{one.audience: one.key for one in messages} for messages in (told(ILL), told(gone), told(ILL, other))]

    assert len({one[Audience.TIER_1] for one in keys}) == 3
    assert keys[0][Audience.TIER_3] == keys[1][Audience.TIER_3] != keys[2][Audience.TIER_3]


def test_the_next_minutes_say_the_same_message_and_the_next_hour_reminds() -> None:
    """The key is what makes it once; it does not depend on the ledger."""
    first, minute, hour = (told(after=timedelta(minutes=one)) for one in (0, 1, 60))

    assert first[0].key == minute[0].key
    assert first[0].key != hour[0].key


def test_with_a_ledger_that_can_be_read_nothing_is_told() -> None:
    """The common minute."""
    assert told(ILL, detail="") == ()
