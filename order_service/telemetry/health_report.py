"""How the service is, from what it already knows. Reading it costs no disk and no network."""

from collections.abc import Callable
from dataclasses import dataclass

from order_service.api.contract import GatewayState
from order_service.control.state import ControlState
from order_service.gateways.health import GatewayHealth
from order_service.routing.table_store import RoutingStore

Dependency = dict[str, object]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Write the health document.

    `error` when no order can be served, `degraded` when some dependency is down or marked degraded, else `ok`.
    """

    release: str
    started_at: str
    gateways: GatewayHealth
    control: ControlState
    routing: RoutingStore
    journal_error: Callable[[], str | None]
    storage_error: Callable[[], str | None]
    draining: Callable[[], bool]

    def document(self) -> dict[str, object]:
        dependencies = {name: self._gateway(name) for name in self.gateways.vitals}
        dependencies["journal"] = _part(self.journal_error())
        dependencies["storage"] = _part(self.storage_error())
        status, reason = self._verdict(dependencies)
        return {
            "status": status,
            "release": self.release,
            "started_at": self.started_at,
            "dependencies": dependencies,
            "reason": reason,
        }

    def _verdict(self, dependencies: dict[str, Dependency]) -> tuple[str, str | None]:
        if self.draining():
            return "error", "draining"
        if dependencies["journal"]["status"] != "ok":
            return "error", "the journal cannot be written, so no order is taken"
        not_ok = sorted(name for name, dependency in dependencies.items() if dependency["status"] != "ok")
        return ("degraded", f"not ok: {', '.join(not_ok)}") if not_ok else ("ok", None)

    def _gateway(self, name: str) -> Dependency:
        vitals = self.gateways.vitals[name]
        latency_ms = self.gateways.latency_ms(name)
        dependency: Dependency = {"status": "ok", "latency_ms": latency_ms}
        setting = self.control.document.gateways.get(name)
        if setting is not None and setting.state is not GatewayState.ENABLED:
            dependency |= {
                "status": "degraded",
                "set_to": setting.state,
                "reason": setting.reason,
                "set_by": setting.set_by,
            }
        rules = self.routing.table.gateways.get(name)
        if latency_ms is not None and rules is not None and latency_ms > rules.slow_ms:
            dependency |= {"status": "degraded", "error": f"slow, above {rules.slow_ms:g} ms"}
        if not vitals.up:
            dependency |= {"status": "error", "error": vitals.error or "not probed yet"}
        return dependency


def _part(error: str | None) -> Dependency:
    return {"status": "ok"} if error is None else {"status": "error", "error": error}
