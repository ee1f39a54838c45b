"""The control plane of the stub: changes by hand, with a reason, behind the token if one was given."""

import hmac
import json
from typing import Any

from order_service.stub.desk import GATEWAYS, ROUTES, TABLE_HASH, TEST_SYMBOLS, Document, now
from order_service.stub.wire import Reply, Request, reply_json


class Control:
    """Hold what was set by hand; a control plane that is absent answers 404 and changes nothing."""

    def __init__(self, token: str | None = None, *, is_absent: bool = False) -> None:
        self._token = token
        self._is_absent = is_absent
        self.draining = False
        self.gateway_states = dict.fromkeys(GATEWAYS, "enabled")
        self.trading_states = dict.fromkeys(ROUTES, "active")
        self.features = {"limit_price_band": True, "order_throttle": True}
        self._routes = {asset_class: gateways[0] for asset_class, gateways in ROUTES.items()}
        self._settings: dict[tuple[str, str], Document] = {}

    def route(self, asset_class: str) -> str:
        """Name the gateway that new orders of a class go to."""
        return self._routes[asset_class]

    def answer(self, request: Request) -> Reply:
        """Carry out one change."""
        if self._is_absent:
            return _refuse(404, "NOT_FOUND", "this service has no control plane")
        if not self._is_allowed(request):
            return _refuse(401, "CONTROL_UNAUTHORIZED", "expected the control token as Bearer authorization")
        change = _parse(request.body)
        if change is None:
            return _refuse(422, "INVALID_REQUEST", "expected an object with a reason")
        if request.method == "POST":
            return self._post(request.path)
        parts = request.path.removeprefix("/control/").split("/", 1)
        if request.method != "PUT" or len(parts) != 2:
            return _refuse(404, "NOT_FOUND", f"nothing is at {request.path[:100]}")
        return self._put(parts[0], parts[1], change)

    def routing(self, down: frozenset[str]) -> Document:
        """Show the routing document."""
        return {
            "asset_classes": {asset_class: self._route_document(asset_class) for asset_class in ROUTES},
            "gateways": {
                name: {
                    "state": self.gateway_states[name],
                    "up": name not in down,
                    "asset_classes": classes,
                    "set": None,
                }
                for name, classes in GATEWAYS.items()
            },
            "features": {name: {"enabled": enabled, "set": None} for name, enabled in self.features.items()},
            "table": {"hash": TABLE_HASH, "loaded_at": now(), "file_hash": TABLE_HASH, "file_error": None},
        }

    def _is_allowed(self, request: Request) -> bool:
        if self._token is None:
            return True
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode("latin-1"), f"Bearer {self._token}".encode())

    def _post(self, path: str) -> Reply:
        if path == "/control/drain":
            self.draining = True
            return reply_json(200, {"draining": True})
        if path == "/control/reload":
            return reply_json(200, {"hash": TABLE_HASH, "previous_hash": TABLE_HASH, "loaded_at": now()})
        return _refuse(404, "NOT_FOUND", f"nothing is at {path[:100]}")

    def _put(self, part: str, key: str, change: Document) -> Reply:
        state, value = self._target(part), change.get({"routes": "gateway", "features": "enabled"}.get(part, "state"))
        if state is None or key not in state:
            return _refuse(404, "NOT_FOUND", f"there is no {part[:50]} {key[:50]}")
        if part == "routes" and value not in ROUTES[key]:
            return _refuse(409, "ROUTE_NOT_ALLOWED", f"expected one of {', '.join(ROUTES[key])}")
        if not isinstance(value, bool if part == "features" else str):
            return _refuse(422, "INVALID_REQUEST", "expected a state, a gateway or enabled")
        previous = self._settings.get((part, key))
        state[key] = value
        self._settings[part, key] = {**change, "set_at": now()}
        return reply_json(200, {part: {key: self._settings[part, key]}, "persisted": True, "previous": previous})

    def _target(self, part: str) -> dict[str, Any] | None:
        targets: dict[str, dict[str, Any]] = {
            "gateways": self.gateway_states,
            "routes": self._routes,
            "trading": self.trading_states,
            "features": self.features,
        }
        return targets.get(part)

    def _route_document(self, asset_class: str) -> Document:
        setting = self._settings.get(("trading", asset_class)) or self._settings.get(("routes", asset_class)) or {}
        return {
            "gateway": self._routes[asset_class],
            "table_gateway": ROUTES[asset_class][0],
            "alternates": list(ROUTES[asset_class][1:]),
            "test_symbols": [TEST_SYMBOLS[asset_class]],
            "trading_state": self.trading_states[asset_class],
            "set_by": setting.get("set_by", "table"),
            "reason": setting.get("reason"),
            "set_at": setting.get("set_at"),
        }


def _parse(body: bytes) -> Document | None:
    try:
        change = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return change if isinstance(change, dict) and change.get("reason") else None


def _refuse(status: int, code: str, message: str) -> Reply:
    return reply_json(status, {"error": {"code": code, "message": message, "field": None}})
