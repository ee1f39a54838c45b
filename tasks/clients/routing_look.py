"""Look at `GET /routing`, beside the routing table that the running release was shipped with."""

import tomllib
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx

from tasks.clients.known_secrets import secret_values
from tasks.clients.order_service import get
from tasks.clients.regular_file import read_regular
from tasks.clients.releases_root import current_release_folder
from tasks.model.looks import RoutingLook
from tasks.model.orders import AssetClass
from tasks.rules.redaction import cleaned
from tasks.rules.routing_answer import judge_routing
from tasks.settings import ServiceSettings

TABLE_LIMIT_BYTES = 1_048_576


async def routing_look(client: httpx.AsyncClient, service: ServiceSettings) -> RoutingLook:
    """Read where each asset class goes, once.

    Runbook: §2.2 Confirm router configuration and the asset-class routing rules.
    Errors: none; a service without this path is *not configured*.
    """
    answer = await get(client, service, "/routing", service.look.health_timeout_s)
    return cleaned(judge_routing(answer, shipped_gateways(service), datetime.now(UTC)), secret_values(service))


def shipped_gateways(service: ServiceSettings) -> dict[AssetClass, str]:
    """Read which gateway the current release's own table gives each asset class; nothing where nobody can say."""
    folder = current_release_folder(service)
    path = folder / "config" / "routing.toml" if folder else None
    try:
        stat = path.stat() if path else None
    except OSError:
        return {}
    return dict(_gateways_of(path, stat.st_mtime_ns, stat.st_size)) if path and stat else {}


@lru_cache(maxsize=16)
def _gateways_of(path: Path, written_ns: int, size_bytes: int) -> tuple[tuple[AssetClass, str], ...]:  # noqa: ARG001
    if size_bytes > TABLE_LIMIT_BYTES:
        return ()
    try:
        table: dict[str, Any] = tomllib.loads(read_regular(path, TABLE_LIMIT_BYTES).decode("utf-8"))
    except (OSError, ValueError):
        return ()
    routes = table.get("routes")
    tables = [(name, route) for name, route in (routes if isinstance(routes, dict) else {}).items()]
    return tuple(
        (AssetClass(name), route["gateway"])
        for name, route in tables
        if name in set(AssetClass) and isinstance(route, dict) and isinstance(route.get("gateway"), str)
    )
