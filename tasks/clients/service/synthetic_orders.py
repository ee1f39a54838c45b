"""Send the quarantined test order of an asset class, as the service's description says, and see what becomes of it."""

import asyncio
import contextlib
import time
import uuid
from datetime import UTC, datetime
from functools import partial

import orjson

from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.service.http import Call, HttpClient, exchange
from tasks.clients.service.probes import health_once
from tasks.clients.service.resting_orders import TakenBack, sent_and_taken_back
from tasks.clients.service.sent_order import SentOrder
from tasks.model.errors import CannotObserve, Code
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, OrderProbe
from tasks.rules.messages.redaction import cleaned
from tasks.rules.probes.blind import BlindChecks, or_blind
from tasks.rules.probes.synthetic_order import in_words, order_values, quarantine_fault, synthetic_body
from tasks.rules.probes.synthetic_result import OrderVerdict
from tasks.rules.service.filled_template import fill_body, fill_path
from tasks.settings import ServiceSettings

# An order that the service denied, or never answered for, it may have kept.
SENT_ON = frozenset(
    {
        *(OrderOutcome.EXECUTED, OrderOutcome.REJECTED, OrderOutcome.REJECTED_AS_EXPECTED),
        *(OrderOutcome.NO_EXECUTION, OrderOutcome.UNKNOWN),
    }
)


async def order_probe(
    client: HttpClient, service: ServiceSettings, asset_class: AssetClass, limit: asyncio.Timeout | None = None
) -> OrderProbe:
    """Send one quarantined synthetic order, once, with a deadline and no retry (safety rule 14).

    Runbook: §1.3 Verify order delivery.
    Errors: `BAD_SETTING` when the configured order breaks the quarantine; it is then never sent.
    """
    client_order_id = f"synthetic-{uuid.uuid4().hex}"
    call = synthetic_call(service, asset_class, client_order_id)
    started = time.monotonic()
    sent = SentOrder(client, service, asset_class, service.test_orders[asset_class].symbol, client_order_id)
    if service.orders.cancel is None:
        ended = TakenBack(await sent.outcome(await exchange(client, call, limit)))
    else:
        ended = await sent_and_taken_back(sent, call, limit)
    found = ended.found
    answer, is_first = found.exchange, found.exchange.method == call.method and found.exchange.url == call.url
    probe = OrderProbe(
        asset_class=asset_class,
        client_order_id=client_order_id,
        looked_at=datetime.now(UTC),
        exchange=answer,
        latency_ms=round((answer.seconds_s if is_first else time.monotonic() - started) * 1000, 2),
        left=ended.left,
        left_is_kept=ended.is_kept,
        **_placed(found.verdict, service, asset_class)._asdict(),
    )
    return cleaned(probe, secret_values(service))


def _placed(verdict: OrderVerdict, service: ServiceSettings, asset_class: AssetClass) -> OrderVerdict:
    """Name the gateway of an order that was sent on, where the answer does not: the one that takes its class.

    Errors: none; of two nobody guesses one, nor for an order that the service kept.
    """
    names = [name for name, one in service.gateways.items() if asset_class in one.asset_classes]
    is_known = verdict.gateway or service.orders.is_contract or verdict.outcome not in SENT_ON
    return verdict if is_known or len(names) != 1 else verdict._replace(gateway=names[0])


async def order_probes(client: HttpClient, service: ServiceSettings) -> tuple[OrderProbe, ...]:
    """Send one synthetic order for each asset class that has one, concurrently.

    Runbook: §1.3 Verify order delivery.
    Steps: an order may take as long as the service may wait for a gateway; but where the service does not even answer
    `/health` in its own time, nothing is gained by waiting longer, and the orders have timed out.
    """
    limits = {name: asyncio.timeout(service.look.order_timeout_s) for name in service.test_orders}
    blind = BlindChecks(datetime.now(UTC))
    probes = {
        name: asyncio.create_task(
            or_blind(order_probe(client, service, name, limits[name]), partial(blind.order, name))
        )
        for name in limits
    }
    if probes and (await health_once(client, service)).silent:
        for name in [name for name, probe in probes.items() if not probe.done()]:
            # It may be ending by itself at this very moment; then there is nothing left to end.
            with contextlib.suppress(RuntimeError):
                limits[name].reschedule(asyncio.get_running_loop().time())
    return tuple(await asyncio.gather(*probes.values()))


def synthetic_call(service: ServiceSettings, asset_class: AssetClass, client_order_id: str) -> Call:
    """Write the request of one synthetic order.

    Errors: `NOT_CONFIGURED` where the description takes no test order, or the class has none; `BAD_SETTING` when the
    configured order breaks the quarantine, or cannot be written as the description says.
    """
    order, described = service.test_orders.get(asset_class), service.orders
    if order is None:
        raise CannotObserve(Code.NOT_CONFIGURED, f"expected a test order of {asset_class}, found none; none was sent")
    if fault := quarantine_fault(order):
        raise CannotObserve(Code.BAD_SETTING, fault)
    values = in_words(order_values(order, asset_class, client_order_id), described.words)
    headers = {"content-type": described.content_type}
    if "body" in described.model_fields_set:
        body = fill_body(described.body, values, described.content_type)
    else:
        headers["x-client-order-id"] = client_order_id
        body = orjson.dumps(synthetic_body(order, asset_class, client_order_id)).decode()
    if body is None:
        detail = f"expected values that can stand in {described.content_type}, was {order.symbol}; none was sent"
        raise CannotObserve(Code.BAD_SETTING, detail)
    return Call(
        method=described.method,
        url=service.url + fill_path(described.path, values),
        deadline_s=service.look.order_timeout_s,
        body=body.encode(),
        headers=headers,
        body_limit_bytes=service.look.body_limit_bytes,
    )
