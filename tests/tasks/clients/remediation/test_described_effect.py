"""A change at a service of another make: done where it is proven, else said to be sent and not proven."""

import pytest

import tasks.work.remediation.restart as module
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.work.remediation.execute import ActionContext, ActionOutcome
from tasks.work.remediation.pause import paused
from tasks.work.remediation.restart import restarted
from tests.fakes.incident.action_contexts import scene_at
from tests.fakes.incident.cases import finding, planned
from tests.fakes.service.scripted import Asked, replied

PAUSE = planned(Action.PAUSE_STRATEGIES, target=Target(asset_class=AssetClass.EQUITY))
LEAKS = planned(found=finding(Cause.RESOURCE_EXHAUSTED))
HUNG = planned(found=finding(Cause.SERVICE_HUNG))
DRAIN = {"drain": {"path": "/drain", "proven_when": "draining"}}


def described(context: ActionContext, table: dict[str, object]) -> ActionContext:
    """The same context, at a service whose control is described."""
    whole = context.service.model_dump(exclude={"control"}) | {"control": table}
    return context._replace(service=type(context.service).model_validate(whole))


@pytest.mark.parametrize(
    ("proof", "outcome"), [({}, Outcome.UNKNOWN), ({"proven_when": "state == '${state}'"}, Outcome.DONE)]
)
async def test_a_pause_that_is_not_proven_is_never_called_done(proof: dict[str, str], outcome: Outcome) -> None:
    """The desk reads *sent, not proven*, and checks."""
    table = {"pause": {"path": "/halt/${asset_class}", **proof}}

    async with scene_at(lambda _: replied(200, {"state": "halted"}), PAUSE) as (context, _):
        done = await paused(described(context, table))

    assert done.outcome is outcome
    assert ("sent, not proven" in done.detail) is (outcome is Outcome.UNKNOWN)


async def drained(monkeypatch: pytest.MonkeyPatch, plan: object, end: ActionOutcome) -> tuple[ActionOutcome, list[str]]:
    """Restart a service whose drain is described; its process ends as the test says."""

    def replaced(*_: object) -> ActionOutcome:
        return end

    def script(asked: Asked) -> bytes:
        return replied(200, {"draining": asked.path == "/drain"})

    monkeypatch.setattr(module, "replaced", replaced)
    async with scene_at(script, plan) as (context, asked):  # type: ignore[arg-type]
        done = await restarted(described(context, DRAIN))
    return done, [one.path for one in asked if one.method == "POST"]


STARTED = ActionOutcome(outcome=Outcome.DONE, detail="started")
REFUSED = ActionOutcome(outcome=Outcome.REFUSED, detail="not ours", code=GuardCode.NOT_AVAILABLE)


async def test_a_service_is_drained_before_its_process_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders end in it, and none is begun."""
    done, asked = await drained(monkeypatch, LEAKS, STARTED)

    assert (done.outcome, done.detail, asked) == (Outcome.DONE, "drained; started", ["/drain"])


async def test_a_hung_service_is_not_drained(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would only be waited for."""
    assert await drained(monkeypatch, HUNG, STARTED) == (STARTED, [])


async def test_a_service_that_was_drained_and_then_not_stopped_goes_to_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing was stopped, but it may take no orders any more: that is not *refused*."""
    done, _ = await drained(monkeypatch, LEAKS, REFUSED)

    assert done.outcome is Outcome.UNKNOWN
    assert "not stopped" in done.detail
