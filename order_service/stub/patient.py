"""The scripted service itself: answers every call of the contract, with state that control calls change."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from order_service.stub.control import Control
from order_service.stub.desk import FILLED, GATEWAYS, RELEASE, ROUTES, Document, Trade, now, order_document
from order_service.stub.exposition import Numbers, expose
from order_service.stub.wire import Reply, Request, reply_json

_NEEDED = ("client_order_id", "symbol", "side", "quantity", "order_type", "asset_class")


class Patient:
    """Answer the contract; ill only as its trade and its gateways that are down make it."""

    def __init__(self, control: Control, trade: Trade = FILLED, down: frozenset[str] = frozenset()) -> None:
        self._trade = trade
        self._down = down
        self._started_at = now()
        self._control = control
        self._orders: dict[str, tuple[bytes, int, Document]] = {}
        self._outcomes: Counter[tuple[str, str, str]] = Counter()

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        if request.path.startswith("/control/"):
            return self._control.answer(request)
        if request.is_new_order:
            return self._take(request)
        if request.method != "GET":
            return problem(405, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here")
        return self._show(request)

    def _show(self, request: Request) -> Reply:
        match request.path:
            case "/health":
                return reply_json(200, self._health())
            case "/metrics":
                return Reply(200, expose(self._numbers()), content_type="text/plain; version=0.0.4; charset=utf-8")
            case "/routing":
                return reply_json(200, self._control.routing(self._down))
            case "/orders":
                return reply_json(200, {"orders": self._listed(request.query), "next": None})
            case path if path.startswith("/orders/"):
                return self._find(path.removeprefix("/orders/"))
            case path:
                return problem(404, "NOT_FOUND", f"nothing is at {path[:100]}")

    def _health(self) -> Document:
        dependencies = {name: self._dependency(name) for name in GATEWAYS}
        sick = sorted(name for name, dependency in dependencies.items() if dependency["status"] != "ok")
        dependencies |= {"journal": {"status": "ok"}, "storage": {"status": "ok"}}
        return {
            "status": "degraded" if sick else "ok",
            "release": RELEASE,
            "started_at": self._started_at,
            "dependencies": dependencies,
            "reason": f"not ok: {', '.join(sick)}" if sick else None,
        }

    def _dependency(self, name: str) -> Document:
        if name in self._down:
            return {"status": "error", "latency_ms": None, "error": "connection refused"}
        if self._control.gateway_states[name] != "enabled":
            return {"status": "degraded", "latency_ms": 1.0, "set_to": self._control.gateway_states[name]}
        return {"status": "ok", "latency_ms": 1.0}

    def _take(self, request: Request) -> Reply:
        asked = _parse(request.body)
        if isinstance(asked, Reply):
            return asked
        known = self._orders.get(asked["client_order_id"])
        if known is not None:
            same = known[0] == request.body
            refusal = problem(409, "DUPLICATE_CLIENT_ORDER_ID", "this id was used for another order")
            return reply_json(known[1], known[2]) if same else refusal
        return self._deny(asked["asset_class"]) or self._send(asked, request.body)

    def _deny(self, asset_class: str) -> Reply | None:
        gateway = self._control.route(asset_class)
        if self._control.trading_states[asset_class] == "halted":
            code, message = "TRADING_HALTED", f"trading in {asset_class} is halted"
        elif self._control.draining:
            code, message = "DRAINING", "the service is draining"
        elif gateway in self._down:
            code, message = "GATEWAY_UNREACHABLE", f"gateway {gateway} refused the connection"
        else:
            return None
        self._outcomes[asset_class, gateway, "denied"] += 1
        return problem(503, code, message)

    def _send(self, asked: Mapping[str, Any], body: bytes) -> Reply:
        gateway = self._control.route(asked["asset_class"])
        self._outcomes[asked["asset_class"], gateway, self._trade.status] += 1
        document = order_document(asked, gateway, len(self._orders) + 1, self._trade)
        self._orders[asked["client_order_id"]] = (body, self._trade.http_status, document)
        return reply_json(self._trade.http_status, document)

    def _find(self, client_order_id: str) -> Reply:
        known = self._orders.get(client_order_id)
        return reply_json(200, known[2]) if known else problem(404, "UNKNOWN_ORDER", "no order stands under this id")

    def _listed(self, query: str) -> list[Document]:
        wanted = parse_qs(query).get("status")
        return [each for _, _, each in self._orders.values() if not wanted or each["status"] in wanted]

    def _numbers(self) -> Numbers:
        unknown = sum(1 for _, _, order in self._orders.values() if order["status"] == "unknown")
        return Numbers(self._outcomes, unknown, self._down, self._control.features, self._control.trading_states)


def problem(status: int, code: str, message: str) -> Reply:
    """Refuse in the one shape of the contract."""
    headers = {"Retry-After": "1"} if status == 503 else {}
    return reply_json(status, {"error": {"code": code, "message": message, "field": None}}, headers)


def _parse(body: bytes) -> dict[str, Any] | Reply:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return problem(400, "INVALID_JSON", "expected JSON")
    if not isinstance(asked, dict):
        return problem(422, "INVALID_ORDER", "expected an object")
    absent = [name for name in _NEEDED if not isinstance(asked.get(name), str | int | float)]
    if absent or asked["asset_class"] not in ROUTES:
        return problem(422, "INVALID_ORDER", f"expected {(absent or ['asset_class'])[0]}")
    return {**asked, "client_order_id": str(asked["client_order_id"])}
