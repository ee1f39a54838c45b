"""What is in force, read out of what a service says: a word that nobody knows holds something back."""

from typing import Any

import pytest

from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, Observation, OrderOutcome, RouteStatus, RoutingProbe, Seen
from tasks.model.remediation.in_force import Held, InForce, Restriction
from tasks.model.remediation.plan import Target
from tasks.model.remediation.remediation import ActionResult, RemediationResult
from tasks.rules.in_force.restrictions import in_force, in_force_after, in_force_words, read_lifted, read_restrictions
from tests.fakes.incident.cases import planned, routing
from tests.fakes.incident.observations import NOW, health, observation, order

EQUITY = AssetClass.EQUITY
HALTED = [(Held.TRADING, "equity", "halted")]


def setting(state: str, **more: object) -> dict[str, object]:
    """What somebody set."""
    return {"state": state, "set_by": "kim", "reason": "why", "set_at": "2026-11-23T14:00:00Z", **more}


DOCUMENTS: list[tuple[dict[str, Any], list[tuple[Held, str, str]]]] = [
    ({"asset_classes": {"equity": {"trading_set": setting("halted")}}}, HALTED),
    ({"asset_classes": {"equity": {"trading_set": setting("Frozen")}}}, [(Held.TRADING, "equity", "frozen")]),
    ({"asset_classes": {"equity": {"trading_set": setting("ACTIVE")}}}, []),
    ({"asset_classes": {"bond": {"trading_set": setting("halted")}}}, [(Held.TRADING, "bond", "halted")]),
    ({"asset_classes": {"No class": {"trading_set": setting("halted")}}}, []),
    ({"asset_classes": {"equity": {"trading_set": setting("")}}}, [(Held.TRADING, "equity", "unknown")]),
    (
        {"asset_classes": {"equity": {"route_set": setting("", gateway="XNYS"), "table_gateway": "XNAS"}}},
        [(Held.ROUTE, "equity", "XNYS")],
    ),
    ({"asset_classes": {"equity": {"route_set": setting("", gateway="XNAS"), "table_gateway": "XNAS"}}}, []),
    ({"asset_classes": {"equity": {"route_set": setting("", gateway=None), "table_gateway": "XNAS"}}}, []),
    ({"gateways": {"XNAS": {"set": setting("degraded")}}}, [(Held.GATEWAY, "XNAS", "degraded")]),
    ({"gateways": {"XNAS": {"set": setting("enabled")}}}, []),
    ({"strategies": {"loop": setting("halted"), "calm": setting("active")}}, [(Held.STRATEGY, "loop", "halted")]),
    ({"features": {"band": {"enabled": False, "set": setting("x")}}}, [(Held.FEATURE, "band", "off")]),
    ({"features": {"band": {"enabled": True, "set": setting("x")}}}, []),
    ({"features": {"band": {"enabled": False}}}, []),
    ({"strategies": "none", "gateways": [1], "asset_classes": {"equity": 1}}, []),
    ({}, []),
]


@pytest.mark.parametrize(("document", "expected"), DOCUMENTS)
def test_a_restriction_is_read_with_its_state(document: dict[str, Any], expected: list[tuple[Held, str, str]]) -> None:
    """Every headline is derived from it; what is missed here reads as well."""
    assert [(one.kind, one.name, one.state) for one in read_restrictions(document)] == expected


def test_a_restriction_is_read_with_who_set_it_why_and_when() -> None:
    """The person paged calls the one who halted it."""
    (found,) = read_restrictions({"asset_classes": {"equity": {"trading_set": setting("halted")}}})

    assert (found.set_by, found.reason, found.set_at) == ("kim", "why", NOW.replace(hour=14))


def test_what_somebody_let_trade_again_is_read_too() -> None:
    """What a person resumed is not undone unseen; what is halted, or no state at all, was not resumed."""
    document = {
        "asset_classes": {
            "equity": {"trading_set": setting("active")},
            "fx": {"trading_set": setting("halted")},
            "No class": {"trading_set": setting("active")},
            "crypto": {},
        },
        "strategies": {"loop": setting("active"), "spin": setting("halted")},
    }

    assert [(one.kind, one.name) for one in read_lifted(document)] == [
        (Held.TRADING, "equity"),
        (Held.STRATEGY, "loop"),
    ]


def route(**changes: object) -> RoutingProbe:
    """A routing with one route of equity."""
    base = {"asset_class": EQUITY, "gateway": "XNAS", "table_gateway": "XNAS", "trading_state": "active"}
    return routing(routes=(RouteStatus.model_validate({**base, **changes}),))


def denied(code: str, outcome: OrderOutcome = OrderOutcome.DENIED) -> Any:
    """The test order of equity, denied with a code."""
    return (order(outcome=outcome).model_copy(update={"code": code}),)


