"""The OpenAPI document: what each call answers, and the bodies that the routes parse themselves."""

from typing import Any

from pydantic import BaseModel

from order_service.api.contract import ErrorDocument, OrderDocument


class Dependency(BaseModel):
    status: str
    latency_ms: float | None = None
    error: str | None = None


class HealthDocument(BaseModel):
    status: str
    release: str
    started_at: str
    dependencies: dict[str, Dependency]
    reason: str | None


Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    return {status: {"model": ErrorDocument, "description": "refused"} for status in statuses}


def order_answers(*statuses: int) -> Responses:
    return {status: {"model": OrderDocument, "description": "the order"} for status in statuses}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Document a body that the route parses itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(schema, definitions)}}}
    }


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """Write definitions in place, since such a body brings no components with it."""
    if isinstance(node, list):
        return [_inlined(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {**_inlined(definitions[reference.rpartition("/")[2]], definitions), **rest}
    return {key: _inlined(value, definitions) for key, value in node.items()}
