"""A lean source of orders in a process of its own: raw HTTP on kept connections, closed or open loop.

`python -m bench.orders_load PORT PREFIX SECONDS CONNECTIONS RATE` is for `bench.orders`. RATE is orders a second; 0
sends as fast as answers come. It prints one JSON document: how many, how fast, and which ids were accepted.
"""

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson
import uvloop

SYMBOLS = [("equity", "AAPL"), ("future", "ESZ6"), ("fx", "EUR/USD"), ("crypto", "BTC-USD")]
HEAD = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
GRACE_S = 5.0


@dataclass(slots=True)
class Tally:
    """What was sent and what came back; times in seconds, from when an order was due to its answer."""

    prefix: str
    sent_count: int = 0
    times_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)

    def next_order(self) -> tuple[str, bytes]:
        self.sent_count += 1
        asset_class, symbol = SYMBOLS[self.sent_count % len(SYMBOLS)]
        client_order_id = f"{self.prefix}-{self.sent_count}"
        body = {"client_order_id": client_order_id, "symbol": symbol, "side": "buy" if self.sent_count % 2 else "sell"}
        body |= {"quantity": "1", "order_type": "market", "time_in_force": "day", "asset_class": asset_class}
        return client_order_id, orjson.dumps({**body, "strategy": "bench"})

    def answered(self, client_order_id: str, status: int, due_at: float) -> None:
        self.times_s.append(time.perf_counter() - due_at)
        self.statuses[status] += 1
        if status in {200, 201, 202}:
            self.accepted.append(client_order_id)


def due_times(seconds: float, rate: float) -> Iterator[float]:
    """Say when each order is due: now, as often as somebody asks, or at a rate whatever comes back."""
    started_at, number = time.perf_counter(), 0
    while (due_at := started_at + number / rate if rate else time.perf_counter()) < started_at + seconds:
        yield due_at
        number += 1


async def keep_sending(port: int, tally: Tally, due: Iterator[float]) -> None:
    """Send on one connection, one order at a time; a connection that is lost is an error."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for due_at in due:
            if (early_s := due_at - time.perf_counter()) > 0:
                await asyncio.sleep(early_s)
            client_order_id, body = tally.next_order()
            writer.write(HEAD % len(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
            tally.answered(client_order_id, int(head[9:12]), due_at)
    except (OSError, asyncio.IncompleteReadError):
        tally.statuses[0] += 1
    finally:
        writer.close()


async def measure(port: int, tally: Tally, seconds: float, connections: int, rate: float) -> dict[str, object]:
    gc.collect()
    gc.disable()
    began_at, due = time.perf_counter(), due_times(seconds, rate)
    sending = [asyncio.create_task(keep_sending(port, tally, due)) for _ in range(connections)]
    await asyncio.wait(sending, timeout=seconds + GRACE_S)
    took_s = time.perf_counter() - began_at
    times = sorted(tally.times_s)
    ranks = {f"p{rank}_ms": 1000 * times[min(len(times) - 1, len(times) * rank // 100)] for rank in (50, 95, 99)}
    return {
        "orders": len(times), "sent": tally.sent_count, "per_s": len(times) / took_s, **ranks,
        "statuses": dict(tally.statuses), "accepted": tally.accepted,
    }  # fmt: skip


if __name__ == "__main__":
    port, prefix, seconds, connections, rate = sys.argv[1:]
    load = measure(int(port), Tally(prefix), float(seconds), int(connections), float(rate))
    json.dump(uvloop.run(load), sys.stdout)
