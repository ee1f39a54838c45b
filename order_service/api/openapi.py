"""The OpenAPI document: what each call answers, and the bodies that the routes parse themselves."""

from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

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


def answer(model: Any, description: str) -> dict[str, Any]:
    """Document an answer by its schema alone.

    Given a model, FastAPI builds a validator for each status of each route, which no answer passes through and which
    took most of the time to make the routes.
    """
    return {"description": description, "content": {"application/json": {"schema": _schema(model)}}}


def errors(*statuses: int) -> Responses:
    return {status: answer(ErrorDocument, "refused") for status in statuses}


def order_answers(*statuses: int) -> Responses:
    return {status: answer(OrderDocument, "the order") for status in statuses}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Document a body that the route parses itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(schema, definitions)}}}
    }


@cache
def _schema(model: Any) -> Any:
    schema = TypeAdapter(model).json_schema(mode="serialization")
    return _inlined(schema, schema.pop("$defs", {}))


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """Write definitions in place, since such a schema brings no components with it."""
    if isinstance(node, list):
        return [_inlined(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {**_inlined(definitions[reference.rpartition("/")[2]], definitions), **rest}
    return {key: _inlined(value, definitions) for key, value in node.items()}
