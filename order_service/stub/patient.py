"""The scripted service itself: answers every call of the contract, with state that control calls change."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from order_service.senders import KnownHosts, is_json
from order_service.stub.control import Control
from order_service.stub.desk import FILLED, GATEWAYS, RELEASE, ROUTES, UNKNOWN, Document, Trade, now, order_document
from order_service.stub.exposition import Numbers, expose
from order_service.stub.routing_view import routing_document
from order_service.stub.wire import Reply, Request, reply_json

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


class Patient:
    """Answer the contract; ill only as its trade and its gateways that are down make it."""

    def __init__(
        self,
        control: Control,
        trade: Trade = FILLED,
        down: frozenset[str] = frozenset(),
        hosts: KnownHosts = LOOPBACK_ALONE,
    ) -> None:
        self._hosts = hosts
        self._trade = trade
        self._down = down
        self._started_at = now()
        self._control = control
        self._orders: dict[str, _Known] = {}
        self._outcomes: Counter[tuple[str, str, str]] = Counter()

    def lose(self, count: int) -> None:
        """Begin with real orders that were sent and whose outcome is never proven."""
        for number in range(count):
            asked = {**_UNRESOLVED, "client_order_id": f"unresolved-{number + 1}", "strategy": "momentum"}
            document = self._document(asked, ROUTES["equity"][0], UNKNOWN)
            self._orders[asked["client_order_id"]] = _Known(b"", UNKNOWN.http_status, document, asked)

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if request.path.startswith("/control/"):
            return self._control.answer(request)
        if request.is_new_order:
            return self._take(request)
        if request.method != "GET":
            return problem(405, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here")
        return self._show(request)

    def _refusal(self, request: Request) -> Reply | None:
        stranger = self._hosts.stranger(request.sender)
        if stranger is not None:
            status, code = (403, "FOREIGN_ORIGIN") if stranger.is_foreign_page else (421, "UNKNOWN_HOST")
            return problem(status, code, stranger.message, stranger.field)
        if request.method in {"POST", "PUT"} and not is_json(request.headers.get("content-type", "")):
            message = "expected Content-Type application/json in UTF-8"
            return problem(415, "UNSUPPORTED_CONTENT", message, "content-type")
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
            same = known.body == request.body
            refusal = problem(409, "DUPLICATE_CLIENT_ORDER_ID", "this id was used for another order")
            return reply_json(known.http_status, known.document) if same else refusal
        return self._deny(asked) or self._send(asked, request.body)

    def _deny(self, asked: Mapping[str, Any]) -> Reply | None:
        asset_class, strategy = asked["asset_class"], str(asked.get("strategy", ""))
        gateway = self._gateway(asked)
        field = None
        if self._control.trading_state(asset_class) == "halted":
            code, message, field = "TRADING_HALTED", f"trading in {asset_class} is halted", "asset_class"
        elif self._control.is_halted(strategy):
            code, message, field = "TRADING_HALTED", f"strategy {strategy} is halted", "strategy"
        elif self._control.draining:
            code, message = "DRAINING", "the service is draining"
        elif self._control.gateway_state(gateway) == "disabled":
            code, message = "GATEWAY_DISABLED", f"gateway {gateway} is disabled"
        elif gateway in self._down:
            code, message = "GATEWAY_UNREACHABLE", f"gateway {gateway} refused the connection"
        else:
            return None
        self._outcomes[asset_class, gateway, "denied"] += 1
        return problem(503, code, message, field)

    def _send(self, asked: Mapping[str, Any], body: bytes) -> Reply:
        gateway = self._gateway(asked)
        self._outcomes[asked["asset_class"], gateway, self._trade.status] += 1
        document = self._document(asked, gateway, self._trade)
        self._orders[asked["client_order_id"]] = _Known(body, self._trade.http_status, document, asked)
        return reply_json(self._trade.http_status, document)

    def _gateway(self, asked: Mapping[str, Any]) -> str:
        return self._control.route(asked["asset_class"], synthetic=bool(asked.get("synthetic", False)))

    def _document(self, asked: Mapping[str, Any], gateway: str, trade: Trade) -> Document:
        return order_document(asked, gateway, len(self._orders) + 1, trade)

    def _find(self, client_order_id: str) -> Reply:
        known = self._orders.get(client_order_id)
        return (
            reply_json(200, known.journaled())
            if known
            else problem(404, "UNKNOWN_ORDER", "no order stands under this id")
        )

    def _listed(self, query: str) -> Reply:
        asked = parse_qs(query)
        page = _page(asked.get("after", ["0"])[0], asked.get("limit", [str(_PAGE_COUNT)])[0])
        if page is None:
            return problem(422, "INVALID_REQUEST", f"expected limit from 1 to {_LONGEST_PAGE_COUNT} and after from 0")
        after, limit = page
        wanted = asked.get("status")
        orders = [(number, each.journaled()) for number, each in enumerate(self._orders.values(), 1) if number > after]
        found = [one for one in orders if not wanted or one[1]["status"] in wanted][:limit]
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


def problem(status: int, code: str, message: str, field: str | None = None) -> Reply:
    """Refuse in the one shape of the contract."""
    headers = {"Retry-After": "1"} if status == 503 else {}
    return reply_json(status, {"error": {"code": code, "message": message, "field": field}}, headers)


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