def marked(set_to: str | None) -> Any:
    """Health that says what XNAS was set to."""
    return health().model_copy(update={"dependencies": (DependencyStatus(name="XNAS", status="ok", set_to=set_to),)})


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (observation(routing=route()), []),
        (observation(routing=route(trading_state="halted")), HALTED),
        (observation(routing=route(trading_state="Active")), []),
        (observation(routing=route(gateway="XNYS")), [(Held.ROUTE, "equity", "XNYS")]),
        (observation(routing=route(gateway=None)), []),
        (observation(routing=route(table_gateway=None)), []),
        (observation(health=marked("degraded")), [(Held.GATEWAY, "XNAS", "degraded")]),
        (observation(health=marked("disabled")), [(Held.GATEWAY, "XNAS", "disabled")]),
        (observation(health=marked("enabled")), []),
        (observation(orders=denied("TRADING_HALTED")), HALTED),
        (observation(orders=denied("TRADING_REDUCING")), [(Held.TRADING, "equity", "reducing")]),
        (observation(orders=denied("NO_ROUTE")), []),
        (observation(orders=denied("TRADING_HALTED", OrderOutcome.REJECTED)), []),
        (observation(orders=denied("TRADING_HALTED"), routing=route()), []),
        (
            observation(orders=denied("TRADING_HALTED"), routing=route(trading_state=None)),
            HALTED,
        ),
    ],
)
def test_what_is_in_force_shows_in_routing_health_and_denials(
    seen: Observation, expected: list[tuple[Held, str, str]]
) -> None:
    """A service that has no control plane of ours shows it in its answers."""
    assert [(one.kind, one.name, one.state) for one in in_force(seen).restrictions] == expected


def test_what_is_listed_is_told_once() -> None:
    """The list knows who set it; a route, a mark and a denial only know that."""
    listed = Restriction(kind=Held.TRADING, name="equity", state="halted", set_by="kim")
    table = route(trading_state="halted").model_copy(update={"restrictions": (listed,)})

    assert in_force(observation(routing=table, orders=denied("TRADING_HALTED"))).restrictions == (listed,)


@pytest.mark.parametrize(
    ("table", "unknown"),
    [
        (None, ""),
        (routing(), ""),
        (routing(seen=Seen.FAILED, routes=(), detail="no answer"), "no answer"),
        (routing(seen=Seen.BLIND, routes=(), detail=""), "the routing could not be read"),
        (routing(seen=Seen.FAILED), ""),
        (routing(seen=Seen.PASSED, routes=()), ""),
    ],
)
def test_a_routing_that_could_not_be_read_leaves_it_unknown(table: RoutingProbe | None, unknown: str) -> None:
    """Not seen is not "nothing"."""
    assert in_force(observation(routing=table)).unknown == unknown


HALT = Restriction(kind=Held.TRADING, name="equity", state="halted", set_by="kim")
MARK = Restriction(kind=Held.GATEWAY, name="XNAS", state="degraded", set_by="kim")


def after(action: Action, target: Target, outcome: Outcome = Outcome.DONE) -> list[tuple[Held, str, str, str | None]]:
    """What is in force after one action, beside a halt and a mark by kim."""
    done = ActionResult(planned=planned(action, target=target), outcome=outcome, detail="", finished_at=NOW)
    result = RemediationResult(outcome=outcome, detail="", actions=(done,))
    found = in_force_after(InForce(restrictions=(HALT, MARK)), result, "us")
    return [(one.kind, one.name, one.state, one.set_by) for one in found.restrictions]


BEFORE = [(Held.TRADING, "equity", "halted", "kim"), (Held.GATEWAY, "XNAS", "degraded", "kim")]


@pytest.mark.parametrize(
    ("action", "target", "expected"),
    [
        (Action.PAUSE_STRATEGIES, Target(asset_class=EQUITY), BEFORE),
        (
            Action.PAUSE_STRATEGIES,
            Target(asset_class=AssetClass.FX),
            [*BEFORE, (Held.TRADING, "fx", "halted", "us")],
        ),
        (Action.PAUSE_STRATEGIES, Target(strategy="loop"), [*BEFORE, (Held.STRATEGY, "loop", "halted", "us")]),
        (Action.RESUME, Target(asset_class=EQUITY), BEFORE[1:]),
        (Action.RESUME, Target(gateway="XNAS"), BEFORE[:1]),
        (Action.MARK_DEGRADED, Target(gateway="XNYS"), [*BEFORE, (Held.GATEWAY, "XNYS", "degraded", "us")]),
        (
            Action.REROUTE_ORDERS,
            Target(asset_class=EQUITY, gateway="XNYS"),
            [*BEFORE, (Held.ROUTE, "equity", "XNYS", "us")],
        ),
        (Action.REROUTE_ORDERS, Target(asset_class=EQUITY), BEFORE),
        (Action.DISABLE_FEATURE, Target(feature="band"), [*BEFORE, (Held.FEATURE, "band", "off", "us")]),
        (Action.RESTART_SERVICE, Target(), BEFORE),
        (Action.ROLL_BACK_RELEASE, Target(release="1.0.0"), BEFORE),
    ],
)
def test_what_a_run_did_is_in_force_after_it(
    action: Action, target: Target, expected: list[tuple[Held, str, str, str | None]]
) -> None:
    """The message of the run says it; what was refused or never answered changed nothing."""
    assert after(action, target) == expected
    assert after(action, target, Outcome.REFUSED) == BEFORE
    assert in_force_after(InForce(), None) == InForce()


@pytest.mark.parametrize(("count", "words"), [(12, ""), (13, "And 1 more restrictions")])
def test_what_is_left_out_of_a_long_list_is_counted(count: int, words: str) -> None:
    """Nobody reads of no more restrictions, nor believes that twelve are all."""
    told = in_force_words(
        Restriction(kind=Held.GATEWAY, name=f"X{number:02}", state="degraded") for number in range(count)
    )

    assert ("more restrictions" in told) is bool(words)
    assert words in told
