"""One line asserts what a triage saw, and says all of it where it fails."""

import pytest

from deployments.ci.triage_seen import TriageSeen
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Action
from tasks.model.messages.messages import Message
from tasks.model.probes.probes import Fault
from tasks.model.remediation.plan import Plan
from tasks.model.reports.report import Told, TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tests.fakes.incident import observations
from tests.fakes.incident.cases import planned

TEXT = "order-service has been down since 20:18:10Z."
EVIDENCE = observations.three(health=observations.health(Fault.REFUSED))
MESSAGE = Message(key="k", incident_id="INC-1", audience=Audience.TIER_1, text=TEXT)
STORY = TriageStory(
    evidence=EVIDENCE,
    diagnosis=name_cause(EVIDENCE),
    plan=Plan(written_at=observations.NOW, actions=(planned(Action.RESTART_SERVICE), planned(Action.PAUSE_STRATEGIES))),
    told=(Told(message=MESSAGE, arrived=True),),
)
SEEN = TriageSeen(STORY)
CAUSE = SEEN.causes[0]


def test_what_was_seen_is_asserted_in_one_line() -> None:
    """Cause, actions in order, and words of a message; what is left out is not asserted."""
    assert SEEN.shows(cause=CAUSE, plan=("restart service", "pause strategies"), says="has been down", never="hung")
    assert SEEN.shows(plan="pause strategies")


@pytest.mark.parametrize(
    "expected",
    [
        {"cause": "bad_release"},
        {"cause": ()},
        {"cause": (CAUSE, "bad_release")},
        {"plan": ("pause strategies", "restart service")},
        {"plan": ()},
        {"says": "hung"},
        {"says": ()},
        {"never": "down"},
    ],
)
def test_any_difference_fails_with_all_that_was_seen(expected: dict[str, str]) -> None:
    """Whoever reads the report of a CI sees what the automation thought, and need not run it again."""
    with pytest.raises(AssertionError) as failed:
        SEEN.shows(**expected)

    assert TEXT in str(failed.value)
    assert f"causes: {CAUSE}" in str(failed.value)


def test_a_quiet_triage_has_no_plan_and_no_message() -> None:
    """An empty expectation is an assertion: nobody was paged."""
    quiet = TriageSeen(TriageStory(evidence=observations.three(), diagnosis=name_cause(observations.three())))

    assert quiet.shows(cause=(), plan=(), says=())
