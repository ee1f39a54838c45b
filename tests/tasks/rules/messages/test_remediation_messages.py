"""The words about what was done, what was not, and what it came to."""

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Status
from tasks.model.incidents.escalation import PageWords
from tasks.model.incidents.incident import Action, IncidentState, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome
from tasks.model.remediation.plan import Plan, PlannedAction, Target
from tasks.model.remediation.remediation import ActionResult, IncidentUpdate, Recovery, RemediationResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.report import TriageStory
from tasks.rules.messages.outcome import remediation_messages
from tasks.rules.messages.recovered import recovery_messages
from tests.fakes.incident.cases import INCIDENT, finding, planned, unreachable
from tests.fakes.incident.observations import NOW, evidence, observation, order


def ended(
    one: PlannedAction, outcome: Outcome, code: GuardCode | None = None, recovery: Outcome | None = None
) -> ActionResult:
    """One action that ended so."""
    proof = Recovery(outcome=recovery, detail="proof") if recovery else None
    return ActionResult(planned=one, outcome=outcome, code=code, detail="detail", recovery=proof)


def story(*results: ActionResult, code: GuardCode | None = None, restarts_before: int = 0) -> TriageStory:
    """A story whose remediation ended so."""
    incident = IncidentState(
        incident_id=INCIDENT, service="order-service", state="opened", opened_at=NOW, causes=(Cause.SERVICE_HUNG,)
    )
    return TriageStory(
        evidence=evidence(observation()),
        diagnosis=Diagnosis(status=Status.CRITICAL, findings=(finding(),)),
        incidents=IncidentUpdate(opened=(incident,)),
        remediation=RemediationResult(
            outcome=Outcome.DONE,
            detail="",
            code=code,
            plan=Plan(written_at=NOW, restarts_before_count=restarts_before),
            actions=results,
        ),
    )


def test_automation_at_its_end_goes_to_the_developer_lead() -> None:
    """A spent budget is a verdict, and it escalates."""
    refused = ended(planned(), Outcome.REFUSED, GuardCode.RESTART_BUDGET_SPENT)

    told = remediation_messages(story(refused))

    assert [one.audience for one in told].count(Audience.TIER_2) == 1, "told once, not by its code and in words"
    assert not any("RESTART_BUDGET_SPENT" in one.text for one in told)


def test_everybody_reads_in_words_that_no_further_restart_will_come() -> None:
    """A service that is down and is left down: who reads a code alone waits for a restart that never comes."""
    refused = ended(planned(), Outcome.REFUSED, GuardCode.RESTART_BUDGET_SPENT)

    told = {one.audience: one.text for one in remediation_messages(story(refused)) if "hands-off" in one.key}

    for tier in (Audience.TIER_1, Audience.TIER_2):
        assert "NO FURTHER RESTART WILL COME. Find the cause, start it by hand" in told[tier]
        assert "`runbook rearm --reason …`" in told[tier]
    shown = told[Audience.TIER_1][:80]
    assert shown.startswith("order-service has been hung since 15:00:00Z. NO FURTHER RESTART WILL COME."), "on a phone"
    assert told[Audience.TIER_2].startswith("Incident: order-routing health checks failing since ")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause.SERVICE_DOWN, "order-service has been down since 15:00:00Z and will not be restarted automatically."),
        (Cause.SERVICE_HUNG, "order-service has been hung since 15:00:00Z and will not be restarted automatically."),
        (
            Cause.RESOURCE_EXHAUSTED,
            "order-service has been short of a resource since 15:00:00Z and will not be restarted",
        ),
    ],
)
def test_the_desk_reads_a_sentence_of_a_service_that_is_left_down(cause: Cause, words: str) -> None:
    """A trader read *order-service is service down*."""
    refused = ended(planned(found=finding(cause)), Outcome.REFUSED, GuardCode.RESTART_BUDGET_SPENT)
    seen = evidence(observation(orders=(order(outcome=OrderOutcome.TIMED_OUT),)))
    silent = story(refused).model_copy(update={"evidence": seen})

    (desk,) = (one.text for one in remediation_messages(silent) if one.audience is Audience.DESK)

    assert desk.startswith("Equity is not trading. ")
    assert words in desk


