"""When the automation can do no more, so that tier 2 is paged at once."""

import pytest

from tasks.model.incidents.incident import Action, ActionRecord, IncidentState, Outcome
from tasks.rules.escalation.timers import at_its_end
from tests.fakes.incident.cases import done_before
from tests.fakes.incident.observations import NOW


def incident(*actions: ActionRecord) -> IncidentState:
    """An open incident with what was done for it."""
    return IncidentState(incident_id="INC-1", service="s", state="opened", opened_at=NOW, actions=actions)


@pytest.mark.parametrize(
    ("outcome", "ended"),
    [
        (Outcome.RECOVERED, False),
        (Outcome.NOT_RECOVERED, True),
        (Outcome.UNKNOWN, True),
        (Outcome.DONE, False),
        (Outcome.REFUSED, False),
        (None, True),
    ],
)
def test_what_did_not_help_or_has_no_end_is_the_end_of_the_automation(outcome: Outcome | None, ended: bool) -> None:
    """Nobody waits five minutes for a page while nothing more will be tried."""
    done = done_before(1, outcome)

    assert at_its_end(incident(done), acting=False) is ended
    assert not at_its_end(incident(done), acting=True)
    assert not at_its_end(incident(done.model_copy(update={"settled": True})), acting=False)


def test_the_last_word_counts() -> None:
    """A restart that helped after one that did not is no end; a pause that was done says nothing of either."""
    bad, good = done_before(2, Outcome.NOT_RECOVERED), done_before(1, Outcome.RECOVERED)
    pause = done_before(0.5, Outcome.DONE, Action.PAUSE_STRATEGIES)

    assert not at_its_end(incident(), acting=False)
    assert not at_its_end(incident(bad, good), acting=False)
    assert at_its_end(incident(good, bad), acting=False)
    assert at_its_end(incident(bad, pause), acting=False)
