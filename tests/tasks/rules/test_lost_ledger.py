"""A ledger that cannot be read: nothing is done, and that is told."""

from datetime import timedelta

from tasks.model.diagnosis import Audience, Diagnosis, Status
from tasks.model.messages import Message
from tasks.model.report import TriageStory
from tasks.rules.course import needs_runbook
from tasks.rules.lost_ledger import lost_ledger_messages
from tests.fakes.cases import finding
from tests.fakes.looks import NOW, evidence, observation

WHY = "LEDGER_UNREADABLE: expected a readable file was Permission denied path=incidents.jsonl; mend its permissions"
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
    assert "nothing is done" in message.text


def test_on_call_is_told_too_where_the_service_is_ill() -> None:
    """Without the ledger nobody else would be paged for a service that hangs."""
    messages = told(ILL)

    assert [one.audience for one in messages] == [Audience.TIER_3, Audience.TIER_1]
    assert all("service_hung" in one.text for one in messages)


def test_the_next_minutes_say_the_same_message_and_the_next_hour_reminds() -> None:
    """The key is what makes it once; it does not depend on the ledger."""
    first, minute, hour = (told(after=timedelta(minutes=one)) for one in (0, 1, 60))

    assert first[0].key == minute[0].key
    assert first[0].key != hour[0].key


def test_with_a_ledger_that_can_be_read_nothing_is_told() -> None:
    """The common minute."""
    assert told(ILL, detail="") == ()
