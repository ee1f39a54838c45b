"""Look at `GET /routing`, beside the routing table that the running release was shipped with."""

import tomllib
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from tasks.clients.files.regular_file import read_regular
from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.process.releases_root import current_release_folder
from tasks.clients.service.described_control import standings_now
from tasks.clients.service.http import HttpClient
from tasks.clients.service.probes import get
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.probes.probes import RoutingProbe
from tasks.rules.messages.redaction import cleaned
from tasks.rules.probes.routing import is_of_another_make, judge_routing, not_available, told_by_proofs
from tasks.settings import ServiceSettings

TABLE_LIMIT_BYTES = 1_048_576


async def routing_probe(client: HttpClient, service: ServiceSettings) -> RoutingProbe:
    """Read where each asset class goes, once.

    Runbook: §2.2 Confirm router configuration and the asset-class routing rules.
    Errors: none; a service without this path is *not configured*. Where its control is described, what holds trading
    back is then read off the proofs of that.
    """
    answer = await get(client, service, "/routing", service.look.health_timeout_s)
    probe = cleaned(judge_routing(answer, shipped_gateways(service), datetime.now(UTC)), secret_values(service))
    if not service.is_described or not is_of_another_make(probe, answer):
        return probe
    if service.control is None:
        return not_available(f"http_status={answer.http_status}, and nobody described one", probe.looked_at)
    return told_by_proofs(probe, *await standings_now(service))


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
    found = routes if isinstance(routes, dict) else {}
    return tuple(
        (name, route["gateway"])
        for name in classes_in(found)
        if isinstance(route := found[name], dict) and isinstance(route.get("gateway"), str)
    )
