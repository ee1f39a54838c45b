"""What an action does to what is in force decides its guards: every state against every other, known and unknown."""

import itertools

import pytest

from tasks.model.incidents.incident import TIGHTENERS, Action
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import GatewayState, TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, Fault, Observation, OrderOutcome, Seen
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.in_force import Held, Restriction
from tasks.model.remediation.plan import PlannedAction, Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.remediation.guards.effect import (
    GATEWAY,
    TRADING,
    Effect,
    change_of,
    effect_of,
    leads_back,
    mark_in_force,
)
from tasks.rules.remediation.guards.evaluate import evaluate
from tests.fakes.incident.cases import inputs, planned, routing, seen
from tests.fakes.incident.observations import health
from tests.fakes.incident.observations import order as order_probe

EQUITY = AssetClass.EQUITY
ASKED = Request(by="kim", reason="two hours ago")
# Two hours late, in mode observe, beside another run: everything that a person's tightening passes.
LATE = {"asked": ASKED, "late_s": 7200.0, "mode": Mode.OBSERVE, "acting": "flow_run=another"}


def standing(state: str | None) -> Observation:
    """A service whose classes stand so."""
    routes = (one.model_copy(update={"trading_state": state, "set_by": "desk"}) for one in routing().routes)
    return seen(routing=routing(routes=tuple(routes)))


def marked(set_to: str | None, status: str = "ok") -> Observation:
    """A service that says so of XNAS."""
    told = DependencyStatus(name="XNAS", status=status, set_to=set_to)
    return seen(health=health().model_copy(update={"dependencies": (told,)}))


def order(action: Action, **target: object) -> PlannedAction:
    """A person's order."""
    return planned(action, target=Target.model_validate(target)).model_copy(update={"finding": None})


def pause(state: TradingState) -> PlannedAction:
    """A person's pause of equities."""
    return order(Action.PAUSE_STRATEGIES, asset_class=EQUITY, trading_state=state)


@pytest.mark.parametrize(("was", "wanted"), list(itertools.product(TradingState, TradingState)))
def test_a_change_of_trading_tightens_or_loosens_by_the_order_of_the_states(
    was: TradingState, wanted: TradingState
) -> None:
    """Active, reducing, halted: whatever the action is called."""
    stricter = {TradingState.ACTIVE: 0, TradingState.REDUCING: 1, TradingState.HALTED: 2}
    steps = stricter[wanted] - stricter[was]
    expected = Effect.TIGHTENS if steps > 0 or wanted is TradingState.HALTED else Effect.LOOSENS
    expected = Effect.NEUTRAL if steps == 0 and wanted is not TradingState.HALTED else expected

    assert effect_of(pause(wanted), standing(was)) is expected


def test_what_is_only_listed_as_set_is_in_force_all_the_same() -> None:
    """A service whose routes name no trading state lists who halted what: *reducing* would let orders through."""
    halt = Restriction(kind=Held.TRADING, name="equity", state="halted", set_by="kim")
    mark = Restriction(kind=Held.GATEWAY, name="XNAS", state="disabled", set_by="kim")
    routes = tuple(one.model_copy(update={"trading_state": None}) for one in routing().routes)
    listed = seen(routing=routing(routes=routes, restrictions=(halt, mark)))

    assert effect_of(pause(TradingState.REDUCING), listed) is Effect.LOOSENS
    assert effect_of(pause(TradingState.HALTED), listed) is Effect.TIGHTENS
    assert effect_of(order(Action.MARK_DEGRADED, gateway="XNAS"), listed) is Effect.LOOSENS
    refused = evaluate(pause(TradingState.REDUCING), inputs(seen=listed, **LATE))
    assert refused.code is GuardCode.WOULD_LOOSEN
    assert "in force: equity is halted by kim;" in refused.detail


def test_a_mark_that_only_the_routing_lists_is_in_force_although_health_says_nothing_of_it() -> None:
    """Health that leaves the mark out does not make a disabled gateway an enabled one."""
    mark = Restriction(kind=Held.GATEWAY, name="XNAS", state="disabled", set_by="kim")
    listed = marked(None).model_copy(update={"routing": routing(restrictions=(mark,))})
    refused = evaluate(order(Action.MARK_DEGRADED, gateway="XNAS"), inputs(seen=listed, **LATE))

    assert mark_in_force(listed, "XNAS") == GatewayState.DISABLED
    assert refused.code is GuardCode.WOULD_LOOSEN
    assert "in force: gateway XNAS is disabled;" in refused.detail


def test_a_class_that_only_its_test_order_shows_as_halted_is_named_as_such() -> None:
    """A service without a routing table denies the order; the refusal must say what would be loosened."""
    denied = order_probe(outcome=OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})
    silent = seen(routing=routing(seen=Seen.NOT_CONFIGURED, routes=()), orders=(denied,))

    assert "in force: equity is halted;" in evaluate(pause(TradingState.REDUCING), inputs(seen=silent, **LATE)).detail


@pytest.mark.parametrize("also", [{}, {"asset_class": EQUITY}])
def test_a_strategy_is_paused_whatever_its_class_stands_at_and_whoever_can_read_it(also: dict[str, object]) -> None:
    """A strategy has no state between trading and halted: to stop it is never less than what is in force."""
    reduced = order(Action.PAUSE_STRATEGIES, strategy="alpha", trading_state=TradingState.REDUCING, **also)

    assert effect_of(reduced, seen(routing=None)) is Effect.TIGHTENS
    assert effect_of(reduced, standing("halted")) is Effect.TIGHTENS


