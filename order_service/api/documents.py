"""The shapes of the answers, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel

from order_service.codes import Code
from order_service.order import AssetClass, OrderStatus


class ErrorBody(BaseModel):
    """Why something was refused, or what is missing from an answer."""

    code: Code
    message: str
    field: str | None


class ErrorDocument(BaseModel):
    """A refusal."""

    error: ErrorBody


class RejectBody(BaseModel):
    """The venue's no."""

    code: str
    text: str


class ExecutionBody(BaseModel):
    """What the gateway did; decimals are strings."""

    gateway: str
    gateway_order_id: str | None
    exec_id: str | None
    exec_type: str
    ord_status: str
    last_qty: str | None
    last_px: str | None
    cum_qty: str | None
    leaves_qty: str | None
    avg_px: str | None
    transact_time: str
    latency_ms: float
    reject: RejectBody | None


class OrderDocument(BaseModel):
    """An order that stands in the journal."""

    order_id: str
    client_order_id: str
    asset_class: AssetClass
    status: OrderStatus
    gateway: str | None
    release: str
    accepted_at: str
    synthetic: bool
    execution: ExecutionBody | None
    error: ErrorBody | None = None


class JournalDocument(OrderDocument):
    """An order as the journal knows it now, with what was asked."""

    order: dict[str, Any]


class JournalPage(BaseModel):
    """Orders in the order they came; `next` goes into `after` for the following page."""

    orders: list[JournalDocument]
    next: int | None


class Dependency(BaseModel):
    """One thing this service needs."""

    status: str
    latency_ms: float | None = None
    error: str | None = None


class HealthDocument(BaseModel):
    """Whether the service serves."""

    status: str
    release: str
    started_at: str
    dependencies: dict[str, Dependency]
    reason: str | None


Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """Document refusals under these HTTP statuses."""
    return {status: {"model": ErrorDocument, "description": "refused"} for status in statuses}


def order_answers(*statuses: int) -> Responses:
    """Document answers that carry an order."""
    return {status: {"model": OrderDocument, "description": "the order"} for status in statuses}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Document a body that the door parses by itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _inlined(schema, definitions)}},
        }
    }


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """Write definitions in place, since a hand-made body brings no components with it."""
    if isinstance(node, list):
        return [_inlined(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {**_inlined(definitions[reference.rpartition("/")[2]], definitions), **rest}
    return {key: _inlined(value, definitions) for key, value in node.items()}
