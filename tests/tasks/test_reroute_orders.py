"""Leading a class around a gateway: a test order first, and what that one came to decides."""

import json

import pytest

from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome
from tasks.model.remediation.plan import PlannedAction, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.work.remediation.reroute import rerouted
from tests.fakes.incident.action_contexts import changes_of, scene_at
from tests.fakes.incident.cases import planned, seen, unreachable
from tests.fakes.incident.observations import order
from tests.fakes.service.scripted import Asked, Script, refused, replied

ROUTE = "/control/routes/equity"
SMALL, BACK, ALL = (
    (ROUTE, {"gateway": "XNYS", "scope": "synthetic"}),
    (ROUTE, {"gateway": None, "scope": "synthetic"}),
    (ROUTE, {"gateway": "XNYS"}),
)
DONE = replied(200, {"persisted": True})
NOTHING = b""
# FX filled at the same alternate in the last check: proof of the gateway, and none of what it makes of equities.
FX_FILLED = seen(orders=(order(AssetClass.FX, OrderOutcome.EXECUTED, "XNYS"),))


def reroute() -> PlannedAction:
    """Lead equities to XNYS."""
    target = Target(asset_class=AssetClass.EQUITY, gateway="XNYS")
    return planned(Action.REROUTE_ORDERS, unreachable("XNAS"), target)


def filled(asked: Asked) -> bytes:
    """Fill a test order at the alternate."""
    sent = asked.fields
    execution = {"gateway": "XNYS", "exec_type": "trade", "ord_status": "filled", "last_qty": "1", "reject": None}
    told = {"client_order_id": sent["client_order_id"], "status": "filled", "gateway": "XNYS", "synthetic": True}
    return replied(201, {"order_id": "1", **told, "execution": execution})


def rejected(asked: Asked) -> bytes:
    """Reject it there: the venue does not list the symbol."""
    document = json.loads(filled(asked).split(b"\r\n\r\n", 1)[1])
    reject = {"code": "UNKNOWN_SYMBOL", "text": "not listed here"}
    execution = {**document["execution"], "exec_type": "rejected", "ord_status": "rejected", "reject": reject}
    return replied(201, {**document, "status": "rejected", "execution": execution})


def serving(trial: bytes = DONE, back: bytes = DONE, sent: Script = filled) -> Script:
    """Script a service that answers the trial, the way back, and the test order as told."""

    def script(asked: Asked) -> bytes:
        if asked.method == "POST":
            return sent(asked)
        if asked.method != "PUT":
            return replied(404, {})
        if asked.fields.get("scope") != "synthetic":
            return DONE
        return trial if asked.fields["gateway"] else back

    return script


async def test_all_orders_follow_a_test_order_that_filled() -> None:
    """Small first, then the rest."""
    async with scene_at(serving(), reroute()) as (context, asked):
        done = await rerouted(context)

    assert done.outcome is Outcome.DONE
    assert changes_of(asked) == [SMALL, ALL]


async def test_a_test_order_that_was_rejected_leads_nothing_there_whatever_another_class_does() -> None:
    """§2.2, if that is safe: the venue that fills FX has just said that it does not take this class."""
    async with scene_at(serving(sent=rejected), reroute(), FX_FILLED) as (context, asked):
        done = await rerouted(context)

    assert (done.outcome, done.code) == (Outcome.REFUSED, GuardCode.ALTERNATE_NOT_HEALTHY)
    assert changes_of(asked) == [SMALL, BACK]


async def test_a_test_order_that_filled_elsewhere_is_no_trial() -> None:
    """The service took the trial's route and did not follow it: what filled is where orders went before."""

    def at_the_old_one(asked: Asked) -> bytes:
        return replied(201, json.loads(filled(asked).split(b"\r\n\r\n", 1)[1].replace(b"XNYS", b"XNAS")))

    async with scene_at(serving(sent=at_the_old_one), reroute(), FX_FILLED) as (context, asked):
        done = await rerouted(context)

    assert done.outcome is Outcome.REFUSED
    assert changes_of(asked) == [SMALL, BACK]


async def test_where_no_trial_is_possible_a_fill_of_another_class_there_stands_in() -> None:
    """A service that knows no scope refuses the trial, and nothing was tried."""
    unscoped = refused(422, "INVALID_REQUEST", "no scope here")
    async with scene_at(serving(trial=unscoped), reroute(), FX_FILLED) as (context, asked):
        led = await rerouted(context)
    async with scene_at(serving(trial=unscoped), reroute()) as (context, unproven):
        left = await rerouted(context)

    assert led.outcome is Outcome.DONE
    assert changes_of(asked)[-1] == ALL
    assert (left.outcome, left.code) == (Outcome.REFUSED, GuardCode.ALTERNATE_NOT_HEALTHY)
    assert ALL not in changes_of(unproven)


@pytest.mark.parametrize(("back", "outcome"), [(DONE, Outcome.REFUSED), (NOTHING, Outcome.UNKNOWN)])
async def test_a_trial_without_an_answer_is_taken_back_and_where_that_is_not_known_a_person_looks(
    back: bytes, outcome: Outcome
) -> None:
    """Test orders that go elsewhere than real ones fill, and hide that the real ones do not."""
    async with scene_at(serving(trial=NOTHING, back=back), reroute(), FX_FILLED) as (context, asked):
        done = await rerouted(context)

    assert done.outcome is outcome
    assert changes_of(asked) == [SMALL, BACK]


async def test_a_failed_trial_that_cannot_be_taken_back_is_not_known() -> None:
    """The same, after the answer."""
    async with scene_at(serving(back=NOTHING, sent=rejected), reroute()) as (context, _):
        done = await rerouted(context)

    assert done.outcome is Outcome.UNKNOWN
    assert "test orders of equity may go elsewhere" in done.detail
