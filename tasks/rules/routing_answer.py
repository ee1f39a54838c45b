"""Judge one answer of `GET /routing` (§2.2): where each asset class goes, and whether the table on disk is sound."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.model.control import printable_line
from tasks.model.looks import Exchange, Fault, RouteLook, RoutingLook, Seen
from tasks.model.orders import AssetClass
from tasks.rules.in_force import read_lifted, read_restrictions
from tasks.rules.json_values import line_of, parse_object, state_of, table_of
from tasks.rules.times import parse_time

ALTERNATES_LIMIT_COUNT = 50
FEATURES_LIMIT_COUNT = 100
TABLES_LIMIT_COUNT = 50
STRATEGIES_LIMIT_COUNT = 1000


def judge_routing(exchange: Exchange, shipped: Mapping[AssetClass, str], now: datetime) -> RoutingLook:
    """Read the routes, the table's hashes and the state of its file; `shipped` is what the release came with.

    Runbook: §2.2 Confirm router configuration.
    Errors: none; a service that has no such path is *not configured*, and a broken answer a failed look.
    """
    if exchange.blind:
        return RoutingLook(seen=Seen.BLIND, detail=f"could not look: {exchange.detail}", looked_at=now)
    if exchange.fault is not Fault.NONE:
        return RoutingLook(seen=Seen.FAILED, detail=f"{exchange.fault}: {exchange.detail}", looked_at=now)
    if exchange.http_status in {404, 405, 501}:
        detail = f"not available: http_status={exchange.http_status}"
        return RoutingLook(seen=Seen.NOT_CONFIGURED, detail=detail, looked_at=now)
    table = parse_object(exchange.body)
    routes = table_of(table, "asset_classes")
    if exchange.http_status != 200 or routes is None:
        detail = f"malformed: http_status={exchange.http_status}, no asset_classes"
        return RoutingLook(seen=Seen.FAILED, detail=detail, looked_at=now)
    return _read(table or {}, routes, shipped, now)


def _read(
    table: dict[str, Any], routes: dict[str, Any], shipped: Mapping[AssetClass, str], now: datetime
) -> RoutingLook:
    hashes = table_of(table, "table")
    error = line_of(hashes, "file_error", 300)
    loaded_at = parse_time((hashes or {}).get("loaded_at"))
    found = tuple(_route(name, routes.get(name.value), shipped.get(name)) for name in AssetClass if name in routes)
    told = ", ".join(f"{one.asset_class} {one.gateway or 'nowhere'}" for one in found)
    return RoutingLook(
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


def _route(asset_class: AssetClass, found: object, shipped: str | None) -> RouteLook:
    one = found if isinstance(found, dict) else {}
    alternates = one.get("alternates")
    names = alternates if isinstance(alternates, list) else []
    gateway = line_of(one, "gateway", 100)
    return RouteLook(
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
