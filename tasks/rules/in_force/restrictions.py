"""Read what is in force out of an observation, and out of what a run did since; and say it in words."""

from collections.abc import Iterable, Sequence
from typing import Any

from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.control import GatewayState, StrategyState, TradingState, printable_line
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, OrderOutcome, RouteStatus, RoutingProbe, Seen
from tasks.model.remediation.in_force import AUTOMATION, Held, InForce, Restriction
from tasks.model.remediation.plan import Target
from tasks.model.remediation.remediation import ActionResult, RemediationResult
from tasks.rules.formats.json_values import line_of, state_of, table_of
from tasks.rules.formats.time import parse_time

# With these a service denies an order of a class that somebody took out of trading.
DENIED_BY = {"TRADING_HALTED": TradingState.HALTED, "TRADING_REDUCING": TradingState.REDUCING}
# Only these words hold nothing back; a word that is not known is in force.
HARMLESS = {
    Held.TRADING: frozenset({TradingState.ACTIVE.value}),
    Held.STRATEGY: frozenset({StrategyState.ACTIVE.value}),
    Held.GATEWAY: frozenset({GatewayState.ENABLED.value}),
}
LISTED_LIMIT_COUNT = 200
NAME_LIMIT_COUNT = 100
# Nobody reads more of them aloud.
TOLD_LIMIT_COUNT = 12


def read_restrictions(document: dict[str, Any]) -> tuple[Restriction, ...]:
    """Read what a routing document says of who set what; a class's own trading state is read with its route.

    Errors: none; a word that is not known to be harmless is in force.
    """
    classes = [(name, one) for name, one in _tables(document, "asset_classes") if AssetClass.read(name)]
    trading = (_restriction(Held.TRADING, name, one.get("trading_set")) for name, one in classes)
    routes = (
        _restriction(Held.ROUTE, name, set_, "gateway")
        for name, one in classes
        if (set_ := table_of(one, "route_set")) and set_.get("gateway") != one.get("table_gateway")
    )
    gateways = (_restriction(Held.GATEWAY, name, one.get("set")) for name, one in _tables(document, "gateways"))
    strategies = (_restriction(Held.STRATEGY, name, one) for name, one in _strategies(document))
    features = (
        _restriction(Held.FEATURE, name, {**set_, "state": "off"})
        for name, one in _tables(document, "features")
        if one.get("enabled") is not True and (set_ := table_of(one, "set"))
    )
    found = (one for group in (trading, routes, gateways, strategies, features) for one in group)
    return tuple(one for one in found if one is not None)


def read_lifted(document: dict[str, Any]) -> tuple[Restriction, ...]:
    """Read who has let a class or a strategy trade again, and when: what a person resumed is not undone unseen."""
    classes = [
        (Held.TRADING, name, one.get("trading_set"))
        for name, one in _tables(document, "asset_classes")
        if AssetClass.read(name)
    ]
    strategies = [(Held.STRATEGY, name, one) for name, one in _strategies(document)]
    found = (_setting(kind, name, set_) for kind, name, set_ in (*classes, *strategies))
    return tuple(one for one in found if one is not None and _is_harmless(one))


def in_force(seen: Observation) -> InForce:
    """Say what is in force: by the routing, by what health says was marked, and by how test orders were denied.

    Errors: none. A routing that could not be read leaves it unknown; a service that has none shows it in its answers.
    """
    routing = seen.routing
    listed = routing.restrictions if routing else ()
    known = {(one.kind, one.name) for one in listed}
    told = (*_of_routes(routing), *_of_health(seen), *_of_orders(seen))
    more: dict[tuple[Held, str], Restriction] = {}
    for one in told:
        if (one.kind, one.name) not in known:
            more.setdefault((one.kind, one.name), one)
    return InForce(restrictions=(*listed, *more.values()), unknown=_unknown(routing))


def in_force_after(found: InForce, result: RemediationResult | None, by: str = AUTOMATION) -> InForce:
    """Say what is in force after a run's own actions, as far as they were done; `by` is who wanted them."""
    for one in result.actions if result else ():
        if one.outcome is Outcome.DONE:
            found = _after(found, one, by)
    return found


def restriction_words(one: Restriction) -> str:
    """Say one restriction, who set it and when."""
    return f"{_what(one)} ({set_words(one)})"


def _what(one: Restriction) -> str:
    match one.kind:
        case Held.TRADING:
            return f"{one.name.upper()} IS {one.state.upper()}"
        case Held.STRATEGY:
            return f"STRATEGY {one.name} IS {one.state.upper()}"
        case Held.GATEWAY:
            return f"Gateway {one.name} is marked {one.state}"
        case Held.ROUTE:
            return f"{one.name.capitalize()} is re-routed to {one.state}"
        case Held.FEATURE:
            return f"Feature {one.name} is off"


def set_words(one: Restriction) -> str:
    """Say who set it and when, as far as anybody said."""
    at = f", {one.set_at:%H:%M:%S}Z" if one.set_at else ""
    return f"by {one.set_by or 'someone not named'}{at}"


def in_force_words(restrictions: Iterable[Restriction]) -> str:
    """Say all in sentences: what stops orders first, classes before all; those that one hand set at once in one."""
    ordered = sorted(restrictions, key=_weight)
    groups: dict[tuple[object, ...], list[Restriction]] = {}
    for one in ordered:
        minute = one.set_at.replace(second=0, microsecond=0) if one.set_at else None
        groups.setdefault((one.kind, one.state, one.set_by, minute, one.kind is Held.TRADING or one.name), []).append(
            one
        )
    told = [f"{_group_words(group)}." for group in groups.values()]
    left = len(told) - TOLD_LIMIT_COUNT
    more = [f"And {left} more restrictions: `runbook inspect routing` names them."] if left > 0 else []
    return " ".join((*told[:TOLD_LIMIT_COUNT], *more))


