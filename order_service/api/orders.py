"""`/orders`: send one, find one, list them, cancel one."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError

from order_service.answers import journal_document
from order_service.api.body import read_json_body
from order_service.api.documents import ErrorDocument, JournalDocument, JournalPage, errors, json_body, order_answers
from order_service.api.errors import first_problem, respond, respond_refused
from order_service.cancels import Cancels
from order_service.codes import Code, Refused
from order_service.journal.journal import Journal
from order_service.metrics import Metrics
from order_service.order import CLIENT_ORDER_ID_PATTERN, NewOrder, OrderStatus
from order_service.order_flow import OrderFlow

Id = Annotated[str, Path(pattern=CLIENT_ORDER_ID_PATTERN, max_length=64)]
_DENIED = errors(409, 422, 429, 503)


def orders_door(flow: OrderFlow, cancels: Cancels, journal: Journal, metrics: Metrics) -> APIRouter:
    """Open the doors for orders."""
    router = APIRouter()

    @router.post(
        "/orders",
        status_code=201,
        openapi_extra=json_body(NewOrder),
        responses={**order_answers(201, 202), **errors(400, 403, 413, 415, 421, 500), **_DENIED},
    )
    async def send_order(request: Request) -> Response:
        """Send an order once; the same id with the same body gives the same answer."""
        try:
            order = _parsed(await read_json_body(request))
        except Refused as refused:
            metrics.order_invalid(refused.code)
            return respond_refused(refused)
        try:
            return respond(await flow.take(order))
        except Refused as refused:
            return respond_refused(refused)

    @router.get("/orders", responses={200: {"model": JournalPage}, **errors(421, 422, 503)})
    async def list_orders(
        status: OrderStatus | None = None,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """List orders page by page, those of one status or all."""
        rows = await journal.page(status, after, limit)
        page = {
            "orders": [journal_document(row) for _, row in rows],
            "next": rows[-1][0] if len(rows) == limit else None,
        }
        return Response(orjson.dumps(page), media_type="application/json")

    @router.get("/orders/{client_order_id}", responses={200: {"model": JournalDocument}, **errors(404, 421, 422, 503)})
    async def find_order(client_order_id: Id) -> Response:
        """Find one order as the journal knows it now."""
        row = await journal.find(client_order_id)
        if row is None:
            raise Refused(Code.UNKNOWN_ORDER, "no order stands under this id", "client_order_id")
        return Response(orjson.dumps(journal_document(row)), media_type="application/json")

    @router.delete(
        "/orders/{client_order_id}",
        responses={
            200: {"model": JournalDocument},
            202: {"model": ErrorDocument},
            **errors(403, 404, 409, 421, 422, 503),
        },
    )
    async def cancel_order(client_order_id: Id) -> Response:
        """Cancel what is left of an order; passes in every trading state."""
        row = await cancels.cancel(client_order_id)
        return Response(orjson.dumps(journal_document(row)), media_type="application/json")

    return router


def _parsed(body: bytes) -> NewOrder:
    try:
        return NewOrder.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        message, field = first_problem(problems)
        if problems[0]["type"] == "json_invalid":
            raise Refused(Code.INVALID_JSON, message) from error
        if field is None and problems[0]["type"] == "limit_price":
            field = "limit_price"
        raise Refused(Code.INVALID_ORDER, message, field) from error
