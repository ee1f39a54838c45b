"""Orders of every class in the background of a drill, and the question what became of each of them."""

import asyncio
import threading
import time
import uuid
from pathlib import Path

import orjson

from tasks.clients.drills.fault_switch import received_counts
from tasks.clients.service.http import Call, HttpClient, exchange, http_client
from tasks.clients.service.probes import order_status
from tasks.model.drills.drills import OrderTally, Sent
from tasks.model.errors import CannotAct, Code, RunbookError
from tasks.model.probes.orders import AssetClass
from tasks.rules.drills.scoring import NOT_PROVEN, tally_of
from tasks.rules.formats.json_values import parse_object, text_of
from tasks.settings import ServiceSettings

SYMBOLS = {AssetClass.EQUITY: "AAPL", AssetClass.FUTURE: "ESZ6", AssetClass.FX: "EUR/USD", AssetClass.CRYPTO: "BTC-USD"}
EVERY_S = 1.0
ANSWER_S = 6.0
FIRST_FILLS_S = 10.0
PROVEN_WITHIN_S = 45.0
AGAIN_S = 0.5
EXECUTED = 201
# One flow of orders at a time for each stack; the run that started it ends it, or ends with it.
_flows: dict[Path, "OrderFlow"] = {}


class OrderFlow:
    """One order of each class a second, until it is ended; what each was answered is kept by its id."""

    def __init__(self, service: ServiceSettings) -> None:
        self._service = service
        self._over = threading.Event()
        self.answers: dict[str, int | None] = {}
        self.filled: set[AssetClass] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send_all()), daemon=True)

    def start(self, within_s: float) -> None:
        """Begin, and wait until an order of each class was executed.

        Errors: `NOT_WELL` where one is not, in `within_s`.
        """
        self._thread.start()
        deadline = time.monotonic() + within_s
        while self.filled != set(SYMBOLS):
            if time.monotonic() > deadline:
                missing = ", ".join(sorted(set(SYMBOLS) - self.filled))
                self.end()
                detail = f"expected an order of each class to be executed, found none in {missing}"
                raise CannotAct(Code.NOT_WELL, detail)
            time.sleep(AGAIN_S / 5)

    def end(self) -> None:
        self._over.set()
        self._thread.join(ANSWER_S * 2)

    async def _send_all(self) -> None:
        async with http_client(self._service.http, self._service.look.connect_timeout_s) as client:
            await asyncio.gather(*(self._keep_sending(client, name) for name in SYMBOLS))

    async def _keep_sending(self, client: HttpClient, name: AssetClass) -> None:
        while not self._over.is_set():
            await self._send(client, name)
            await asyncio.to_thread(self._over.wait, EVERY_S)

    async def _send(self, client: HttpClient, name: AssetClass) -> None:
        client_order_id = f"drill-{uuid.uuid4().hex}"
        self.answers[client_order_id] = None
        url, headers = f"{self._service.url}/orders", {"content-type": "application/json"}
        call = Call("POST", url, ANSWER_S, orjson.dumps(_body(name, client_order_id)), headers)
        answered = (await exchange(client, call)).http_status
        self.answers[client_order_id] = answered
        if answered == EXECUTED:
            self.filled.add(name)


def begin_orders(state_dir: Path, service: ServiceSettings, within_s: float = FIRST_FILLS_S) -> None:
    """Begin to send orders, and wait until one of each class was executed.

    Errors: `NOT_WELL` where one is not.
    """
    flow = OrderFlow(service)
    flow.start(within_s)
    _flows[state_dir] = flow


async def end_orders(state_dir: Path, service: ServiceSettings) -> OrderTally:
    """Stop sending, wait until each order is proven, and say what became of all.

    Where the journal or a gateway does not tell, the tally says so.
    """
    flow = _flows.pop(state_dir, None)
    if flow is None:
        return OrderTally(blind="no orders were sent by this run")
    await asyncio.to_thread(flow.end)
    try:
        return await _tallied(service, flow.answers)
    except RunbookError as error:
        return OrderTally(sent_count=len(flow.answers), blind=str(error))


async def _tallied(service: ServiceSettings, answers: dict[str, int | None]) -> OrderTally:
    """Ask the journal for each order until it is proven, then the gateways for all of them."""
    journal: dict[str, str | None] = {}
    deadline = time.monotonic() + PROVEN_WITHIN_S
    async with http_client(service.http, service.look.connect_timeout_s) as client:
        while open_ids := [one for one in answers if one not in journal or journal[one] in NOT_PROVEN]:
            for one in open_ids:
                journal[one] = await _in_journal(client, service, one)
            if time.monotonic() > deadline:
                break
            if NOT_PROVEN & {journal[one] for one in open_ids}:
                await asyncio.sleep(AGAIN_S)
    counts = await received_counts(service)
    return tally_of(
        Sent(client_order_id=one, http_status=status, journal=journal[one], received_count=counts[one])
        for one, status in answers.items()
    )


async def _in_journal(client: HttpClient, service: ServiceSettings, client_order_id: str) -> str | None:
    answer = await order_status(client, service, client_order_id)
    status = text_of(parse_object(answer.body), "status", 100)
    if status is None and answer.http_status != 404:
        found = answer.detail or f"http_status={answer.http_status}"
        raise CannotAct(Code.NOT_WELL, f"expected the journal to know {client_order_id}, found {found}")
    return status if answer.http_status != 404 else None


def _body(name: AssetClass, client_order_id: str) -> dict[str, str]:
    return {
        "client_order_id": client_order_id,
        "symbol": SYMBOLS[name],
        "side": "buy",
        "quantity": "1",
        "order_type": "limit",
        "limit_price": "10",
        "time_in_force": "day",
        "asset_class": name,
        "strategy": "drill",
    }
