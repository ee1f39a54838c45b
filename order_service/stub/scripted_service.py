"""The scripted service itself: answers every call of the contract, with state that control calls change."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from order_service.api.contract import Document, TradingState
from order_service.runtime.clock import now_text
from order_service.runtime.codes import Code
from order_service.runtime.known_hosts import KnownHosts, is_json
from order_service.stub.control_plane import StubControl
from order_service.stub.desk import FILLED, GATEWAYS, RELEASE, ROUTES, UNKNOWN, Trade, placed_document
from order_service.stub.http import Reply, Request, problem, reply_json
from order_service.stub.views import Numbers, expose, routing_document

_PAGE_COUNT, _LONGEST_PAGE_COUNT = 100, 1000
_UNRESOLVED = {"asset_class": "equity", "symbol": "AAPL", "side": "buy", "quantity": "100", "order_type": "market"}
_NEEDED = ("client_order_id", "symbol", "side", "quantity", "order_type", "asset_class")
LOOPBACK_ALONE = KnownHosts()


class _Known(NamedTuple):
    body: bytes
    http_status: int
    document: Document
    asked: Mapping[str, Any]

    def journaled(self) -> Document:
        return {**self.document, "order": dict(self.asked)}


class StubService:
    """Answer the contract; unhealthy only as its trade and the gateways that are down make it."""

    def __init__(
        self,
        control: StubControl,
        trade: Trade = FILLED,
        down: frozenset[str] = frozenset(),
        hosts: KnownHosts = LOOPBACK_ALONE,
    ) -> None:
        self._hosts = hosts
        self._trade = trade
        self._down = down
        self._started_at = now_text()
        self._control = control
        self._orders: dict[str, _Known] = {}
        self._outcomes: Counter[tuple[str, str, str]] = Counter()

    def place_unresolved(self, count: int) -> None:
        """Begin with real orders that were sent and whose outcome is never proven."""
        for number in range(count):
            asked = {**_UNRESOLVED, "client_order_id": f"unresolved-{number + 1}", "strategy": "momentum"}
            document = placed_document(asked, ROUTES["equity"][0], number + 1, UNKNOWN)
            self._orders[asked["client_order_id"]] = _Known(b"", UNKNOWN.http_status, document, asked)

    def answer(self, request: Request) -> Reply:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if request.path.startswith("/control/"):
            return self._control.answer(request)
        if request.is_new_order:
            return self._take(request)
        if request.method != "GET":
            return problem(Code.METHOD_NOT_ALLOWED, f"{request.method} is not allowed here")
        return self._show(request)

    def _refusal(self, request: Request) -> Reply | None:
        stranger = self._hosts.stranger(request.sender)
        if stranger is not None:
            code = Code.FOREIGN_ORIGIN if stranger.is_foreign_page else Code.UNKNOWN_HOST
            return problem(code, stranger.message, stranger.field)
        if request.method in {"POST", "PUT"} and not is_json(request.headers.get("content-type", "")):
            return problem(Code.UNSUPPORTED_CONTENT, "expected Content-Type application/json in UTF-8", "content-type")
        return None

    def _show(self, request: Request) -> Reply:
        match request.path:
            case "/health":
                return reply_json(200, self._health())
            case "/metrics":
                return Reply(200, expose(self._numbers()), content_type="text/plain; version=0.0.4; charset=utf-8")
            case "/routing":
                return reply_json(200, routing_document(self._control, self._down))
            case "/orders":
                return self._listed(request.query)
            case path if path.startswith("/orders/"):
                return self._find(path.removeprefix("/orders/"))
            case path:
                return problem(Code.NOT_FOUND, f"nothing is at {path[:100]}")

    def _health(self) -> Document:
        dependencies = {name: self._dependency(name) for name in GATEWAYS}
        not_ok = sorted(name for name, dependency in dependencies.items() if dependency["status"] != "ok")
        dependencies |= {"journal": {"status": "ok"}, "storage": {"status": "ok"}}
        return {
            "status": "degraded" if not_ok else "ok",
            "release": RELEASE,
            "started_at": self._started_at,
            "dependencies": dependencies,
            "reason": f"not ok: {', '.join(not_ok)}" if not_ok else None,
        }

    def _dependency(self, name: str) -> Document:
        if name in self._down:
            return {"status": "error", "latency_ms": None, "error": "connection refused"}
        setting = self._control.setting("gateways", name)
        if setting is not None and setting["state"] != "enabled":
            why = {"set_to": setting["state"], "reason": setting["reason"], "set_by": setting["set_by"]}
            return {"status": "degraded", "latency_ms": 1.0, **why}
        return {"status": "ok", "latency_ms": 1.0}

    def _take(self, request: Request) -> Reply:
        asked = _parse(request.body)
        if isinstance(asked, Reply):
            return asked
        known = self._orders.get(asked["client_order_id"])
        if known is not None:
            if known.body == request.body:
                return reply_json(known.http_status, known.document)
            return problem(Code.DUPLICATE_CLIENT_ORDER_ID, "this id was used for another order")
        return self._deny(asked) or self._send(asked, request.body)

    def _deny(self, asked: Mapping[str, Any]) -> Reply | None:
        asset_class, strategy = asked["asset_class"], str(asked.get("strategy", ""))
        gateway = self._gateway(asked)
        field = None
        if self._control.trading_state(asset_class) == TradingState.HALTED:
            code, message, field = Code.TRADING_HALTED, f"trading in {asset_class} is halted", "asset_class"
        elif self._control.is_halted(strategy):
            code, message, field = Code.TRADING_HALTED, f"strategy {strategy} is halted", "strategy"
        elif self._control.draining:
            code, message = Code.DRAINING, "the service is draining"
        elif self._control.gateway_state(gateway) == "disabled":
            code, message = Code.GATEWAY_DISABLED, f"gateway {gateway} is disabled"
        elif gateway in self._down:
            code, message = Code.GATEWAY_UNREACHABLE, f"gateway {gateway} refused the connection"
        else:
            return None
        self._outcomes[asset_class, gateway, "denied"] += 1
        return problem(code, message, field)

    def _send(self, asked: Mapping[str, Any], body: bytes) -> Reply:
        gateway = self._gateway(asked)
        self._outcomes[asked["asset_class"], gateway, self._trade.status] += 1
        document = placed_document(asked, gateway, len(self._orders) + 1, self._trade)
        self._orders[asked["client_order_id"]] = _Known(body, self._trade.http_status, document, asked)
        return reply_json(self._trade.http_status, document)

    def _gateway(self, asked: Mapping[str, Any]) -> str:
        return self._control.route(asked["asset_class"], synthetic=bool(asked.get("synthetic", False)))

    def _find(self, client_order_id: str) -> Reply:
        known = self._orders.get(client_order_id)
        if known is None:
            return problem(Code.UNKNOWN_ORDER, "no order stands under this id")
        return reply_json(200, known.journaled())

    def _listed(self, query: str) -> Reply:
        asked = parse_qs(query)
        page = _page(asked.get("after", ["0"])[0], asked.get("limit", [str(_PAGE_COUNT)])[0])
        if page is None:
            return problem(Code.INVALID_REQUEST, f"expected limit from 1 to {_LONGEST_PAGE_COUNT} and after from 0")
        after, limit = page
        wanted = asked.get("status")
        orders = [(number, each.journaled()) for number, each in enumerate(self._orders.values(), 1) if number > after]
        found = [order for order in orders if not wanted or order[1]["status"] in wanted][:limit]
        next_ = found[-1][0] if len(found) == limit else None
        return reply_json(200, {"orders": [each for _, each in found], "next": next_})

    def _numbers(self) -> Numbers:
        unknown = [each.document for each in self._orders.values() if each.document["status"] == "unknown"]
        synthetic = sum(1 for order in unknown if order["synthetic"])
        return Numbers(self._outcomes, (len(unknown) - synthetic, synthetic), self._down, self._control)


def _page(after: str, limit: str) -> tuple[int, int] | None:
    if not (after.isdecimal() and limit.isdecimal() and 1 <= int(limit) <= _LONGEST_PAGE_COUNT):
        return None
    return int(after), int(limit)


def _parse(body: bytes) -> dict[str, Any] | Reply:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return problem(Code.INVALID_JSON, "expected JSON")
    if not isinstance(asked, dict):
        return problem(Code.INVALID_ORDER, "expected an object")
    absent = [name for name in _NEEDED if not isinstance(asked.get(name), str | int | float)]
    if absent or asked["asset_class"] not in ROUTES:
        return problem(Code.INVALID_ORDER, f"expected {(absent or ['asset_class'])[0]}")
    return {**asked, "client_order_id": str(asked["client_order_id"])}
