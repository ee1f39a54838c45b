"""One gateway over HTTP. Each order is posted at most once; what came of it leaves as a value."""

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import Literal

import aiohttp
import orjson
from pydantic import ValidationError

from order_service.gateways.connection import LastCheckedBody, Recheck, no_recheck, why_no_connection
from order_service.gateways.execution import (
    CancelOutcome,
    CancelRefused,
    Executed,
    LookUpOutcome,
    NeverReceived,
    NotSent,
    NoUsableAnswer,
    Reject,
    Reported,
    SeenExecutions,
    SendOutcome,
    VenueExecution,
)
from order_service.orders.order import NewOrder
from order_service.routing.table import GatewayRules
from order_service.runtime.clock import utc_now
from order_service.runtime.codes import Code
from order_service.runtime.validation import first_problem

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 1024
# Below the keep-alive of common servers (uvicorn closes after 5 s): a connection the peer is about to close turns an
# order unknown, a fresh one costs a fraction of a millisecond.
KEEPALIVE_S = 3.0
PROOF_PAUSES_S = (0.0, 0.05, 0.2)
_JSON = {"Content-Type": "application/json"}
_BACK_OFF = frozenset({408, 425})

Method = Literal["POST", "GET", "DELETE"]


class GatewayClient:
    """Speak to one gateway through a small pool of its own, so that a slow one never starves another."""

    def __init__(self, name: str, base_url: str, rules: GatewayRules, recheck: Recheck = no_recheck) -> None:
        self.name = name
        self.rules = rules
        self._recheck = recheck
        self._orders_url = f"{base_url}/orders"
        self._session = self._new_session(keeps_connections=True)
        self._distrusted: aiohttp.ClientSession | None = None
        self._seen = SeenExecutions()
        self._out_count = 0

    async def send(self, order: NewOrder) -> SendOutcome:
        """Post the order once.

        Errors: none; every way a send can end is one of the outcomes.
        """
        started = time.perf_counter()
        body = LastCheckedBody(orjson.dumps(order.venue_fields()), partial(self._recheck, order, self.name))
        self._out_count += 1
        try:
            answer = await self._call("POST", self._orders_url, body)
        finally:
            self._out_count -= 1
        if body.refused is not None:
            return NotSent(body.refused.code, body.refused.message, body.refused.field)
        if not isinstance(answer, tuple):
            return answer
        outcome = self._sent(order.client_order_id, *answer, _ms_since(started))
        return await self._proven(order.client_order_id, started) if outcome is None else outcome

    async def _proven(self, client_order_id: str, started: float) -> SendOutcome:
        """Ask for an order that was answered with an execution reported before: one answer too many proves nothing.

        Asked on a connection of its own, a few times, since the gateway may still be at work on the order.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.rules.total_timeout_s):
                for pause_s in PROOF_PAUSES_S:
                    await asyncio.sleep(pause_s)
                    found = await self.look_up(client_order_id)
                    if isinstance(found, Executed):
                        return Executed(found.execution, _ms_since(started), is_repeated=True)
        message = f"gateway {self.name} answered with an execution that it reported before, for another order"
        return NoUsableAnswer(Code.GATEWAY_ANSWER_MISMATCHED, message)

    async def look_up(self, client_order_id: str) -> LookUpOutcome:
        """Ask what became of an order; asking changes nothing."""
        started = time.perf_counter()
        answer = await self._call("GET", f"{self._orders_url}/{client_order_id}")
        if isinstance(answer, NotSent | NoUsableAnswer):
            return NoUsableAnswer(answer.code, answer.message)
        status, body = answer
        if status == 404 and _says_unknown_order(body):
            return NeverReceived()
        return self._booked(client_order_id, status, body, _ms_since(started)) or self._not_its_own(client_order_id)

    async def cancel(self, client_order_id: str) -> CancelOutcome:
        """Ask the gateway to cancel what is left of an order."""
        started = time.perf_counter()
        answer = await self._call("DELETE", f"{self._orders_url}/{client_order_id}")
        if isinstance(answer, NotSent):
            return CancelRefused(f"gateway {self.name} could not be asked: {answer.message}")
        if isinstance(answer, NoUsableAnswer):
            return answer
        status, body = answer
        if 400 <= status < 500:
            return CancelRefused(f"gateway {self.name} answered {status}: {_venue_reason(body, status).text}")
        return self._booked(client_order_id, status, body, _ms_since(started)) or self._not_its_own(client_order_id)

    async def close(self) -> None:
        await self._session.close()
        if self._distrusted is not None:
            await self._distrusted.close()

    def _new_session(self, *, keeps_connections: bool) -> aiohttp.ClientSession:
        rules = self.rules
        limit = rules.max_connections
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limit, keepalive_timeout=KEEPALIVE_S)
            if keeps_connections
            else aiohttp.TCPConnector(limit=limit, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None,
                connect=rules.connect_timeout_s,
                sock_connect=rules.connect_timeout_s,
                sock_read=rules.read_timeout_s,
            ),
        )

    def _distrust_kept_connections(self) -> None:
        """Use each connection once from here on.

        On a kept connection that gave one answer too many, every later answer is that of the order before. A gateway
        that has done so costs a connect per order until the service restarts.
        """
        if self._distrusted is None:
            self._distrusted, self._session = self._session, self._new_session(keeps_connections=False)

    async def _call(
        self, method: Method, url: str, body: LastCheckedBody | None = None
    ) -> tuple[int, bytes] | NotSent | NoUsableAnswer:
        """Make one request; separate what surely sent nothing from what may have.

        aiohttp repeats GET and DELETE once when a kept connection turns out closed, but never POST.
        """
        try:
            async with (
                asyncio.timeout(self.rules.total_timeout_s),
                self._session.request(method, url, data=body, headers=_JSON, allow_redirects=False) as response,
            ):
                return response.status, await _read_bounded(response)
        except aiohttp.ClientConnectorError as error:
            return NotSent(
                Code.GATEWAY_UNREACHABLE, f"no connection to gateway {self.name}: {why_no_connection(error)}"
            )
        except aiohttp.ConnectionTimeoutError:
            return self._no_connection()
        except TimeoutError:
            return NoUsableAnswer(Code.GATEWAY_TIMEOUT, f"gateway {self.name} did not answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return NoUsableAnswer(Code.GATEWAY_DISCONNECTED, f"gateway {self.name} broke off; {type(error).__name__}")

    def _no_connection(self) -> NotSent:
        """Separate a gateway that takes no connection from one whose connections are all taken."""
        waited = f"in {self.rules.connect_timeout_s:g} s"
        if self._out_count > self.rules.max_connections:
            return NotSent(Code.GATEWAY_BUSY, f"all connections to gateway {self.name} stayed taken {waited}")
        return NotSent(Code.GATEWAY_UNREACHABLE, f"no connection to gateway {self.name} {waited}")

    def _sent(self, client_order_id: str, status: int, body: bytes, latency_ms: float) -> SendOutcome | None:
        if 400 <= status < 500 and status not in _BACK_OFF:
            return Executed(_refusal(_venue_reason(body, status)), latency_ms)
        return self._booked(client_order_id, status, body, latency_ms)

    def _booked(
        self, client_order_id: str, status: int, body: bytes, latency_ms: float
    ) -> Executed | NoUsableAnswer | None:
        """Read an execution; None where it was reported before, for another order."""
        if status not in {200, 201}:
            return NoUsableAnswer(Code.GATEWAY_ANSWER_UNUSABLE, f"gateway {self.name} answered {status}")
        try:
            execution = VenueExecution.model_validate_json(body)
        except ValidationError as error:
            place, _ = first_problem(error, "body")
            return NoUsableAnswer(
                Code.GATEWAY_ANSWER_UNUSABLE, f"gateway {self.name} answered an execution that is broken at {place}"
            )
        other = self._seen.of_another(execution, client_order_id)
        if other is not None and self._is_repeated(execution, client_order_id, other):
            self._distrust_kept_connections()
            return None
        if execution.client_order_id not in {None, client_order_id}:
            self._distrust_kept_connections()
            return self._not_its_own(client_order_id)
        self._seen.remember(execution, client_order_id)
        return Executed(execution, latency_ms)

    def _is_repeated(self, execution: VenueExecution, client_order_id: str, other: Reported) -> bool:
        """Separate an answer too many from an id that the gateway gave twice on one day; both are logged as errors.

        Twice given is believed where a connection that carried no other order names this one, with a time of its own.
        """
        log.error(
            "EXEC_ID_REPEATED: gateway=%s, exec_id=%s, client_order_id=%s, reported_before_for=%s",
            *(self.name, execution.exec_id, client_order_id, other.client_order_id),
        )
        is_its_own = execution.client_order_id == client_order_id and execution.transact_time != other.transact_time
        return self._distrusted is None or not is_its_own

    def _not_its_own(self, client_order_id: str) -> NoUsableAnswer:
        message = f"gateway {self.name} answered for another order than {client_order_id}"
        return NoUsableAnswer(Code.GATEWAY_ANSWER_MISMATCHED, message)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """Read an answer; of one that refuses by its status, as much as is kept."""
    body = await response.content.read(MAX_ANSWER_BYTES)
    while chunk := await response.content.read(MAX_ANSWER_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            if 400 <= response.status < 500:
                return body[:MAX_ANSWER_BYTES]
            raise aiohttp.ClientPayloadError("answer too large")
    return body


def _error_of(body: bytes) -> dict[str, object]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


def _says_unknown_order(body: bytes) -> bool:
    return _error_of(body).get("code") == "UNKNOWN_ORDER"


def _venue_reason(body: bytes, status: int) -> Reject:
    error = _error_of(body)
    text = error.get("message") or error.get("text") or f"the gateway refused the request with {status}"
    return Reject.model_validate({"code": error.get("code") or f"HTTP_{status}", "text": text})


def _refusal(reject: Reject) -> VenueExecution:
    """Write a refusal by HTTP status as the reject it is: the gateway read the request and booked nothing."""
    return VenueExecution(
        gateway_order_id=None,
        exec_id=None,
        exec_type="rejected",
        ord_status="rejected",
        transact_time=utc_now(),
        reject=reject,
    )
