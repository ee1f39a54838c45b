"""How an order is told to a client, first time and every time after."""

from dataclasses import dataclass

import orjson

from order_service.codes import HTTP_STATUS, Code, Refused
from order_service.journal.rows import JournaledOrder
from order_service.order import OrderStatus


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, ready for the wire."""

    http_status: int
    body: bytes
    retry_after_s: int | None = None


def error_json(code: Code, message: str, field: str | None = None) -> bytes:
    """Write the inside of an `error` block."""
    return orjson.dumps({"code": code, "message": message, "field": field})


def refusal(refused: Refused) -> Answer:
    """Write the answer to a request that left no trace in the journal."""
    error = orjson.Fragment(error_json(refused.code, refused.message, refused.field))
    return Answer(HTTP_STATUS[refused.code], orjson.dumps({"error": error}), refused.retry_after_s)


def order_document(row: JournaledOrder) -> dict[str, object]:
    """Write an order in the shape of the contract; `error` stands there only when there is one."""
    asked = orjson.loads(row.body)
    document: dict[str, object] = {
        "order_id": row.order_id,
        "client_order_id": row.client_order_id,
        "asset_class": asked["asset_class"],
        "status": row.status,
        "gateway": row.gateway,
        "release": row.release,
        "accepted_at": row.accepted_at,
        "synthetic": asked["synthetic"],
        "execution": None if row.execution is None else orjson.Fragment(row.execution),
    }
    if row.error is not None:
        document["error"] = orjson.Fragment(row.error)
    return document


def journal_document(row: JournaledOrder) -> dict[str, object]:
    """Write an order as the journal knows it now, with what was asked."""
    return {**order_document(row), "order": orjson.Fragment(row.body)}


def answer_of(row: JournaledOrder) -> Answer:
    """Write the answer to `POST /orders` for an order that stands in the journal."""
    return Answer(_http_status(row), orjson.dumps(order_document(row)))


def _http_status(row: JournaledOrder) -> int:
    if row.status is OrderStatus.IN_FLIGHT:
        return 202
    if row.error is None:
        return 201
    return HTTP_STATUS[Code(orjson.loads(row.error)["code"])]
