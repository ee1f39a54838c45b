"""The drills: each with its row in the table of faults, how it is injected, and what the runbook expects."""

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.drills.drills import Drill, DrillContext, DrillName, Expected, Injection, Spoil, Step
from tasks.model.incidents.incident import Action
from tasks.model.probes.orders import AssetClass

# A pause is always allowed (safety rule 8); whatever else is not expected is forbidden.
ALWAYS_ALLOWED = frozenset({Action.PAUSE_STRATEGIES})
MARK, PAUSE, REROUTE = Action.MARK_DEGRADED, Action.PAUSE_STRATEGIES, Action.REROUTE_ORDERS
# Within this a triage has begun to check, also on a busy machine.
LOOK_COMES_WITHIN_S = 20.0
# Triages until the automation has come to its end, and until its incident may close: two good runs, 45 s apart.
REACTION_TRIAGES_COUNT, END_TRIAGES_COUNT = 4, 15


def drill_of(name: DrillName) -> Drill:
    return DRILLS[name]


def triages_count(context: DrillContext) -> int:
    """Say how many triages a drill may take at most, before the fault is fixed and after."""
    if context.healed_at is not None:
        return END_TRIAGES_COUNT
    return 1 if drill_of(context.drill).expected.is_control else REACTION_TRIAGES_COUNT


def _expected(cause: Cause, tier: Audience, *actions: frozenset[Action], heals: bool = False) -> Expected:
    allowed = ALWAYS_ALLOWED.union(*actions)
    return Expected(cause=cause, tier=tier, actions=actions, heals=heals, forbidden=frozenset(Action) - allowed)


def _or(expected: Expected, *also: Cause) -> Expected:
    return expected.model_copy(update={"also": frozenset(also)})


def _service(name: DrillName, row: int, fault: str, what: Injection, cause: Cause) -> Drill:
    # Whoever checks in the middle of the restart finds it down: the same trouble, in the same incident.
    restarted = _expected(cause, Audience.TIER_1, frozenset({Action.RESTART_SERVICE}), heals=True)
    expected = _or(restarted, Cause.SERVICE_DOWN)
    return Drill(name=name, row=row, fault=fault, steps=(Step(what=what),), expected=expected)


def _gateway(name: DrillName, row: int, fault: str, step: Step, expected: Expected) -> Drill:
    asset_class = AssetClass.EQUITY if step.gateway == "XNAS" else AssetClass.CRYPTO
    return Drill(name=name, row=row, fault=fault, steps=(step,), expected=expected, asset_class=asset_class)


def _table(name: DrillName, row: int, fault: str, spoil: Spoil, asset_class: AssetClass | None) -> Drill:
    expected = _expected(Cause.ROUTING_MISCONFIGURED, Audience.TIER_2, frozenset({Action.RESTORE_ROUTING}), heals=True)
    steps = (Step(what=Injection.SPOIL_TABLE, spoil=spoil),)
    return Drill(name=name, row=row, fault=fault, steps=steps, expected=expected, asset_class=asset_class)


def _control(name: DrillName, fault: str, step: Step) -> Drill:
    return Drill(name=name, row=None, fault=fault, steps=(step,), expected=Expected())


def _switch(**switch: str | int) -> Step:
    return Step(what=Injection.SWITCH_FAULT, gateway="CRYP", switch=switch)


UNREACHABLE = _expected(Cause.DEPENDENCY_UNREACHABLE, Audience.TIER_3, frozenset({MARK, PAUSE}))
# The alternate is taken where it is safe: its market open, every order proven. Else the class is paused.
REROUTED = _expected(
    Cause.DEPENDENCY_UNREACHABLE, Audience.TIER_3, frozenset({MARK, REROUTE}), frozenset({MARK, PAUSE})
)
# First its orders have no answer, and then nobody gets one.
STOPPED = _or(
    _expected(Cause.GATEWAY_FAILING, Audience.TIER_3, frozenset({PAUSE}), frozenset({MARK, PAUSE})),
    Cause.DEPENDENCY_UNREACHABLE,
)
SLOW = _expected(Cause.GATEWAY_FAILING, Audience.TIER_3, frozenset({MARK, PAUSE}))
PAUSED = _expected(Cause.GATEWAY_FAILING, Audience.TIER_3, frozenset({PAUSE}))

_ALL = (
    _service(
        DrillName.SERVICE_STOPPED, 1, "the order service is stopped; its port still connects",
        Injection.STOP_SERVICE, Cause.SERVICE_HUNG,
    ),
    _service(
        DrillName.SERVICE_KILLED, 2, "the order service is killed", Injection.KILL_SERVICE, Cause.SERVICE_DOWN
    ),
    _gateway(
        DrillName.GATEWAY_KILLED, 10, "the only gateway of crypto is killed",
        Step(what=Injection.KILL_GATEWAY, gateway="CRYP"), UNREACHABLE,
    ),
    _gateway(
        DrillName.GATEWAY_KILLED_WITH_ALTERNATE, 10, "the first gateway of equity is killed; another one takes equity",
        Step(what=Injection.KILL_GATEWAY, gateway="XNAS"), REROUTED,
    ),
    _gateway(
        DrillName.GATEWAY_SILENT, 11, "the only gateway of crypto never answers a connect",
        _switch(fault="unreachable"), UNREACHABLE,
    ),
    _gateway(
        DrillName.GATEWAY_STOPPED, 12, "the only gateway of crypto is stopped with orders in it",
        Step(what=Injection.STOP_GATEWAY, gateway="CRYP"), STOPPED,
    ),
    _gateway(
        DrillName.GATEWAY_SLOW, 13, "the only gateway of crypto is three seconds slower",
        _switch(fault="latency", latency_ms=3000), SLOW,
    ),
    _gateway(
        DrillName.GATEWAY_REJECTS, 15, "the only gateway of crypto rejects every order",
        _switch(fault="reject", code="PRICE_BAND", text="outside of the band"), PAUSED,
    ),
    _gateway(
        DrillName.GATEWAY_NEVER_FILLS, 16, "the only gateway of crypto acknowledges and never fills",
        _switch(fault="ack_without_fill"), PAUSED,
    ),
    _table(
        DrillName.WRONG_ROUTE, 17, "equity is routed to a gateway that does not take it",
        Spoil.WRONG_GATEWAY, AssetClass.EQUITY,
    ),
    _table(
        DrillName.CLASS_MISSING, 18, "crypto is missing from the routing table",
        Spoil.CLASS_MISSING, AssetClass.CRYPTO,
    ),
    _table(
        DrillName.CORRUPTED_TABLE, 19, "the routing table on disk is corrupted; the service still runs on the old one",
        Spoil.CORRUPTED, None,
    ),
    _control(
        DrillName.CONTROL_LATENCY, "control: a gateway is 0.1 s slower, within bounds",
        Step(what=Injection.SWITCH_FAULT, gateway="XNAS", switch={"fault": "latency", "latency_ms": 100}),
    ),
    _control(
        DrillName.CONTROL_LOST_PROBE, "control: the service stands still for one check, and then goes on",
        Step(what=Injection.BLINK_SERVICE, for_s=LOOK_COMES_WITHIN_S),
    ),
)  # fmt: skip

DRILLS: dict[DrillName, Drill] = {one.name: one for one in _ALL}