def _weight(one: Restriction) -> tuple[object, ...]:
    return (not one.stops_orders, one.kind is not Held.TRADING, one.kind, one.name)


def _group_words(group: list[Restriction]) -> str:
    first = group[0]
    if len(group) == 1:
        return restriction_words(first)
    names = [one.name.upper() for one in group]
    state = first.state.upper()
    return f"{', '.join(names[:-1])} and {names[-1]} ARE {state} ({set_words(first)})"


def _unknown(routing: RoutingProbe | None) -> str:
    if routing is not None and routing.unread:
        return routing.unread
    if routing is None or routing.routes or routing.seen not in {Seen.FAILED, Seen.BLIND}:
        return ""
    return routing.detail or "the routing could not be read"


def _of_routes(routing: RoutingProbe | None) -> Iterable[Restriction]:
    for route in routing.routes if routing else ():
        if route.trading_state and route.trading_state.lower() not in HARMLESS[Held.TRADING]:
            yield _of_route(Held.TRADING, route, route.trading_state)
        if route.gateway and route.table_gateway and route.gateway != route.table_gateway:
            yield _of_route(Held.ROUTE, route, route.gateway)


def _of_route(kind: Held, route: RouteStatus, state: str) -> Restriction:
    return Restriction(kind=kind, name=route.asset_class, state=state, set_by=route.set_by, reason=route.reason)


def _of_health(seen: Observation) -> Iterable[Restriction]:
    for one in seen.health.dependencies:
        if one.set_to and one.set_to.lower() not in HARMLESS[Held.GATEWAY]:
            yield Restriction(kind=Held.GATEWAY, name=one.name, state=one.set_to)


def _of_orders(seen: Observation) -> Iterable[Restriction]:
    """Take a denial for what it says, where no routing says that the class is active: a race of two requests."""
    for order in seen.orders:
        route = seen.routing.route(order.asset_class) if seen.routing else None
        state = DENIED_BY.get(order.code or "") if order.outcome is OrderOutcome.DENIED else None
        if state is not None and (route is None or route.trading_state is None):
            yield Restriction(kind=Held.TRADING, name=order.asset_class, state=state)


def _after(found: InForce, result: ActionResult, by: str) -> InForce:
    target = result.planned.target
    lifts = result.action is Action.RESUME or (result.action is Action.REROUTE_ORDERS and target.gateway is None)
    changed = _changed(result.action, target)
    if changed is None:
        return found
    kind, name, state = changed
    before = next((one for one in found.restrictions if (one.kind, one.name) == (kind, name)), None)
    if before is not None and before.state == state and not lifts:
        return found
    others = tuple(one for one in found.restrictions if one is not before)
    ours = Restriction(kind=kind, name=name, state=state, set_by=by, set_at=result.finished_at)
    return found.model_copy(update={"restrictions": others if lifts else (*others, ours)})


def _changed(action: Action, target: Target) -> tuple[Held, str, str] | None:
    """Say what an action sets, or lifts, on its target; None where it holds nothing."""
    pauses = action in {Action.PAUSE_STRATEGIES, Action.RESUME}
    match target:
        case Target(strategy=str(name)) if pauses:
            return Held.STRATEGY, name, StrategyState.HALTED
        case Target(asset_class=AssetClass() as name) if pauses:
            return Held.TRADING, name, target.trading_state or TradingState.HALTED
        case Target(gateway=str(name)) if action in {Action.MARK_DEGRADED, Action.RESUME}:
            return Held.GATEWAY, name, GatewayState.DEGRADED
        case Target(asset_class=AssetClass() as name) if action is Action.REROUTE_ORDERS:
            return Held.ROUTE, name, target.gateway or ""
        case Target(feature=str(name)) if action is Action.DISABLE_FEATURE:
            return Held.FEATURE, name, "off"
        case _:
            return None


def _tables(document: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    found = table_of(document, key) or {}
    tables = [(printable_line(name[:NAME_LIMIT_COUNT]), one) for name, one in found.items() if isinstance(one, dict)]
    return tables[:LISTED_LIMIT_COUNT]


def _strategies(document: dict[str, Any]) -> Sequence[tuple[str, object]]:
    """List the strategies, also of a service that writes their states beside their names."""
    found = table_of(document, "strategies") or {}
    told = [(name, one) for name, one in found.items() if isinstance(one, str | dict)]
    return [(printable_line(name[:NAME_LIMIT_COUNT]), one) for name, one in told[:LISTED_LIMIT_COUNT]]


def _restriction(kind: Held, name: str, found: object, key: str = "state") -> Restriction | None:
    setting = _setting(kind, name, found, key)
    return None if setting is None or _is_harmless(setting) else setting


def _is_harmless(setting: Restriction) -> bool:
    return setting.state.lower() in HARMLESS.get(setting.kind, frozenset())


def _setting(kind: Held, name: str, found: object, key: str = "state") -> Restriction | None:
    """Read one setting; what is set to something that is no word is in force, since nobody knows what it does."""
    setting = found if isinstance(found, dict) else {key: found} if isinstance(found, str) else {}
    state = line_of(setting, key, NAME_LIMIT_COUNT) if kind is Held.ROUTE else state_of(setting, key)
    if not state:
        return None
    return Restriction(
        kind=kind,
        name=name,
        state=state,
        set_by=line_of(setting, "set_by", NAME_LIMIT_COUNT),
        reason=line_of(setting, "reason", 500),
        set_at=parse_time(setting.get("set_at")),
    )
