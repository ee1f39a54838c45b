"""Which classes a plan is for, how each stands by now, and where its new orders may go."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Kind
from tasks.model.evidence.evidence import KnownGateway
from tasks.model.incidents.incident import Action
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import DependencyStatus, Observation, OrderOutcome, RouteStatus, Seen
from tasks.model.remediation.in_force import Held, Restriction
from tasks.model.remediation.plan import Due, Target
from tasks.rules.remediation.planning.change_actions import disable_feature, restore_routing
from tasks.rules.remediation.planning.gateway_actions import alternates, failing, unreachable
from tasks.rules.remediation.planning.propose import Trouble, is_paused, key_of, pause, standing, traded
from tasks.rules.remediation.planning.service_actions import free_resources, infrastructure, pause_strategy, restart
from tests.fakes.incident.cases import INCIDENT, finding, inputs, past, routing, seen
from tests.fakes.incident.observations import gateway, health, order

EQUITY, FX, CRYPTO = AssetClass.EQUITY, AssetClass.FX, AssetClass.CRYPTO


def trouble(cause: Cause = Cause.SERVICE_HUNG, at: Observation | None = None, **changes: object) -> Trouble:
    """One finding in its incident."""
    found = finding(cause, **changes)
    return Trouble(incident_id=INCIDENT, finding=found, inputs=inputs(found=(found,), seen=at or seen()))


def route(state: str | None, **changes: object) -> RouteStatus:
    """The route of equity in one trading state."""
    base = {"asset_class": EQUITY, "gateway": "XNAS", "table_gateway": "XNAS", "trading_state": state, **changes}
    return RouteStatus.model_validate(base)


@pytest.mark.parametrize(
    ("state", "code", "stands"),
    [
        ("halted", None, TradingState.HALTED),
        ("reducing", None, TradingState.REDUCING),
        ("active", "TRADING_HALTED", TradingState.ACTIVE),
        (None, "TRADING_HALTED", TradingState.HALTED),
        ("somehow", "TRADING_REDUCING", TradingState.REDUCING),
        (None, "GATEWAY_DISABLED", None),
        (None, None, None),
    ],
)
def test_how_a_class_stands_is_what_its_route_says_or_else_its_test_order(
    state: str | None, code: str | None, stands: TradingState | None
) -> None:
    """Where nobody says it a pause is not left out."""
    denied = order(outcome=OrderOutcome.DENIED).model_copy(update={"code": code})
    rejected = denied.model_copy(update={"outcome": OrderOutcome.REJECTED})
    table = routing(routes=(route(state),))

    assert standing(seen(routing=table, orders=(order(FX), denied)), EQUITY) is stands
    if state is None:
        assert standing(seen(routing=None, orders=(denied,)), EQUITY) is stands
        assert standing(seen(routing=table, orders=(rejected,)), EQUITY) is None
        assert standing(seen(routing=table, orders=(denied,)), FX) is None


def test_a_halt_that_is_only_listed_as_set_is_left_to_whoever_set_it() -> None:
    """To halt it once more would put our name over the desk's, and our incident in charge of it."""
    halt = Restriction(kind=Held.TRADING, name="equity", state="halted", set_by="kim")
    found = inputs(seen=seen(routing=routing(routes=(route(None),), restrictions=(halt,)), orders=()))

    assert is_paused(found, EQUITY)
    assert not is_paused(found, FX)


@pytest.mark.parametrize(
    ("state", "for_halt", "for_reducing"),
    [("halted", True, True), ("reducing", False, True), ("active", False, False), (None, False, False)],
)
def test_a_class_is_paused_already_where_it_stands_at_least_as_tight(
    state: str | None, for_halt: bool, for_reducing: bool
) -> None:
    """A class that only reduces is halted where a halt is wanted, and never loosened."""
    found = inputs(seen=seen(routing=routing(routes=(route(state),)), orders=()))

    assert is_paused(found, EQUITY) is for_halt
    assert is_paused(found, EQUITY, TradingState.REDUCING) is for_reducing