@pytest.mark.parametrize("action", [Action.RESTART_SERVICE, Action.PAUSE_STRATEGIES, Action.REROUTE_ORDERS])
def test_an_unknown_outcome_is_to_be_verified_and_is_never_called_a_failure(action: Action) -> None:
    """A person who reads *did not help* does it again; nobody knows whether it was done."""
    told = remediation_messages(
        story(ended(planned(action, target=Target(asset_class=AssetClass.FX)), Outcome.UNKNOWN))
    )

    assert "outcome unknown: verify by hand" in told[0].text
    assert not any("did not help" in one.text or "(unknown)" in one.text for one in told)


def test_a_restart_that_did_not_help_goes_to_the_developer_lead_in_the_runbooks_words() -> None:
    """Rule 10: ineffective escalates."""
    (message,) = remediation_messages(story(ended(planned(), Outcome.DONE, recovery=Outcome.NOT_RECOVERED)))

    assert message.audience is Audience.TIER_2
    assert message.text.startswith("Incident: order-routing health checks failing since")


def test_a_restart_that_helped_informs_the_on_call() -> None:
    """Healed by itself: tier 1 is informed, nobody else is woken."""
    (message,) = remediation_messages(story(ended(planned(), Outcome.DONE, recovery=Outcome.RECOVERED)))

    assert message.audience is Audience.TIER_1
    assert message.text.startswith("order-service recovered after restart service: proof.")


@pytest.mark.parametrize(
    ("cause", "restarts_before"), [(Cause.RESOURCE_EXHAUSTED, 0), (Cause.SERVICE_HUNG, 1)], ids=["it leaks", "again"]
)
def test_the_developers_hear_of_what_a_restart_does_not_mend(cause: Cause, restarts_before: int) -> None:
    """A leak comes back, and so does a hang that came back already: the on-call alone would only restart again."""
    helped = ended(planned(found=finding(cause)), Outcome.DONE, recovery=Outcome.RECOVERED)

    on_call, developers = remediation_messages(story(helped, restarts_before=restarts_before))

    assert on_call.audience is Audience.TIER_1
    assert developers.audience is Audience.TIER_2
    first, then, *_ = developers.text.splitlines()
    assert first.startswith("order-service was restarted and recovered. Find the cause: "), "it is not failing any more"
    assert then.startswith("Before the restart: Incident: order-routing health checks failing since ")


def test_who_read_that_a_restart_helped_reads_no_second_end_of_the_incident() -> None:
    """Two messages of one second about one end are one too many."""
    key = f"{INCIDENT}/tier_2/cause-left"
    closed = story().incidents.opened[0].model_copy(update={"closed_at": NOW, "state": "closed", "told": (key,)})

    told = recovery_messages(closed, PageWords(mode=Mode.ACT), NOW)

    assert [one.audience for one in told] == [Audience.TIER_1]


def test_the_desk_hears_in_its_own_words_what_is_paused() -> None:
    """A trader needs to know that cancels work, not which guard allowed what."""
    target = Target(asset_class=AssetClass.FX, trading_state=TradingState.HALTED)
    pause = planned(Action.PAUSE_STRATEGIES, unreachable("FXALL"), target)

    messages = remediation_messages(story(ended(pause, Outcome.DONE)))

    (desk,) = [one for one in messages if one.audience is Audience.DESK]
    assert desk.text == "Fx trading is halted. Cancels still go through. It stays halted until someone resumes it."


def test_who_does_not_hold_the_lock_tells_nothing() -> None:
    """Safety rule 3: who holds it acts, and tells of it."""
    assert remediation_messages(story(code=GuardCode.LOCK_HELD)) == ()
