"""The control plane of the stub: changes with a reason, behind the token if one was given."""

import hmac
import json
from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum
from typing import Any

from order_service.api.contract import Document, GatewayState, RouteScope, StrategyState, TradingState
from order_service.runtime.clock import now_text
from order_service.runtime.codes import Code
from order_service.stub.desk import FEATURES, GATEWAYS, HASHES, ROUTES, TABLE_HASH
from order_service.stub.http import Delivery, Reply, Request, problem, reply_json

_VALUE_NAME = {"routes": "gateway", "features": "enabled"}
_STATES = {"gateways": GatewayState, "trading": TradingState, "strategies": StrategyState}
# What there is under each path, and how the rest is refused.
_UNKNOWN: dict[str, tuple[Collection[str] | None, Code, str]] = {
    "gateways": (GATEWAYS, Code.UNKNOWN_GATEWAY, "gateway"),
    "features": (FEATURES, Code.UNKNOWN_FEATURE, "feature"),
    "routes": (ROUTES, Code.INVALID_REQUEST, "asset_class"),
    "trading": (ROUTES, Code.INVALID_REQUEST, "asset_class"),
    "strategies": (None, Code.INVALID_REQUEST, "strategy"),
}


class Obedience(StrEnum):
    """Say how the control plane takes a change."""

    FULL = "full"
    ABSENT = "absent"
    NOT_ALLOWED = "not_allowed"
    UNAUTHORIZED = "unauthorized"
    HANGS = "hangs"
    NO_EFFECT = "no_effect"


class StubControl:
    """Hold what was set; a control plane that does not obey changes nothing."""

    def __init__(self, token: str | None = None, obedience: Obedience = Obedience.FULL) -> None:
        self._token = token
        self._obedience = obedience
        self.draining = False
        self.table_hash = TABLE_HASH
        self.settings: dict[str, dict[str, Document]] = {part: {} for part in (*_UNKNOWN, "synthetic_routes")}

    def setting(self, part: str, key: str) -> Document | None:
        return self.settings[part].get(key)

    def route(self, asset_class: str, *, synthetic: bool = False) -> str:
        tried = self.settings["synthetic_routes"].get(asset_class, {}).get("gateway") if synthetic else None
        chosen = self.settings["routes"].get(asset_class, {}).get("gateway")
        return str(tried or chosen or ROUTES[asset_class][0])

    def gateway_state(self, name: str) -> str:
        return str(self.settings["gateways"].get(name, {}).get("state", GatewayState.ENABLED))

    def trading_state(self, asset_class: str) -> str:
        return str(self.settings["trading"].get(asset_class, {}).get("state", TradingState.ACTIVE))

    def is_halted(self, strategy: str) -> bool:
        return self.settings["strategies"].get(strategy, {}).get("state") == StrategyState.HALTED

    def features(self) -> dict[str, bool]:
        return {name: bool(self.settings["features"].get(name, {}).get("enabled", True)) for name in FEATURES}

    def answer(self, request: Request) -> Reply:
        """Carry out one change, as far as this control plane obeys."""
        match self._obedience:
            case Obedience.ABSENT:
                return problem(Code.NOT_FOUND, "this service has no control plane")
            case Obedience.NOT_ALLOWED:
                return problem(Code.METHOD_NOT_ALLOWED, "this service takes no changes here")
            case Obedience.HANGS:
                return replace(reply_json(200, {}), delivery=Delivery.NEVER)
            case Obedience.UNAUTHORIZED:
                return problem(Code.CONTROL_UNAUTHORIZED, "expected another control token")
            case Obedience.FULL | Obedience.NO_EFFECT:
                return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        if not self._is_allowed(request):
            return problem(Code.CONTROL_UNAUTHORIZED, "expected the control token as Bearer authorization")
        change = _parse(request.body)
        if change is None:
            return problem(Code.INVALID_REQUEST, "expected an object with a reason")
        parts = request.path.removeprefix("/control/").split("/", 1)
        if request.method == "POST" and len(parts) == 1:
            return self._post(parts[0], change)
        if request.method == "PUT" and len(parts) == 2:
            return self._put(parts[0], parts[1], change)
        return problem(Code.NOT_FOUND, f"nothing is at {request.path[:100]}")

    def _is_allowed(self, request: Request) -> bool:
        if self._token is None:
            return True
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode("latin-1"), f"Bearer {self._token}".encode())

    @property
    def _obeys(self) -> bool:
        return self._obedience is Obedience.FULL

    def _post(self, action: str, change: Document) -> Reply:
        match action:
            case "drain":
                self.draining = self._obeys
                return reply_json(200, {"draining": True})
            case "reload":
                return self._table(self.table_hash)
            case "restore":
                return self._restore(change.get("hash"))
            case _:
                return problem(Code.NOT_FOUND, f"nothing is at /control/{action[:80]}")

    def _restore(self, digest: object) -> Reply:
        if not isinstance(digest, str) or len(digest) != 64:
            return problem(Code.INVALID_REQUEST, "expected the SHA-256 of a table", "hash")
        if digest not in HASHES:
            message = f"no table of hash {digest} is kept; there are: {', '.join(HASHES)}"
            return problem(Code.UNKNOWN_TABLE, message, "hash")
        return self._table(digest)

    def _table(self, digest: str) -> Reply:
        before, self.table_hash = self.table_hash, digest if self._obeys else self.table_hash
        return reply_json(200, {"hash": digest, "previous_hash": before, "loaded_at": now_text()})

    def _put(self, part: str, key: str, change: Document) -> Reply:
        name = _VALUE_NAME.get(part, "state")
        refused = _refused(part, key, change.get(name), change.get("scope", RouteScope.ALL))
        if refused is not None:
            return refused
        setting = {name: change.get(name), "reason": change["reason"], "set_by": change.get("set_by", "operator")}
        setting["set_at"] = now_text()
        if part == "routes":
            setting["scope"] = change.get("scope", RouteScope.ALL)
            part = "synthetic_routes" if setting["scope"] == RouteScope.SYNTHETIC else part
        previous = self.settings[part].get(key)
        if self._obeys:
            self.settings[part][key] = setting
            if part == "routes":
                self.settings["synthetic_routes"].pop(key, None)
        return reply_json(200, {part: {key: setting}, "persisted": True, "previous": previous})


def _refused(part: str, key: str, value: object, scope: object) -> Reply | None:
    """Say why a change is refused, if it is."""
    if part not in _UNKNOWN:
        return problem(Code.NOT_FOUND, f"nothing is at /control/{part[:80]}")
    known, code, field = _UNKNOWN[part]
    if known is not None and key not in known:
        return problem(code, f"there is no {part} {key[:50]}", field)
    if part == "routes" and scope not in list(RouteScope):
        return problem(Code.INVALID_REQUEST, "expected all or synthetic", "scope")
    if part == "routes" and value is not None and value not in ROUTES[key]:
        return problem(Code.ROUTE_NOT_ALLOWED, f"expected one of {', '.join(ROUTES[key])}", "gateway")
    is_wrong = value not in list(_STATES[part]) if part in _STATES else _is_no_feature_state(part, value)
    return problem(Code.INVALID_REQUEST, "expected a state, a gateway or enabled") if is_wrong else None


def _is_no_feature_state(part: str, value: object) -> bool:
    return part == "features" and not isinstance(value, bool)


def _parse(body: bytes) -> Document | None:
    try:
        change: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return change if isinstance(change, dict) and change.get("reason") else None