def test_a_service_trades_what_is_routed_ordered_or_was_routed_last() -> None:
    """A hung service tells no route; what it traded a minute ago is paused all the same."""
    table = routing(routes=(route("active"),))
    before = (past(2, routes={AssetClass.FUTURE: "XCME"}), past(1, routes={CRYPTO: "CRYP"}))

    assert traded(inputs(seen=seen(routing=table, orders=()), history=())) == (EQUITY,)
    assert traded(inputs(seen=seen(routing=None, orders=(order(FX),)), history=())) == (FX,)
    assert traded(inputs(seen=seen(routing=None, orders=()), history=before)) == (CRYPTO,)
    assert traded(inputs(seen=seen(routing=table, orders=(order(FX),)), history=before)) == (EQUITY, FX, CRYPTO)


def test_the_same_action_on_the_same_target_has_one_key() -> None:
    """The ledger finds it again; another class is another action."""
    target = Target(asset_class=EQUITY, trading_state=TradingState.HALTED)

    assert key_of("INC-1", Action.PAUSE_STRATEGIES, target) == "INC-1/pause_strategies/equity-halted"
    assert key_of("INC-1", Action.RESTART_SERVICE, Target()) == "INC-1/restart_service"
    assert key_of("", Action.RESTART_SERVICE, Target()) == "restart_service"
    assert pause(trouble(), EQUITY).why == "service hung"
    assert pause(trouble(), EQUITY, why="as asked").why == "as asked"


@pytest.mark.parametrize(
    ("kinds", "acts"),
    [((Kind.MEMORY,), True), ((Kind.DESCRIPTORS, Kind.ERRORS), True), ((Kind.ERRORS,), False), ((), False)],
)
def test_only_what_a_restart_frees_is_restarted_for(kinds: tuple[Kind, ...], acts: bool) -> None:
    """A disk that is full is full after the restart as well."""
    assert bool(free_resources(trouble(Cause.RESOURCE_EXHAUSTED, kinds=kinds))) is acts


def test_a_stranger_on_the_port_pauses_what_is_traded_and_nothing_else_of_the_platform_does() -> None:
    """Orders that go to a stranger are nobody's."""
    taken = infrastructure(trouble(Cause.INFRASTRUCTURE, kinds=(Kind.PORT,)))

    assert [one.target.asset_class for one in taken] == [EQUITY, FX]
    assert infrastructure(trouble(Cause.INFRASTRUCTURE, kinds=(Kind.CLOCK,))) == ()


def test_a_restart_that_nobody_approved_pauses_what_is_not_paused_yet() -> None:
    """No answer in time takes the safe branch."""
    table = routing(routes=(route("halted"), RouteStatus(asset_class=FX, gateway="FXALL", trading_state="active")))

    wanted, *others = restart(trouble(at=seen(routing=table)))

    assert wanted.action is Action.RESTART_SERVICE
    assert [(one.target.asset_class, one.due, one.other) for one in others] == [(FX, Due.IF_EXPIRED, wanted.key)]


def test_each_strategy_that_runs_wild_is_paused_alone() -> None:
    """The classes that it trades in go on."""
    wild = pause_strategy(trouble(Cause.CLIENT_MISBEHAVIOUR, strategies=("loop", "spin")))

    assert [(one.action, one.target.words) for one in wild] == [
        (Action.PAUSE_STRATEGIES, "loop"),
        (Action.PAUSE_STRATEGIES, "spin"),
    ]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"alternates": ("XNYS", "XBOS")}, ("XNYS", "XBOS")),
        ({"alternates": ("XNAS", "XNYS")}, ("XNYS",)),
        ({"gateway": "XNYS", "alternates": ("XNYS", "XBOS")}, ("XBOS",)),
        ({"gateway": "XNYS", "table_gateway": "XPHL", "alternates": ("XPHL", "XBOS")}, ("XPHL", "XBOS")),
        ({"table_gateway": None}, ()),
        ({}, ()),
    ],
)
def test_new_orders_may_go_where_the_table_allows_and_nothing_is_ill(
    changes: dict[str, object], names: tuple[str, ...]
) -> None:
    """Never to the gateway that fails, and never to the one in force; the table's own comes first."""
    found = trouble(
        Cause.DEPENDENCY_UNREACHABLE, seen(routing=routing(routes=(route("active", **changes),))), gateways=("XNAS",)
    )

    assert alternates(found, EQUITY) == names
    assert alternates(found, FX) == ()


