"""Judge one answer of `GET /routing` (§2.2): where each asset class goes, and whether the table on disk is sound."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.model.probes.control import GatewayState, TradingState, printable_line
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.probes.probes import Exchange, Fault, RouteStatus, RoutingProbe, Seen
from tasks.model.remediation.in_force import Held, Restriction
from tasks.rules.formats.json_values import line_of, parse_object, state_of, table_of
from tasks.rules.formats.time import parse_time
from tasks.rules.in_force.restrictions import read_lifted, read_restrictions

TOLD, NOT_TOLD = "what is in force is read off the proofs of control", "what is in force is not known"
ALTERNATES_LIMIT_COUNT = 50
CLASSES_LIMIT_COUNT = 100
FEATURES_LIMIT_COUNT = 100
TABLES_LIMIT_COUNT = 50
STRATEGIES_LIMIT_COUNT = 1000


def judge_routing(exchange: Exchange, shipped: Mapping[AssetClass, str], now: datetime) -> RoutingProbe:
    """Read the routes, the table's hashes and the state of its file; `shipped` is what the release came with.

    Runbook: §2.2 Confirm router configuration.
    Errors: none; a service that has no such path is *not configured*, and a broken answer a failed check.
    """
    if exchange.blind:
        return RoutingProbe(seen=Seen.BLIND, detail=f"could not check: {exchange.detail}", looked_at=now)
    if exchange.fault is not Fault.NONE:
        return RoutingProbe(seen=Seen.FAILED, detail=f"{exchange.fault}: {exchange.detail}", looked_at=now)
    if exchange.http_status in {404, 405, 501}:
        return not_available(f"http_status={exchange.http_status}", now)
    table = parse_object(exchange.body)
    routes = table_of(table, "asset_classes")
    if exchange.http_status != 200 or routes is None:
        detail = f"malformed: http_status={exchange.http_status}, no asset_classes"
        return RoutingProbe(seen=Seen.FAILED, detail=detail, looked_at=now)
    return _read(table or {}, routes, shipped, now)


def not_available(why: str, now: datetime) -> RoutingProbe:
    """Say that the service does not tell its routes, which is no fault."""
    return RoutingProbe(seen=Seen.NOT_CONFIGURED, detail=f"not available: {why}", looked_at=now)


def is_of_another_make(probe: RoutingProbe, exchange: Exchange) -> bool:
    """Say whether a service has no such path: some answer every path with a page, or ask for a login first."""
    return exchange.fault is Fault.NONE and not probe.routes and probe.table_hash is None


def told_by_proofs(probe: RoutingProbe, standings: dict[str, str], unread: tuple[str, ...]) -> RoutingProbe:
    """Say what holds trading back by the proofs of a described control; what these do not say is not known."""
    held = (
        Restriction(kind=Held(kind), name=name, state=state)
        for (kind, _, name), state in ((key.partition("/"), state) for key, state in standings.items())
        if state not in {"", TradingState.ACTIVE, GatewayState.ENABLED}
    )
    why = f"expected the proofs of control to say how {', '.join(unread)} stands, found no answer" if unread else ""
    return probe.model_copy(
        update={
            "seen": Seen.NOT_CONFIGURED,
            "detail": f"not available; {TOLD if any(standings.values()) or unread else NOT_TOLD}",
            "restrictions": tuple(held),
            "standings": standings,
            "unread": why,
        }
    )


def _read(
    table: dict[str, Any], routes: dict[str, Any], shipped: Mapping[AssetClass, str], now: datetime
) -> RoutingProbe:
    hashes = table_of(table, "table")
    error = line_of(hashes, "file_error", 300)
    loaded_at = parse_time((hashes or {}).get("loaded_at"))
    names = classes_in(routes)[:CLASSES_LIMIT_COUNT]
    found = tuple(_route(name, routes[name], shipped.get(name)) for name in names)
    told = ", ".join(f"{one.asset_class} {one.gateway or 'nowhere'}" for one in found)
    return RoutingProbe(
        seen=Seen.FAILED if error else Seen.PASSED,
        detail=f"the table on disk is refused: {error}" if error else told,
        looked_at=now,
        routes=found,
        table_hash=line_of(hashes, "hash", 100),
        loaded_at=loaded_at,
        file_hash=line_of(hashes, "file_hash", 100),
        file_error=error,
        shipped_hash=line_of(hashes, "shipped_hash", 100),
        kept_hashes=_kept(hashes),
        features=_features(table_of(table, "features") or {}),
        strategies=_strategies(table_of(table, "strategies") or {}),
        restrictions=read_restrictions(table),
        lifted=read_lifted(table),
    )


def _kept(table: dict[str, Any] | None) -> tuple[str, ...]:
    """List the hashes of the good tables that the service keeps, newest first."""
    found = (table or {}).get("kept")
    hashes = [line_of(one, "hash", 100) for one in (found if isinstance(found, list) else []) if isinstance(one, dict)]
    return tuple(one for one in hashes[:TABLES_LIMIT_COUNT] if one)


def _strategies(found: dict[str, Any]) -> dict[str, str]:
    tables = {
        printable_line(name[:100]): one if isinstance(one, dict) else {"state": one} for name, one in found.items()
    }
    states = [(name, state_of(one, "state")) for name, one in tables.items()]
    return {name: state for name, state in states[:STRATEGIES_LIMIT_COUNT] if state}


def _route(asset_class: AssetClass, found: object, shipped: str | None) -> RouteStatus:
    one = found if isinstance(found, dict) else {}
    alternates = one.get("alternates")
    names = alternates if isinstance(alternates, list) else []
    gateway = line_of(one, "gateway", 100)
    return RouteStatus(
        asset_class=asset_class,
        gateway=gateway,
        table_gateway=line_of(one, "table_gateway", 100) if "table_gateway" in one else gateway,
        shipped_gateway=shipped,
        alternates=tuple(
            printable_line(name[:100]) for name in names[:ALTERNATES_LIMIT_COUNT] if isinstance(name, str)
        ),
        trading_state=state_of(one, "trading_state"),
        set_by=line_of(one, "set_by", 100),
        reason=line_of(one, "reason", 500),
    )


def _features(found: dict[str, Any]) -> dict[str, bool]:
    tables = [(name, one) for name, one in found.items() if isinstance(one, dict)]
    return {
        printable_line(name[:100]): one["enabled"] is True
        for name, one in tables[:FEATURES_LIMIT_COUNT]
        if "enabled" in one
    }
