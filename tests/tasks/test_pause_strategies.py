"""The automation's pause tightens, and never loosens what a person set."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Kind
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.plan import PlannedAction, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.work.remediation.pause import paused
from tests.fakes.incident.action_contexts import changes_of, scene_at
from tests.fakes.incident.cases import finding, planned
from tests.fakes.service.scripted import Asked, Script, replied

SLOW = finding(Cause.GATEWAY_FAILING, gateways=("XNAS",), asset_classes=(AssetClass.EQUITY,), kinds=(Kind.LATENCY,))
REDUCED = [("/control/trading/equity", {"state": "reducing"})]


def pause(state: TradingState = TradingState.REDUCING) -> PlannedAction:
    """Take no new risk in equities, because their gateway is slow."""
    return planned(Action.PAUSE_STRATEGIES, SLOW, Target(asset_class=AssetClass.EQUITY, trading_state=state))


def standing(state: str | None, status: int = 200) -> Script:
    """Script a service whose equities stand so."""
    route = {"gateway": "XNAS", "alternates": [], "trading_state": state, "set_by": "jane"}

    def script(asked: Asked) -> bytes:
        return (
            replied(200, {"persisted": True})
            if asked.method == "PUT"
            else replied(status, {"asset_classes": {"equity": route}})
        )

    return script


async def test_a_class_that_trades_is_reduced() -> None:
    """The remedy of a slow gateway."""
    async with scene_at(standing("active"), pause()) as (context, asked):
        await paused(context)

    assert changes_of(asked) == REDUCED


@pytest.mark.parametrize("state", ["halted", "reducing"])
async def test_a_class_that_a_person_paused_meanwhile_stays_as_it_is(state: str) -> None:
    """To reduce what is halted would let new orders out."""
    async with scene_at(standing(state), pause()) as (context, asked):
        done = await paused(context)

    assert changes_of(asked) == []
    assert done.outcome is Outcome.DONE
    assert f"equity is {state} already by jane" in done.detail


async def test_a_class_of_which_nobody_can_say_how_it_stands_is_not_reduced() -> None:
    """Rule 2; the next triage halts it."""
    async with scene_at(standing("active", status=500), pause()) as (context, asked):
        done = await paused(context)

    assert changes_of(asked) == []
    assert (done.outcome, done.code) == (Outcome.REFUSED, GuardCode.BLIND)


async def test_a_halt_waits_for_no_look() -> None:
    """Rule 8: nothing is stricter than a halt."""
    async with scene_at(standing("active", status=500), pause(TradingState.HALTED)) as (context, halted):
        await paused(context)

    assert changes_of(halted) == [("/control/trading/equity", {"state": "halted"})]


async def test_a_person_reduces_what_trades_and_loosens_no_halt_by_a_pause() -> None:
    """A click of two hours ago must not turn the halt of now into something looser; `resume` is the way back."""
    by_hand = pause().model_copy(update={"finding": None})
    async with scene_at(standing("active"), by_hand) as (context, tightened):
        await paused(context)
    async with scene_at(standing("halted"), by_hand) as (context, loosened):
        done = await paused(context)

    assert changes_of(tightened) == REDUCED
    assert changes_of(loosened) == []
    assert "equity is halted already by jane" in done.detail
