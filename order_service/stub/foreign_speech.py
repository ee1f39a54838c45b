"""The stub as a firm's own service would speak: its paths, its words, its metrics, by the firm's description."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from order_service.stub.description import SENT_ID, Description
from order_service.stub.foreign_words import OTHER_WORD, holding, listed, merged, not_holding, placed
from order_service.stub.http import Reply, Request

Document = dict[str, Any]
PLAIN = re.compile(r"\(\?[a-z]+[:)]|[\^$()]|\\[sAbzZ][*+?]?")
SAMPLE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(?<!\w)(\w++)="([^"]*+)"')


class ForeignSpeech:
    """Translate requests into the contract's, and its answers into the firm's."""

    def __init__(self, description: Description) -> None:
        self._is = description
        self._polled: dict[str, Document] = {}

    def heard(self, request: Request) -> Request | None:
        """Read a request as the contract's own; None for a path that is not described."""
        words, target = self._is, f"{request.path}{f'?{request.query}' if request.query else ''}"
        unproven = words.unproven.get("path")
        match request.method:
            case "GET" if request.path == words.health["path"]:
                return replace(request, path="/health")
            case "GET" if words.metrics["path"] and request.path == urlsplit(words.metrics["path"]).path:
                return replace(request, path="/metrics")
            case "GET" if unproven and target == unproven:
                return replace(request, path="/orders", query="status=unknown")
            case "GET" if polled := words.polled_id(target):
                return replace(request, path=f"/orders/{polled}")
            case method if words.orders["path"] and (method, target) == (words.orders["method"], words.orders["path"]):
                order = replace(request, method="POST", path="/orders", body=self._order(request))
                return replace(order, headers={**request.headers, "content-type": "application/json"})
            case _:
                return None

    def said(self, request: Request, reply: Reply) -> Reply:
        """Say an answer of the contract in the firm's words; `request` is the contract's own.

        Steps: what is no document of the contract any more, as half of one, goes out as it is.
        """
        if request.path == "/metrics":
            return replace(reply, body=self._metrics(reply.body.decode("utf-8", "replace")).encode())
        document = _document(reply)
        if document is None:
            return reply
        return self._health(reply, document) if request.path == "/health" else self._orders(request, reply, document)

    def _orders(self, request: Request, reply: Reply, document: Document) -> Reply:
        if request.is_new_order:
            return _json(reply, self._first_answer(document))
        if request.path == "/orders":
            return _json(reply, self._listing(document))
        polled = self._polled.get(request.path.removeprefix("/orders/"))
        return replace(_json(reply, polled), status=200) if polled else reply

    def _order(self, request: Request) -> bytes:
        body = request.body.decode("utf-8", "replace")
        sent = SENT_ID.search(body)
        order = {"symbol": "TEST", "side": "buy", "quantity": "1", "order_type": "limit", "synthetic": True}
        order |= {"client_order_id": sent.group() if sent else body[:100]}
        return json.dumps({**order, "asset_class": self._is.asset_class_of(body)}).encode()

    def _health(self, reply: Reply, document: Document) -> Reply:
        words, status = self._is.health, str(document.get("status"))
        if pattern := words.get("body_matches"):
            text = PLAIN.sub("", pattern) or "OK"
            return replace(reply, body=(text if status == "ok" else OTHER_WORD).encode(), content_type="text/plain")
        healthy, degraded = words["healthy_when"], words.get("degraded_when")
        made = holding(healthy) if status == "ok" else _degraded(healthy, degraded) if status == "degraded" else None
        made = not_holding(healthy) if made is None else made
        return _json(reply, merged(made, self._dependencies(document)))

    def _dependencies(self, document: Document) -> Any:
        expression, listed_here = self._is.health.get("dependencies"), document.get("dependencies")
        if not expression or not isinstance(listed_here, dict):
            return None
        good = _word(self._is.health.get("healthy_when"))
        parts = {name: good if one.get("status") == "ok" else OTHER_WORD for name, one in listed_here.items()}
        return listed(expression, parts)

    def _first_answer(self, document: Document) -> Any:
        whole = self._answer(document)
        if not self._is.poll or not document.get("order_id"):
            return whole
        self._polled[str(document["order_id"])] = whole
        accepted = _first(self._is.orders.get("accepted"), "new")
        return self._put(("order_id", str(document["order_id"])), ("status", accepted))

    def _answer(self, document: Document) -> Any:
        """Say what became of an order: the word of its status, and the execution where it filled."""
        error, execution = document.get("error") or {}, document.get("execution")
        reject = (execution or {}).get("reject") or error
        status = str(document.get("status", "rejected" if error else ""))
        known = {"filled": "filled", "rejected": "rejected"}
        word = _first(self._is.orders.get(known.get(status, "")), status) if status != "unknown" else None
        filled = execution if status == "filled" else None
        said = execution or {}
        return self._put(
            ("execution", filled),
            ("exec_type", said.get("exec_type")),
            ("quantity", said.get("cum_qty")),
            ("gateway", document.get("gateway") or error.get("gateway")),
            ("client_order_id", document.get("client_order_id")),
            ("order_id", document.get("order_id")),
            ("status", word),
            ("reject_code", reject.get("code")),
            ("reject_text", reject.get("text") or reject.get("message")),
        )

    def _put(self, *values: tuple[str, Any]) -> Any:
        made: Any = {}
        for key, value in values:
            if value is not None and self._is.orders.get(key):
                made = merged(made, placed(self._is.orders[key], value))
        return made

    def _listing(self, document: Document) -> Any:
        words = self._is.unproven
        unknown = _first(words.get("unknown"), "unknown")
        keys = {"id": "client_order_id", "asset_class": "asset_class"}
        orders = []
        for order in document.get("orders", []):
            made = placed(words["status"], unknown) if words.get("status") else {}
            for ours, theirs in keys.items():
                made = merged(made, placed(words[ours], order.get(theirs))) if words.get(ours) else made
            orders.append(made)
        return placed(words.get("items") or "orders", orders)

    def _metrics(self, text: str) -> str:
        names = self._is.metrics.get("names") or {}
        return "".join(f"{_renamed(line, names)}\n" for line in text.splitlines())