@pytest.mark.parametrize(
    ("set_to", "marks"), [(None, True), ("enabled", True), ("degraded", False), ("disabled", False)]
)
def test_a_gateway_that_somebody_marked_is_not_marked_again(set_to: str | None, marks: bool) -> None:
    """Their mark may be the tighter one."""
    told = health(status="degraded").model_copy(
        update={"dependencies": (DependencyStatus(name="XNAS", status="error", set_to=set_to),)}
    )
    dead = tuple(gateway(name, Seen.FAILED if name == "XNAS" else Seen.PASSED) for name in ("XNAS", "XNYS"))
    found = trouble(Cause.DEPENDENCY_UNREACHABLE, seen(health=told, gateways=dead), gateways=("XNAS",))

    assert ([one.target.words for one in unreachable(found)] == ["XNAS"]) is marks


@pytest.mark.parametrize("outcome", [OrderOutcome.EXECUTED, OrderOutcome.TIMED_OUT])
def test_a_gateway_that_shows_no_sign_of_its_own_gets_nothing(outcome: OrderOutcome) -> None:
    """What is over by the last check is not acted on."""
    found = trouble(
        Cause.GATEWAY_FAILING,
        seen(orders=(order(outcome=outcome), order(FX))),
        gateways=("XNAS",),
        asset_classes=(EQUITY,),
    )

    assert failing(found) == ()


@pytest.mark.parametrize("cause", [Cause.BAD_FEATURE, Cause.ROUTING_MISCONFIGURED])
def test_a_class_that_a_change_broke_is_paused_where_it_is_not_yet_and_the_change_is_not_undone(cause: Cause) -> None:
    """The feature or the table comes first; the pause stands in for it."""
    halted = RouteStatus(asset_class=FX, gateway="FXALL", table_gateway="FXALL", trading_state="halted")
    last = seen(routing=routing(routes=(route("active"), halted)), orders=())
    broken = trouble(cause, last, asset_classes=(EQUITY, FX), feature="band")
    due = Due.IF_INEFFECTIVE if cause is Cause.BAD_FEATURE else Due.IF_NOT_DONE

    wanted, *pauses = disable_feature(broken) if cause is Cause.BAD_FEATURE else restore_routing(broken)

    assert wanted.action in {Action.DISABLE_FEATURE, Action.RESTORE_ROUTING}
    assert [(one.target.asset_class, one.due, one.other) for one in pauses] == [(EQUITY, due, wanted.key)]


def test_a_release_that_refuses_its_table_is_told_only() -> None:
    """It takes no order to restore it; a person does, on disk."""
    assert restore_routing(trouble(Cause.ROUTING_MISCONFIGURED, kinds=(Kind.START_REFUSED,))) == ()
    assert disable_feature(trouble(Cause.BAD_FEATURE)) == ()


@pytest.mark.parametrize(("mode", "goes_to"), [(Mode.ACT, "XBOS"), (Mode.PROPOSE, "XBOS"), (Mode.OBSERVE, "XNYS")])
def test_new_orders_are_led_to_the_first_alternate_that_may_be_taken(mode: Mode, goes_to: str) -> None:
    """A dead alternate is passed over, also where a person is asked first; where none may be, the first is refused."""
    table = routing(routes=(route("active", alternates=("XNYS", "XBOS")),))
    probes = tuple(gateway(name, Seen.FAILED if name != "XBOS" else Seen.PASSED) for name in ("XNAS", "XNYS", "XBOS"))
    dead = finding(Cause.DEPENDENCY_UNREACHABLE, gateways=("XNAS",), asset_classes=(EQUITY,))
    venues = tuple(KnownGateway(name=name, asset_classes=(EQUITY,)) for name in ("XNAS", "XNYS", "XBOS"))
    known = inputs(found=(dead,), seen=seen(routing=table, gateways=probes), mode=mode, known_gateways=venues)

    steps = unreachable(Trouble(incident_id=INCIDENT, finding=dead, inputs=known))

    assert [one.target.gateway for one in steps if one.action is Action.REROUTE_ORDERS] == [goes_to]
