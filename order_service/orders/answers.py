"""An order as it is answered to a client, first time and every time after."""

from dataclasses import dataclass

import orjson

from order_service.api.contract import Document, OrderStatus, error_body, order_document
from order_service.journal.rows import JournaledOrder
from order_service.runtime.codes import Code, Refused


@dataclass(frozen=True, slots=True)
class Answer:
    http_status: int
    body: bytes
    retry_after_s: int | None = None


def error_json(code: Code, message: str, field: str | None = None) -> bytes:
    return orjson.dumps(error_body(code, message, field))


def refusal(refused: Refused) -> Answer:
    body = orjson.dumps({"error": error_body(refused.code, refused.message, refused.field)})
    return Answer(refused.code.http_status, body, refused.retry_after_s)


def journal_document(row: JournaledOrder) -> Document:
    return {**_order_document(row), "order": orjson.Fragment(row.body)}


def answer_of(row: JournaledOrder) -> Answer:
    """Write the answer to `POST /orders` for an order that stands in the journal."""
    return Answer(_http_status(row), orjson.dumps(_order_document(row)))


def _order_document(row: JournaledOrder) -> Document:
    execution, error = (None if part is None else orjson.Fragment(part) for part in (row.execution, row.error))
    return order_document(row, orjson.loads(row.body), execution, error)


def _http_status(row: JournaledOrder) -> int:
    if row.status is OrderStatus.IN_FLIGHT:
        return 202
    return 201 if row.error is None else Code[orjson.loads(row.error)["code"]].http_status
