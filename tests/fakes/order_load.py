"""Real orders in the background of a drill, and the proof that none was lost and none was sent twice."""

import json
import threading
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from deployments.local_http import ask

SYMBOLS = {"equity": "AAPL", "future": "ESZ6", "fx": "EUR/USD", "crypto": "BTC-USD"}
ANSWER_TIMEOUT_S = 6.0


@dataclass
class OrderLoad:
    """Orders of every asset class, one after the other; what each was answered is kept by its id."""

    base_url: str
    per_s: float = 8.0
    answers: dict[str, int | None] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def send(self, asset_class: str = "equity") -> int | None:
        """Send one order and give its HTTP status; None when no answer came."""
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
        self.answers[client_order_id] = self._post(json.dumps(body).encode())
        return self.answers[client_order_id]

    def _post(self, body: bytes) -> int | None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base_url}/orders", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)
        except OSError:
            return None

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


def received(admin_urls: list[str]) -> Counter[str]:
    """Count how often the gateways together received each order, as their admin ports tell."""
    counts: Counter[str] = Counter()
    for url in admin_urls:
        found = ask(f"{url}/orders", timeout_s=5) or {"orders": []}
        counts.update({one["client_order_id"]: one["received_count"] for one in found["orders"]})
    return counts


def doubled(load: OrderLoad, admin_urls: list[str]) -> list[str]:
    """List the orders that the gateways together received more than once."""
    return [one for one, count in received(admin_urls).items() if count > 1 and one in load.answers]


def lost(load: OrderLoad, admin_urls: list[str]) -> list[str]:
    """List the orders that were answered as executed and that no gateway has."""
    counts = received(admin_urls)
    return [one for one, status in load.answers.items() if status == 201 and counts[one] == 0]


def unproven(load: OrderLoad) -> list[str]:
    """List the orders whose outcome the journal does not know yet."""
    listed: list[str] = []
    for status in ("unknown", "in_flight"):
        found = ask(f"{load.base_url}/orders?status={status}&limit=1000", timeout_s=5) or {"orders": []}
        listed += [one["client_order_id"] for one in found["orders"]]
    return [one for one in listed if one in load.answers]