@pytest.mark.parametrize("order_", [TRADING, GATEWAY])
def test_a_state_on_no_list_may_be_stricter_than_any(order_: tuple[str, ...]) -> None:
    """A foreign service's *suspended* must not be reduced to something looser; the strictest is never looser."""
    for was in (None, "suspended", ""):
        assert [change_of(order_, was, wanted) for wanted in order_] == [
            Effect.UNKNOWN,
            Effect.UNKNOWN,
            Effect.TIGHTENS,
        ]


def test_a_late_pause_that_would_loosen_a_halt_is_refused_and_one_that_tightens_is_not() -> None:
    """The desk's halt of now stays, whatever was clicked two hours ago."""
    halted, trades = inputs(**LATE, seen=standing("halted")), inputs(**LATE, seen=standing("active"))

    refused = evaluate(pause(TradingState.REDUCING), halted)

    assert refused.code is GuardCode.WOULD_LOOSEN
    assert "equity is halted by desk" in refused.detail
    assert evaluate(pause(TradingState.REDUCING), trades).allowed
    assert evaluate(pause(TradingState.REDUCING), inputs(**LATE, seen=standing("reducing"))).allowed
    assert evaluate(pause(TradingState.HALTED), halted).allowed


@pytest.mark.parametrize("blind", [None, routing(seen=Seen.FAILED, routes=()), routing(seen=Seen.BLIND, routes=())])
def test_a_halt_needs_no_look_and_a_reduction_is_never_blind(blind: object) -> None:
    """Nobody can say whether *reducing* tightens what could not be read."""
    unread = inputs(**LATE, seen=seen(routing=blind))

    assert evaluate(pause(TradingState.HALTED), unread).allowed
    assert evaluate(pause(TradingState.REDUCING), unread).code is GuardCode.BLIND


def test_a_service_that_never_says_how_its_classes_stand_can_be_reduced() -> None:
    """It is believed to hold nothing back: it has no way to say so."""
    silent = seen(routing=routing(seen=Seen.NOT_CONFIGURED, routes=()))

    assert evaluate(pause(TradingState.REDUCING), inputs(**LATE, seen=silent)).allowed
    assert evaluate(pause(TradingState.REDUCING), inputs(**LATE, seen=standing(None))).allowed


@pytest.mark.parametrize(
    ("now", "effect"),
    [
        (marked(None), Effect.TIGHTENS),
        (marked("enabled"), Effect.TIGHTENS),
        (marked("degraded"), Effect.NEUTRAL),
        (marked("disabled"), Effect.LOOSENS),
        (marked(None, status="disabled"), Effect.LOOSENS),
        (marked("quarantined"), Effect.UNKNOWN),
        (seen(), Effect.TIGHTENS),
        (seen(health=health(Fault.TIMED_OUT)), Effect.UNKNOWN),
    ],
)
def test_a_mark_tightens_unless_the_gateway_is_disabled_or_nobody_can_say(now: Observation, effect: Effect) -> None:
    """Degraded takes orders; disabled takes none."""
    mark = order(Action.MARK_DEGRADED, gateway="XNAS")
    code = {Effect.LOOSENS: GuardCode.WOULD_LOOSEN, Effect.UNKNOWN: GuardCode.BLIND}.get(effect, GuardCode.ALLOWED)

    assert effect_of(mark, now) is effect
    assert evaluate(mark, inputs(**LATE, seen=now)).code is code


def test_a_mark_that_nobody_set_is_none() -> None:
    """A gateway that is down by itself can still be marked."""
    assert mark_in_force(marked(None, status="down"), "XNAS") == GatewayState.ENABLED
    assert mark_in_force(marked("degraded"), "XNYS") == GatewayState.ENABLED


@pytest.mark.parametrize("action", sorted(TIGHTENERS))
def test_what_a_person_tightens_passes_late_in_mode_observe_and_beside_another_run(action: Action) -> None:
    """Rule 8 by its effect, not by its name; only a missing control plane keeps it off."""
    target = {"gateway": "XNAS", "feature": "f"} if action is not Action.PAUSE_STRATEGIES else {"strategy": "alpha"}

    assert effect_of(order(action, **target), seen()) is Effect.TIGHTENS
    assert evaluate(order(action, **target), inputs(**LATE)).allowed
    off = inputs(**LATE, capabilities=Capabilities(cannot_control="no token"))
    assert evaluate(order(action, **target), off).code is GuardCode.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("to", "now_at", "back"),
    [("XNAS", "XNYS", True), (None, "XNYS", True), ("XNYS", "XNAS", False), ("XNAS", "XNAS", False)],
)
def test_a_re_route_loosens_only_where_it_takes_an_earlier_one_back(to: str | None, now_at: str, back: bool) -> None:
    """What was led around a sick gateway goes to it again: that is a person's word, with every guard."""
    route = next(one for one in routing().routes if one.asset_class == EQUITY)
    led = seen(routing=routing(routes=(route.model_copy(update={"gateway": now_at}),)))
    target = Target(asset_class=EQUITY, gateway=to)

    assert leads_back(target, led) is back
    expected = Effect.LOOSENS if back else Effect.NEUTRAL
    assert effect_of(order(Action.REROUTE_ORDERS, asset_class=EQUITY, gateway=to), led) is expected


@pytest.mark.parametrize("action", sorted(set(Action) - TIGHTENERS - {Action.RESUME, Action.REROUTE_ORDERS}))
def test_what_stops_or_changes_the_service_itself_neither_tightens_nor_loosens(action: Action) -> None:
    """It has guards of its own, all of them."""
    assert effect_of(order(action), seen()) is Effect.NEUTRAL
    assert effect_of(order(Action.RESUME, asset_class=EQUITY), seen()) is Effect.LOOSENS
