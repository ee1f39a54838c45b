"""Real orders in the background of a drill, and the proof that none was lost and none was sent twice."""

import json
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from deployments.stack.local_http import ask, without_login

SYMBOLS = {"equity": "AAPL", "future": "ESZ6", "fx": "EUR/USD", "crypto": "BTC-USD"}
ANSWER_TIMEOUT_S = 6.0
# What an order can be without any gateway having it: a promise that it was never received.
NEVER_RECEIVED = frozenset({"denied", "not_received"})


@dataclass
class OrderLoad:
    """Orders of every asset class, one after the other; what each was answered is kept by its id.

    An answer is the order's status, or the code of the refusal; None where nobody answered.
    """

    base_url: str
    per_s: float = 8.0
    answers: dict[str, str | None] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def send(self, asset_class: str = "equity") -> str | None:
        """Send one order and give what it was answered."""
        client_order_id = f"drill-{uuid.uuid4().hex}"
        self.answers[client_order_id] = None
        body = {
            "client_order_id": client_order_id,
            "symbol": SYMBOLS[asset_class],
            "side": "buy",
            "quantity": "1",
            "order_type": "limit",
            "limit_price": "10",
            "time_in_force": "day",
            "asset_class": asset_class,
            "strategy": "drill",
        }
        self.answers[client_order_id] = _word(ask(f"{self.base_url}/orders", body, ANSWER_TIMEOUT_S))
        return self.answers[client_order_id]

    def counted(self, *words: str | None) -> int:
        """Count the orders that were answered so."""
        return sum(word in words for word in list(self.answers.values()))

    @contextmanager
    def running(self) -> Iterator["OrderLoad"]:
        """Send orders of all classes until the block ends."""
        senders = [threading.Thread(target=self._keep_sending, args=(name,)) for name in SYMBOLS]
        for sender in senders:
            sender.start()
        try:
            yield self
        finally:
            self._over.set()
            for sender in senders:
                sender.join(ANSWER_TIMEOUT_S * 2)

    def _keep_sending(self, asset_class: str) -> None:
        while not self._over.wait(len(SYMBOLS) / self.per_s):
            self.send(asset_class)


def _word(answer: Any) -> str | None:
    if not isinstance(answer, dict):
        return None
    status, error = answer.get("status"), answer.get("error") or {}
    return str(error.get("code") if status in {None, "denied"} else status)


def put(url: str, body: dict[str, Any], *, token: str = "", method: str = "PUT") -> int | None:
    """Set a switch over HTTP; None where nobody answers."""
    url, login = without_login(url)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", **login}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5.0) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
    except OSError:
        return None


def booked(load: OrderLoad, admin_urls: list[str]) -> dict[str, list[dict[str, Any]]]:
    """List what the gateways together know of each order of the load, as their admin ports tell."""
    found: dict[str, list[dict[str, Any]]] = {}
    for url in admin_urls:
        answer = ask(f"{url}/orders", timeout_s=10)
        assert answer, f"{url} does not tell its orders"
        for one in answer["orders"]:
            if one["client_order_id"] in load.answers:
                found.setdefault(one["client_order_id"], []).append(one)
    return found


def doubled(load: OrderLoad, admin_urls: list[str]) -> list[str]:
    """List the orders that the gateways together received more than once."""
    found = booked(load, admin_urls)
    return [name for name, known in found.items() if sum(one["received_count"] for one in known) > 1]


def lost(load: OrderLoad, admin_urls: list[str]) -> list[str]:
    """List the orders that one side alone has: told as sent and at no gateway, or at one and told as never sent."""
    found, told = booked(load, admin_urls), journaled(load)
    return [name for name in load.answers if (told.get(name, "denied") in NEVER_RECEIVED) == (name in found)]


def told_otherwise(load: OrderLoad, admin_urls: list[str]) -> list[str]:
    """List the orders of which the service tells something else than the gateway that has them."""
    told = journaled(load)
    known = ((name, one["ord_status"]) for name, found in booked(load, admin_urls).items() for one in found)
    return [f"{name}: {status}, told as {told.get(name)}" for name, status in known if told.get(name) != status]


def journaled(load: OrderLoad) -> dict[str, str]:
    """Read from the service's journal what became of each order of the load; some it never took."""
    told: dict[str, str] = {}
    after: int | None = 0
    while after is not None:
        page = ask(f"{load.base_url}/orders?limit=1000&after={after}", timeout_s=10)
        assert page, "the service does not tell its orders"
        told |= {one["client_order_id"]: one["status"] for one in page["orders"]}
        after = page["next"]
    return {name: status for name, status in told.items() if name in load.answers}


def unproven(load: OrderLoad) -> list[str]:
    """List the orders whose outcome the journal does not know yet; all of them where nobody answers."""
    listed: list[str] = []
    for status in ("unknown", "in_flight"):
        found = ask(f"{load.base_url}/orders?status={status}&limit=1000", timeout_s=5)
        if found is None:
            return list(load.answers)
        listed += [one["client_order_id"] for one in found["orders"]]
    return [one for one in listed if one in load.answers]
