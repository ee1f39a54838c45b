"""A firm's description of its service in `runbook.toml`: what the stub needs of it, to speak as that service does."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from order_service.stub.desk import ROUTES

Table = dict[str, Any]
HEALTH = {"path": "/health", "healthy_when": "status == 'ok'", "degraded_when": "status == 'degraded'"}
ORDERS: Table = {
    "path": "/orders",
    "method": "POST",
    "content_type": "application/json",
    "execution": "execution",
    "status": "status",
    "order_id": "order_id",
}
SENT_ID = re.compile(r"synthetic-[0-9a-f]{32}")


@dataclass(frozen=True)
class Description:
    """What is said of one service; a key that is left out is the bundled service's."""

    health: Table = field(default_factory=dict)
    metrics: Table = field(default_factory=dict)
    orders: Table = field(default_factory=dict)
    asset_classes: dict[str, str] = field(default_factory=dict)

    @property
    def unproven(self) -> Table:
        return dict(self.orders.get("unproven") or {})

    @property
    def poll(self) -> Table:
        return dict(self.orders.get("poll") or {})

    def polled_id(self, target: str) -> str | None:
        """Find the order that a request polls, by the path of its template."""
        before, name, after = self.poll.get("path", "").partition("${order_id}")
        if not name or not target.startswith(before) or not target.endswith(after):
            return None
        return target.removeprefix(before).removesuffix(after) or None

    def asset_class_of(self, body: str) -> str:
        """Name the class of an order by the test symbol in it; the stub takes one that it does not route for equity."""
        found = next((name for symbol, name in self.asset_classes.items() if symbol in body), "equity")
        return found if found in ROUTES else "equity"


def read_description(file: Path, service: str | None) -> Description:
    """Read one service of a settings file; its name may be left out where there is one.

    Errors: ValueError that names what was expected; OSError.
    """
    try:
        services = tomllib.loads(file.read_text("utf-8")).get("services", {})
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"expected TOML was {error} in {file}") from None
    name = service or (next(iter(services)) if len(services) == 1 else None)
    if name not in services:
        raise ValueError(f"expected one of {', '.join(services) or 'none'} was {service}; name it with --service")
    return described(services[name])


def described(table: Table) -> Description:
    health = table.get("health", {})
    symbols = {str(one.get("symbol")): name for name, one in table.get("synthetic_orders", {}).items()}
    return Description(
        health={**HEALTH, **health} if "body_matches" not in health else {"path": HEALTH["path"], **health},
        metrics={"path": "/metrics", **table.get("metrics", {})},
        orders={**ORDERS, **table.get("orders", {})},
        asset_classes=symbols,
    )
