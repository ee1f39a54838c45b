"""The words that people are notified."""

from datetime import UTC, datetime
from pathlib import Path

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.incidents.incident import ActionRecord, IncidentState
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.model.reports.report import TriageStory
from tasks.rules.messages.opening import opening_messages
from tasks.rules.messages.templates import desk_notice, escalation_text
from tests.fakes.incident.observations import NOW, evidence, observation

PAGE = Path(__file__).parents[4] / "flows" / "runbook.md"


def story(
    cause: Cause, tier: Audience, classes: tuple[AssetClass, ...] = (), told: tuple[str, ...] = ()
) -> TriageStory:
    """A story with one newly opened incident."""
    finding = Finding(
        cause=cause, confidence=Confidence.CONFIRMED, because=("why",), section="§2.1", tier=tier, asset_classes=classes
    )
    incident = IncidentState(
        incident_id="INC-1", service="order-service", state="opened", opened_at=NOW, causes=(cause,), told=told
    )
    return TriageStory(
        evidence=evidence(observation()),
        diagnosis=Diagnosis(status=Status.CRITICAL, findings=(finding,)),
        incidents=IncidentUpdate(opened=(incident,)),
    )


def test_the_desk_notice_is_the_desks_own_words() -> None:
    """A trader recognises the sentence; not one letter differs from the runbook."""
    assert desk_notice("equity") == (
        "We are experiencing degraded order routing for equity. Investigating. Orders may be delayed. ETA 15m."
    )


def test_the_escalation_is_the_desks_own_words() -> None:
    """Developers and SRE search their mail for this sentence."""
    since = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

    assert escalation_text(since, "XNAS refused") == (
        "Incident: order-routing health checks failing since 2026-11-23T15:00:00.000Z. Errors: XNAS refused. "
        "Key artifacts: incidents.jsonl, service logs, sample failing request/response."
    )


def test_the_templates_stand_in_the_page_to_the_letter() -> None:
    """Code and page cannot drift apart."""
    page = PAGE.read_text("utf-8")

    assert desk_notice("[ASSET_CLASS]") in page
    assert "Incident: order-routing health checks failing since [timestamp]. Errors: [summary]. Key artifacts" in page


def test_a_dead_gateway_tells_the_platform_and_the_desk_for_its_class_only() -> None:
    """The FX desk is not disturbed for an equity venue."""
    messages = opening_messages(story(Cause.DEPENDENCY_UNREACHABLE, Audience.TIER_3, (AssetClass.EQUITY,)))

    assert [(one.audience, "equity" in one.text) for one in messages] == [
        (Audience.TIER_3, False),
        (Audience.DESK, True),
    ]
    assert messages[0].text.startswith("Incident: order-routing health checks failing since")


def test_a_dead_service_tells_every_routed_class() -> None:
    """Nothing trades while the service is down."""
    messages = opening_messages(story(Cause.SERVICE_DOWN, Audience.TIER_1))

    (notice,) = (one for one in messages if one.audience is Audience.DESK)
    assert notice.text == desk_notice("equity", "fx")
    assert sorted(notice.stands_for) == ["INC-1/desk/desk-equity", "INC-1/desk/desk-fx"]


def test_one_outage_that_opens_two_incidents_is_one_notice_to_the_desk() -> None:
    """A trader who reads two notices of one second looks for two outages."""
    one = story(Cause.DEPENDENCY_UNREACHABLE, Audience.TIER_3, (AssetClass.EQUITY,))
    two = story(Cause.SERVICE_DOWN, Audience.TIER_1)
    second = two.incidents.opened[0].model_copy(update={"incident_id": "INC-2"})
    findings = (*one.diagnosis.findings, *two.diagnosis.findings)
    both = one.model_copy(
        update={
            "diagnosis": one.diagnosis.model_copy(update={"findings": findings}),
            "incidents": IncidentUpdate(opened=(*one.incidents.opened, second)),
        }
    )

    (notice,) = (message for message in opening_messages(both) if message.audience is Audience.DESK)

    assert notice.text == desk_notice("equity", "fx")
    assert notice.stands_for == {
        "INC-1/desk/desk-equity": "INC-1",
        "INC-2/desk/desk-equity": "INC-2",
        "INC-2/desk/desk-fx": "INC-2",
    }
    assert "a gateway has been unreachable" in notice.detail.lower()
    assert "order-service has been down since 15:00:00Z." in notice.detail


def test_a_page_says_first_what_is_broken_and_since_when() -> None:
    """A phone shows eighty characters; an id and a mode say nothing to who wakes up."""
    (page, *_) = opening_messages(story(Cause.SERVICE_HUNG, Audience.TIER_1))

    assert page.text.startswith("order-service has been hung since 15:00:00Z. Acknowledge: `runbook ack INC-1`.")
    assert page.text.endswith("[INC-1] order-service, mode=act.")


def test_what_was_told_is_not_told_again() -> None:
    """Fifty failing runs page a person once."""
    told = ("INC-1/tier_1/opened", "INC-1/desk/desk-equity", "INC-1/desk/desk-fx")

    assert opening_messages(story(Cause.SERVICE_DOWN, Audience.TIER_1, told=told)) == ()


def test_every_message_of_ours_says_the_mode() -> None:
    """Rule 12: who reads a page knows whether the automation may act."""
    (message, *_) = opening_messages(story(Cause.SERVICE_HUNG, Audience.TIER_1))

    assert "mode=act" in message.text


def test_a_half_done_action_is_told_to_the_developer_lead_once() -> None:
    """Nobody else knows that a restart was begun and never seen to end."""
    action = ActionRecord(key="k1", action="restart_service", started_at=NOW)
    before = story(Cause.SERVICE_HUNG, Audience.TIER_1)
    stuck = before.incidents.opened[0].model_copy(update={"actions": (action,)})
    told = before.having(incidents=IncidentUpdate(half_done=(stuck,)))

    (message,) = opening_messages(told)
    again = told.having(incidents=IncidentUpdate(half_done=(stuck.model_copy(update={"told": (message.key,)}),)))

    assert message.audience is Audience.TIER_2
    assert "runbook rearm" in message.text
    assert opening_messages(again) == ()
