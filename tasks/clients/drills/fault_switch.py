"""The door to the fault switch of a simulated gateway, and to what the gateway tells of its orders."""

from collections import Counter
from collections.abc import Mapping

import orjson

from tasks.clients.service.http import Call, exchange, http_client
from tasks.model.errors import CannotAct, CannotObserve, Code
from tasks.model.probes.probes import Exchange
from tasks.model.service.http_settings import HttpSettings
from tasks.rules.formats.json_values import parse_object, text_of
from tasks.settings import Gateway, ServiceSettings

TIMEOUT_S = 5.0
ANSWER_LIMIT_BYTES = 64 * 1_048_576
JSON = {"content-type": "application/json"}
NO_FAULT = {"fault": "none"}


async def switch_fault(service: ServiceSettings, gateway: str, switch: Mapping[str, str | int]) -> None:
    """Switch a fault on, or all faults off.

    Errors: `NOT_WELL` where the switch does not answer; then nobody knows which fault is in force.
    """
    url = admin_url(service.gateways[gateway])
    answer = await _asked(Call("PUT", f"{url}/faults", TIMEOUT_S, body=orjson.dumps(switch), headers=JSON))
    if answer.http_status != 200:
        found = answer.detail or f"http_status={answer.http_status} {answer.body[:200]}"
        raise CannotAct(Code.NOT_WELL, f"expected the fault switch of {gateway} to answer, found {found}; see its log")


async def received_counts(service: ServiceSettings) -> Counter[str]:
    """Count how often the gateways together received each order; the admin port tells the truth under any fault.

    Errors: `NOT_WELL` where one does not tell: what it holds cannot be called lost.
    """
    counts: Counter[str] = Counter()
    for name, gateway in service.gateways.items():
        found = await _asked(
            Call("GET", f"{admin_url(gateway)}/orders", TIMEOUT_S, body_limit_bytes=ANSWER_LIMIT_BYTES)
        )
        orders = (parse_object(found.body) or {}).get("orders")
        if not isinstance(orders, list):
            raise CannotObserve(
                Code.NOT_WELL, f"expected {name} to list its orders, found {found.detail or found.body[:200]}"
            )
        for one in orders:
            counts[text_of(one, "client_order_id") or ""] += int(one.get("received_count", 0))
    return counts


def admin_url(gateway: Gateway) -> str:
    """Name the admin port of a gateway.

    Errors: `NOT_OUR_STACK` where it has none: then it is no simulator.
    """
    if gateway.admin_url is None:
        detail = f"expected an admin_url for {gateway.base_url}, found none; drills break simulators only"
        raise CannotAct(Code.NOT_OUR_STACK, detail)
    return str(gateway.admin_url).rstrip("/")


async def _asked(call: Call) -> Exchange:
    async with http_client(HttpSettings(), TIMEOUT_S) as client:
        return await exchange(client, call)
