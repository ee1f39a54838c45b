"""A lean source of orders in a process of its own: raw HTTP on kept connections, closed or open loop.

Run by `bench.orders`; prints one JSON document: how many, how fast, and which ids were accepted.
"""

import argparse
import asyncio
import gc
import json
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import orjson

_SYMBOLS = [("equity", "AAPL"), ("future", "ESZ6"), ("fx", "EUR/USD"), ("crypto", "BTC-USD")]
_GRACE_S = 5.0


@dataclass(slots=True)
class Tally:
    """Hold what was sent and what came back; times in seconds, from when an order was due to its answer."""

    prefix: str
    sent_count: int = 0
    times_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)

    def next_order(self) -> tuple[str, bytes]:
        """Make the next order, with its id."""
        self.sent_count += 1
        asset_class, symbol = _SYMBOLS[self.sent_count % len(_SYMBOLS)]
        known_as = f"{self.prefix}-{self.sent_count}"
        body = {"client_order_id": known_as, "symbol": symbol, "side": "buy" if self.sent_count % 2 else "sell"}
        body |= {"quantity": "1", "order_type": "market", "time_in_force": "day", "asset_class": asset_class}
        return known_as, orjson.dumps({**body, "strategy": "bench"})

    def answered(self, known_as: str, status: int, due_at: float) -> None:
        """Note one answer."""
        self.times_s.append(time.perf_counter() - due_at)
        self.statuses[status] += 1
        if status in {200, 201, 202}:
            self.accepted.append(known_as)


class Connection(asyncio.Protocol):
    """One kept connection with one order out at a time."""

    def __init__(self, source: "Source") -> None:
        self._source = source
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._out = ("", 0.0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Report for work."""
        self._transport = transport  # type: ignore[assignment]
        self._source.idle.append(self)

    def send(self, known_as: str, body: bytes, due_at: float) -> None:
        """Send one order."""
        self._out = (known_as, due_at)
        head = (
            b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        )
        if self._transport is not None:
            self._transport.write(head % len(body) + body)

    def data_received(self, data: bytes) -> None:
        """Read an answer; when it is whole, note it and take the next order."""
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._source.tally.answered(self._out[0], int(head[9:12]), self._out[1])
        self._source.free(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        """Count a lost connection as an error."""
        if not self._source.is_over():
            self._source.tally.statuses[0] += 1


class Source:
    """Send orders: as many as come back (closed loop) or at a rate whatever comes back (open loop)."""

    def __init__(self, tally: Tally, seconds: float, rate: float) -> None:
        self.tally = tally
        self.idle: deque[Connection] = deque()
        self._rate = rate
        self._due: deque[float] = deque()
        self._started_at = time.perf_counter()
        self._ends_at = self._started_at + seconds

    def is_over(self) -> bool:
        """Say whether the time for new orders is over."""
        return time.perf_counter() >= self._ends_at

    def free(self, connection: Connection) -> None:
        """Take back a connection and use it again if an order is due."""
        if self._rate:
            self.idle.append(connection)
            self._send_due()
        elif self.is_over():
            self.idle.append(connection)
        else:
            connection.send(*self.tally.next_order(), time.perf_counter())

    async def run(self, connections_count: int) -> float:
        """Send until the time is over and the last answer is in; give the seconds it took."""
        for connection in [self.idle.popleft() for _ in range(connections_count)]:
            self.free(connection)
        scheduled = 0
        while not self.is_over():
            await asyncio.sleep(0.001 if self._rate else 0.05)
            due = int((time.perf_counter() - self._started_at) * self._rate)
            self._due.extend(self._started_at + number / self._rate for number in range(scheduled, due))
            scheduled = max(scheduled, due)
            self._send_due()
        await self._settle(connections_count)
        return time.perf_counter() - self._started_at

    def _send_due(self) -> None:
        while self._due and self.idle:
            self.idle.popleft().send(*self.tally.next_order(), self._due.popleft())

    async def _settle(self, connections_count: int) -> None:
        last = time.perf_counter() + _GRACE_S
        while (self._due or len(self.idle) < connections_count) and time.perf_counter() < last:  # noqa: ASYNC110 - one waiter
            await asyncio.sleep(0.001)


async def measure(given: argparse.Namespace) -> dict[str, object]:
    """Run one load and tell what came of it."""
    tally = Tally(given.prefix)
    source = Source(tally, given.seconds, given.rate)
    loop = asyncio.get_running_loop()
    for _ in range(given.connections):
        await loop.create_connection(lambda: Connection(source), "127.0.0.1", given.port)
    gc.collect()
    gc.disable()
    took_s = await source.run(given.connections)
    times = sorted(tally.times_s)
    return {
        "orders": len(times),
        "sent": tally.sent_count,
        "per_s": len(times) / took_s,
        **{
            f"p{rank}_ms": 1000 * times[min(len(times) - 1, len(times) * rank // 100)] for rank in (50, 95, 99) if times
        },
        "statuses": dict(tally.statuses),
        "accepted": tally.accepted,
    }


def main() -> None:
    """Run one load as the command line says."""
    parser = argparse.ArgumentParser(description="Send orders and measure the answers.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--prefix", required=True, help="beginning of every order id")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0, help="orders a second; 0 sends as fast as answers come")
    json.dump(_run(parser.parse_args()), sys.stdout)


def _run(given: argparse.Namespace) -> dict[str, object]:
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return asyncio.run(measure(given))
    return uvloop.run(measure(given))


if __name__ == "__main__":
    main()
