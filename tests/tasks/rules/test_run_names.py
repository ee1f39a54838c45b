"""Names of runs: a person finds the run of an incident in a list of a thousand healthy ones."""

import pytest

from tasks.model.diagnosis import Audience, Diagnosis, Status
from tasks.model.evidence import AlertSeen, TriageRequest
from tasks.model.incident import AlertType, Event, IncidentState, Outcome
from tasks.model.looks import Fault
from tasks.model.messages import Message
from tasks.model.processes import ProcessState
from tasks.model.remediation import IncidentUpdate, RemediationResult
from tasks.model.report import TriageStory
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.diagnosis import name_cause
from tasks.rules.run_names import NAME_LIMIT_COUNT, acting_name, ended_name, found_name, found_tags, telling_name
from tests.fakes.cases import planned
from tests.fakes.looks import NOW, evidence, gateway, health, observation, process, slow_gateway, three

SERVICE = "order-service"
INCIDENT = IncidentState(incident_id="INC-1", service=SERVICE, state=Event.OPENED, opened_at=NOW, causes=())
RECOVERED = RemediationResult(outcome=Outcome.RECOVERED, detail="well for 120 s")


def asked(story: TriageStory, **request: object) -> TriageStory:
    """The same story, started for something."""
    wanted = TriageRequest.model_validate({"service": SERVICE, **request})
    context = story.evidence.context.model_copy(update={"request": wanted})
    return story.model_copy(update={"evidence": story.evidence.model_copy(update={"context": context})})


def healthy() -> TriageStory:
    """A minute in which nothing is wrong."""
    return TriageStory(evidence=evidence(observation()), diagnosis=Diagnosis(status=Status.OK))


def hung() -> TriageStory:
    """A service that hangs."""
    seen = three(health=health(Fault.TIMED_OUT), process=process(ProcessState.STOPPED), orders=())
    return TriageStory(evidence=seen, diagnosis=name_cause(seen))


def failing() -> TriageStory:
    """A gateway that fails."""
    seen = three(
        gateways=(slow_gateway("XNAS"), gateway("FXALL")),
        health=health(status="degraded", dependencies={"XNAS": "error"}),
    )
    return TriageStory(evidence=seen, diagnosis=name_cause(seen))


def test_a_run_says_its_service_its_alert_and_its_cause_with_the_place() -> None:
    """The list alone tells which run is the one to open."""
    story = asked(failing(), alert=AlertType.GATEWAY_UNREACHABLE)

    assert found_name(story) == "order-service: gateway_unreachable → gateway_failing (XNAS)"


@pytest.mark.parametrize(
    ("story", "name"),
    [
        (healthy(), "order-service: routine look → healthy"),
        (healthy().having(incidents=IncidentUpdate(closed=(INCIDENT,))), "order-service: routine look → healthy again"),
        (asked(healthy(), seen=AlertSeen(name="OrdersFailing")), "order-service: OrdersFailing → healthy"),
        (hung().having(remediation=RECOVERED), "order-service: routine look → service_hung, recovered"),
    ],
)
def test_a_run_says_how_it_came_out(story: TriageStory, name: str) -> None:
    """Every run completes, whatever the patient does: green says nothing, so the name must."""
    assert found_name(story) == name


def test_an_action_that_a_guard_forbade_is_told_with_the_guard() -> None:
    """Nobody thinks that the automation is at it while it keeps its hands off."""
    refused = RemediationResult(outcome=Outcome.REFUSED, code=GuardCode.MODE_FORBIDS, detail="mode observe")

    assert found_name(hung().having(remediation=refused)).endswith("→ service_hung, refused (MODE_FORBIDS)")
    assert ended_name("order-service: restart by ada", refused).endswith("by ada → refused (MODE_FORBIDS)")
    assert ended_name("order-service: restart by ada", RECOVERED) == "order-service: restart by ada → recovered"


def test_runs_are_found_by_service_cause_and_incident() -> None:
    """One click on a tag shows every run of an incident."""
    story = hung().having(incidents=IncidentUpdate(opened=(INCIDENT,)))

    assert found_tags(story) == ("order-service", "service_hung", "INC-1")
    assert found_tags(healthy()) == ("order-service",)


def test_a_telling_names_each_audience_once() -> None:
    """The page of a run shows who was told, in order."""
    told = tuple(
        Message(key=f"{number}", incident_id="INC-1", audience=audience, text="x")
        for number, audience in enumerate((Audience.TIER_3, Audience.DESK, Audience.DESK))
    )

    assert telling_name(SERVICE, told) == "order-service: tell tier_3, desk"
    assert telling_name(SERVICE, ()) == "order-service: tell who is due"


def test_a_name_stays_short_whatever_is_in_it() -> None:
    """A list of runs is read at a glance."""
    assert len(ended_name("x" * 1000, RECOVERED)) <= NAME_LIMIT_COUNT


def test_a_run_that_may_not_restart_is_not_named_a_restart() -> None:
    """*restart service, Completed* in the list of runs read as done; the budget was spent and nothing was started."""
    spent = planned().model_copy(update={"verdict": Verdict.no(GuardCode.RESTART_BUDGET_SPENT, "2 of 2")})
    allowed = planned().model_copy(update={"verdict": Verdict.yes()})

    assert acting_name("order-service", (allowed,)) == "order-service: restart service"
    assert acting_name("order-service", (spent,)).endswith(": restart service forbidden (RESTART_BUDGET_SPENT)")
