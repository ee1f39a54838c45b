"""A test session at one venue: what concerns it alone is held, what does not goes on; nobody reads *healthy*."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Finding, Status
from tasks.model.incidents.incident import Action, IncidentState, Outcome
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.model.remediation.plan import Plan, Request, Target
from tasks.model.remediation.remediation import ActionResult, IncidentUpdate, RemediationResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.report import TriageStory
from tasks.rules.diagnosis.causes.unexplained import unknown
from tasks.rules.in_force.headline import headline
from tasks.rules.incidents.planned_windows import is_planned
from tasks.rules.messages.opening import opening_messages
from tasks.rules.messages.outcome import remediation_messages
from tasks.rules.remediation.guards.evaluate import evaluate
from tasks.rules.reports.lines import report_lines
from tests.fakes.incident.cases import INCIDENT, finding, inputs, planned, unreachable
from tests.fakes.incident.observations import NOW, gateway, metrics, observation, order
from tests.fakes.incident.past import with_past

EQUITY, FUTURE = AssetClass.EQUITY, AssetClass.FUTURE
SESSION = Maintenance(
    started_at=NOW,
    until=NOW + timedelta(minutes=30),
    name="test session",
    reason="planned test session: XNAS rejects everything",
    by="runbook.toml",
    gateways=("XNAS",),
)
CLASS_WORK = SESSION.model_copy(update={"gateways": (), "asset_classes": (EQUITY,)})
XNAS, BOTH = unreachable("XNAS"), unreachable("XCME", "XNAS", classes=(EQUITY, FUTURE))


def story(found: Finding, *done: ActionResult) -> TriageStory:
    """A triage in the test session, with one incident."""
    incident = IncidentState.model_validate(
        {
            "incident_id": INCIDENT,
            "service": "order-service",
            "state": "opened",
            "opened_at": NOW,
            "causes": (found.cause,),
            "tier": found.tier,
            "gateways": found.gateways,
        }
    )
    return TriageStory(
        evidence=with_past((observation(),), planned=(SESSION,)),
        diagnosis=Diagnosis(status=Status.CRITICAL, findings=(found,)),
        incidents=IncidentUpdate(opened=(incident,)),
        remediation=RemediationResult(outcome=Outcome.REFUSED, detail="", plan=Plan(written_at=NOW), actions=done),
    )


def refused(found: Finding, gateway: str) -> ActionResult:
    """A mark that the guard forbade."""
    mark = planned(Action.MARK_DEGRADED, found, Target(gateway=gateway))
    return ActionResult(planned=mark, outcome=Outcome.REFUSED, code=GuardCode.MAINTENANCE, detail="planned")


def test_what_the_venue_does_in_its_session_pages_nobody() -> None:
    """It is what was planned, down to the reject."""
    assert opening_messages(story(XNAS)) == ()
    assert remediation_messages(story(XNAS, refused(XNAS, "XNAS"))) == ()


@pytest.mark.parametrize("found", [BOTH, unreachable("XCME"), finding(Cause.SERVICE_HUNG)])
def test_what_happens_beside_the_session_is_paged_as_always(found: Finding) -> None:
    """A venue that does not test is down: somebody is to come, session or not."""
    told = opening_messages(story(found))

    assert [one.audience for one in told if one.key.endswith("/opened")] == [found.tier]
    assert remediation_messages(story(found, refused(found, "XCME"))) != ()


def test_orders_without_a_proven_outcome_are_paged_in_a_session_too() -> None:
    """The service counts them, and does not say at which venue they are: money may be at risk."""
    counted = metrics().model_copy(update={"orders_unknown_count": 3.0})
    one = story(finding(Cause.GATEWAY_FAILING, gateways=("XNAS",), tier=Audience.TIER_2))
    seen = with_past((observation(metrics=counted),), planned=(SESSION,))

    (risk,) = opening_messages(one.model_copy(update={"evidence": seen}))
    assert (risk.audience, risk.key.split("/", 2)[2]) == (Audience.TIER_3, "orders-at-risk")


def test_an_action_that_was_done_is_reported_whatever_is_planned() -> None:
    """What a person ordered in the session is known to everybody."""
    done = refused(XNAS, "XNAS").model_copy(update={"outcome": Outcome.DONE, "code": None})

    assert [one.audience for one in remediation_messages(story(XNAS, done))] != []


@pytest.mark.parametrize(
    ("action", "target", "found", "window"),
    [
        (Action.MARK_DEGRADED, Target(gateway="XNAS"), XNAS, SESSION),
        (Action.MARK_DEGRADED, Target(gateway="XNAS"), BOTH, SESSION),
        (Action.PAUSE_STRATEGIES, Target(asset_class=EQUITY), BOTH, SESSION),
        (Action.PAUSE_STRATEGIES, Target(asset_class=EQUITY), BOTH, CLASS_WORK),
        (Action.REROUTE_ORDERS, Target(asset_class=FUTURE, gateway="XNAS"), BOTH, SESSION),
    ],
)
def test_nothing_is_done_to_what_planned_work_concerns(
    action: Action, target: Target, found: Finding, window: Maintenance
) -> None:
    """Nor are orders sent to a venue that tests; a person may do all of it."""
    one = planned(action, found, target)
    verdict = evaluate(one, inputs(found=(found,), planned=(window,)))

    assert verdict.code is GuardCode.MAINTENANCE
    asked = inputs(found=(found,), planned=(window,), asked=Request(by="kim", reason="venue called"))
    assert evaluate(one, asked).code is not GuardCode.MAINTENANCE


def test_the_refusal_says_what_is_planned_and_until_when() -> None:
    """The report and `runbook plan` show it."""
    verdict = evaluate(planned(Action.MARK_DEGRADED, XNAS, Target(gateway="XNAS")), inputs(planned=(SESSION,)))

    assert verdict.detail == "XNAS: planned test session until 15:30Z"


@pytest.mark.parametrize(
    ("action", "target", "found"),
    [
        (Action.RESTART_SERVICE, Target(), finding()),
        (Action.MARK_DEGRADED, Target(gateway="XCME"), BOTH),
        (Action.PAUSE_STRATEGIES, Target(asset_class=FUTURE), BOTH),
    ],
)
def test_everything_else_is_acted_on_as_always(action: Action, target: Target, found: Finding) -> None:
    """A hang in a test session is a hang."""
    assert evaluate(planned(action, found, target), inputs(found=(found,), planned=(SESSION,))).allowed


@pytest.mark.parametrize(
    ("diagnosis", "first"),
    [
        (Diagnosis(status=Status.OK), "order-service is "),
        (Diagnosis(status=Status.DEGRADED, findings=(XNAS,)), "XNAS has been unreachable since 15:00:00Z (planned)."),
        (
            Diagnosis(status=Status.CRITICAL, findings=(finding(),)),
            "order-service has been hung since 15:00:00Z.",
        ),
    ],
)
def test_the_headline_names_the_session_and_hides_no_fault(diagnosis: Diagnosis, first: str) -> None:
    """A failure is a failure in a session, too; who reads it knows what is going on."""
    line = headline("order-service", diagnosis, with_past((observation(),), planned=(SESSION,)))

    assert line.startswith(first)
    assert "XNAS: planned test session until 15:30Z." in line


def test_the_report_says_what_is_expected() -> None:
    """Whoever compares it with what is seen knows whether it is only the session."""
    line = next(one for one in report_lines(story(XNAS)) if one.step == "Alert, start, mode")

    assert "XNAS: planned test session: XNAS rejects everything, until 2026-11-23T15:30:00.000Z" in line.evidence


@pytest.mark.parametrize(
    ("wrong", "is_held"),
    [
        ({"gateways": (gateway("XNAS", Seen.FAILED),)}, True),
        ({"gateways": (gateway("XNAS", Seen.FAILED), gateway("XCME", Seen.FAILED))}, False),
        (
            {"gateways": (gateway("XNAS", Seen.FAILED),), "orders": (order(EQUITY, OrderOutcome.TIMED_OUT, None),)},
            False,
        ),
        ({"gateways": (gateway("XNAS", Seen.FAILED),), "metrics": metrics(Seen.FAILED)}, False),
    ],
)
def test_what_no_rule_names_is_planned_only_where_all_of_it_is_at_the_venue(
    wrong: dict[str, object], is_held: bool
) -> None:
    """A symptom that names no venue is explained by no session."""
    seen = observation(**wrong)
    found = unknown(with_past((seen,), planned=(SESSION,)))
    today = unknown(with_past((seen,)))

    assert found is not None
    assert today is not None
    assert is_planned(found, (SESSION,)) is is_held
    assert (today.gateways, today.asset_classes) == ((), ())