def check(description: Description) -> None:
    """Try every expression once.

    Errors: `CannotSpeak` names the one that the stub cannot make an answer for.
    """
    speech = ForeignSpeech(description)
    for status in ("ok", "degraded", "error"):
        dependencies = {"XNAS": {"status": "ok"}}
        speech.said(_request("/health"), _reply({"status": status, "dependencies": dependencies}))
    speech.said(
        _request("/orders", "POST"), _reply({"status": "filled", "order_id": "1", "execution": {"exec_id": "1"}})
    )
    speech.said(_request("/orders"), _reply({"orders": [{"client_order_id": "1", "asset_class": "equity"}]}))


def _request(path: str, method: str = "GET") -> Request:
    return Request(method, path, "", {}, b"")


def _reply(document: Document) -> Reply:
    return Reply(200, json.dumps(document).encode())


def _document(reply: Reply) -> Document | None:
    try:
        document = json.loads(reply.body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _json(reply: Reply, document: Any) -> Reply:
    return replace(reply, body=json.dumps(document).encode(), content_type="application/json")


def _degraded(healthy: str, degraded: str | None) -> Any:
    return holding(degraded) if degraded else not_holding(healthy)


def _word(condition: str | None) -> Any:
    """Find the word by which a condition is healthy: parts of a service say theirs in the same words."""
    found = re.search(r"== *'([^']*)'", condition or "")
    return found.group(1) if found else "ok"


def _first(words: Any, otherwise: str) -> str:
    return str(words[0]) if words else otherwise


def _renamed(line: str, names: Document) -> str:
    found = SAMPLE.fullmatch(line)
    theirs = names.get(found.group("name")) if found else None
    if found is None or theirs is None:
        return line
    theirs = {"name": theirs} if isinstance(theirs, str) else theirs
    labels, values = theirs.get("labels", {}), theirs.get("values", {})
    pairs = [
        (labels.get(key, key), _their_value(values.get(key, {}), value))
        for key, value in LABEL.findall(found.group("labels") or "")
    ]
    inside = ",".join(f'{key}="{value}"' for key, value in pairs)
    return f"{theirs['name']}{f'{{{inside}}}' if inside else ''} {found.group('value')}"


def _their_value(words: dict[str, str], ours: str) -> str:
    return next((theirs for theirs, mapped in words.items() if mapped == ours), ours)
