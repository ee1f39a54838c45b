"""Names of runs: a person finds the run of an incident in a list of a thousand healthy ones."""

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Diagnosis, Status
from tasks.model.evidence.evidence import AlertSeen, TriageRequest
from tasks.model.incidents.incident import AlertType, Event, IncidentState, Outcome
from tasks.model.messages.messages import Message
from tasks.model.probes.probes import Fault
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.in_force import Held, InForce, Restriction
from tasks.model.remediation.remediation import ActionResult, IncidentUpdate, Recovery, RemediationResult
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.model.reports.report import TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.reports.run_names import (
    NAME_LIMIT_COUNT,
    acting_name,
    ended_name,
    found_name,
    found_tags,
    notifying_name,
    run_state,
)
from tests.fakes.incident.cases import planned
from tests.fakes.incident.observations import NOW, evidence, gateway, health, observation, process, slow_gateway, three

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


def test_a_run_says_its_cause_with_the_place_before_service_and_alert() -> None:
    """The list alone tells which run is the one to open."""
    story = asked(failing(), alert=AlertType.GATEWAY_UNREACHABLE)

    assert found_name(story) == "XNAS failing since 15:00Z: order-service, alert gateway_unreachable"


@pytest.mark.parametrize(
    ("story", "name"),
    [
        (healthy(), "healthy: order-service"),
        (healthy().having(incidents=IncidentUpdate(closed=(INCIDENT,))), "healthy again: order-service"),
        (asked(healthy(), seen=AlertSeen(name="OrdersFailing")), "healthy: order-service, alert OrdersFailing"),
        (hung().having(remediation=RECOVERED), "order-service hung since 15:00Z, recovered"),
    ],
)
def test_a_run_says_how_it_came_out(story: TriageStory, name: str) -> None:
    """Every run completes, however the service is: green says nothing, so the name must."""
    assert found_name(story) == name


def test_an_action_that_a_guard_forbade_is_told_with_the_guard() -> None:
    """Nobody thinks that the automation is at it while it keeps its hands off."""
    refused = RemediationResult(outcome=Outcome.REFUSED, code=GuardCode.MODE_FORBIDS, detail="mode observe")

    assert found_name(hung().having(remediation=refused)) == "order-service hung since 15:00Z, refused (MODE_FORBIDS)"
    assert ended_name("order-service: restart by ada", refused).endswith("by ada → refused (MODE_FORBIDS)")
    assert ended_name("order-service: restart by ada", RECOVERED) == "order-service: restart by ada → recovered"


def proven(story: TriageStory, held: tuple[Restriction, ...] = ()) -> TriageStory:
    """The same story after a restart that was proven; `held` is what was in force in the proof."""
    (finding,) = story.diagnosis.findings
    recovery = Recovery(outcome=Outcome.RECOVERED, detail="well", held=InForce(restrictions=held))
    done = ActionResult(
        planned=planned(found=finding), outcome=Outcome.DONE, detail="restarted", finished_at=NOW, recovery=recovery
    )
    return story.having(remediation=RemediationResult(outcome=Outcome.RECOVERED, detail="well", actions=(done,)))


def without_ledger(story: TriageStory) -> TriageStory:
    """The same story where the ledger cannot be read."""
    context = story.evidence.context.model_copy(update={"ledger_detail": "LEDGER_UNREADABLE"})
    return story.model_copy(update={"evidence": story.evidence.model_copy(update={"context": context})})


HALTED = Restriction(kind=Held.TRADING, name="equity", state="halted", set_by="triage", set_at=NOW)
BLIND = Diagnosis(status=Status.BLIND)


@pytest.mark.parametrize(
    ("story", "state"),
    [
        (healthy(), "Healthy"),
        (healthy().having(incidents=IncidentUpdate(closed=(INCIDENT,))), "Recovered"),
        (without_ledger(healthy()), "Degraded"),
        (healthy().model_copy(update={"diagnosis": BLIND}), "Blind"),
        (failing(), "Degraded"),
        (hung(), "Critical"),
        (hung().having(remediation=RECOVERED), "Critical"),
        (proven(hung()), "Recovered"),
        (proven(hung(), held=(HALTED,)), "Degraded"),
    ],
)
def test_a_run_ends_in_a_state_that_says_how_the_service_is(story: TriageStory, state: str) -> None:
    """Prefect's lists show the state: *Recovered* is only what an action of this run proved, with nothing held back."""
    assert run_state(story) == state


def test_runs_are_found_by_service_cause_and_incident() -> None:
    """One click on a tag shows every run of an incident."""
    story = hung().having(incidents=IncidentUpdate(opened=(INCIDENT,)))

    assert found_tags(story) == ("order-service", "service_hung", "INC-1")
    assert found_tags(healthy()) == ("order-service",)


def test_an_escalation_names_each_audience_once() -> None:
    """The page of a run shows who was notified, in order."""
    told = tuple(
        Message(key=f"{number}", incident_id="INC-1", audience=audience, text="x")
        for number, audience in enumerate((Audience.TIER_3, Audience.DESK, Audience.DESK))
    )

    assert notifying_name(SERVICE, told) == "order-service: notify tier_3, desk"
    assert notifying_name(SERVICE, ()) == "order-service: notify who is due"


def test_a_name_stays_short_whatever_is_in_it() -> None:
    """A list of runs is read at a glance."""
    assert len(ended_name("x" * 1000, RECOVERED)) <= NAME_LIMIT_COUNT


def test_a_run_that_may_not_restart_is_not_named_a_restart() -> None:
    """*restart service, Completed* in the list of runs read as done; the budget was spent and nothing was started."""
    spent = planned().model_copy(update={"verdict": Verdict.no(GuardCode.RESTART_BUDGET_SPENT, "2 of 2")})
    allowed = planned().model_copy(update={"verdict": Verdict.yes()})

    assert acting_name("order-service", (allowed,)) == "order-service: restart service"
    assert acting_name("order-service", (spent,)).endswith(": restart service forbidden (RESTART_BUDGET_SPENT)")
