"""Marking a gateway: seen in the service's own health, and never a way back for one that a person disabled."""

import pytest

from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.probes import DependencyStatus, Observation
from tasks.model.remediation.plan import PlannedAction, Target
from tasks.work.remediation.mark import marked
from tests.fakes.incident.action_contexts import changes_of, scene_at
from tests.fakes.incident.cases import planned, seen, unreachable
from tests.fakes.incident.observations import health
from tests.fakes.service.scripted import Asked, Script, replied

DONE = replied(200, {"persisted": True})


def mark() -> PlannedAction:
    """Mark XNAS, which is gone."""
    return planned(Action.MARK_DEGRADED, unreachable("XNAS"), Target(gateway="XNAS"))


def last_look(**told: str) -> Observation:
    """A last check in which the service says so of XNAS."""
    dependency = DependencyStatus.model_validate({"name": "XNAS", "status": "down", **told})
    return seen(health=health().model_copy(update={"dependencies": (dependency,)}))


def telling(answer: bytes = DONE, **told: str) -> Script:
    """Script a service that answers the mark, and then says so of XNAS."""

    def script(asked: Asked) -> bytes:
        document = {"status": "degraded", "release": "1.0.0", "dependencies": {"XNAS": {"status": "down", **told}}}
        return answer if asked.method == "PUT" else replied(200, document)

    return script


@pytest.mark.parametrize("told", [{"set_to": "disabled"}, {"status": "disabled"}], ids=str)
async def test_a_gateway_that_a_person_disabled_meanwhile_stays_disabled(told: dict[str, str]) -> None:
    """A degraded one takes orders again."""
    async with scene_at(telling(), mark(), last_look(**told)) as (context, asked):
        done = await marked(context)

    assert changes_of(asked) == []
    assert done.outcome is Outcome.DONE
    assert "disabled already" in done.detail


async def test_a_person_too_loosens_no_disabled_gateway_by_a_mark() -> None:
    """A mark tightens, whoever sets it; `resume` is the way back, under its own guards."""
    by_hand = mark().model_copy(update={"finding": None})
    async with scene_at(telling(set_to="degraded"), by_hand, last_look(set_to="disabled")) as (context, asked):
        await marked(context)

    assert changes_of(asked) == []


@pytest.mark.parametrize(("set_to", "outcome"), [("degraded", Outcome.DONE), ("enabled", Outcome.UNKNOWN)])
async def test_a_mark_whose_answer_never_came_is_done_only_where_it_shows(set_to: str, outcome: Outcome) -> None:
    """The gateway is down either way: its status says nothing of the mark."""
    async with scene_at(telling(b"", set_to=set_to), mark(), last_look()) as (context, _):
        done = await marked(context)

    assert done.outcome is outcome
