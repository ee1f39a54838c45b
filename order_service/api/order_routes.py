"""`/orders`: send one, find one, list them, cancel one."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError

from order_service.api.contract import ErrorDocument, JournalDocument, JournalPage, OrderStatus
from order_service.api.exchange import read_json_body, refused_body, respond, respond_refused
from order_service.api.openapi import answer, errors, json_body, order_answers
from order_service.journal.journal import Journal
from order_service.orders.answers import journal_document
from order_service.orders.flow import OrderFlow
from order_service.orders.order import CLIENT_ORDER_ID_PATTERN, NewOrder
from order_service.orders.reconciler import Cancels
from order_service.runtime.codes import Code, Refused
from order_service.telemetry.metrics import Metrics

Id = Annotated[str, Path(pattern=CLIENT_ORDER_ID_PATTERN, max_length=64)]
_DENIED = errors(409, 422, 429, 503)


def order_routes(flow: OrderFlow, cancels: Cancels, journal: Journal, metrics: Metrics) -> APIRouter:
    router = APIRouter()
    _add_sending(router, flow, metrics)
    _add_reading(router, journal)

    @router.delete(
        "/orders/{client_order_id}",
        responses={
            200: answer(JournalDocument, "canceled"),
            202: answer(ErrorDocument, "asked for, and not proven"),
            **errors(403, 404, 409, 421, 422, 503),
        },
    )
    async def cancel_order(client_order_id: Id) -> Response:
        """Cancel what is left of an order; passes in every trading state."""
        row = await cancels.cancel(client_order_id)
        return Response(orjson.dumps(journal_document(row)), media_type="application/json")

    return router


def _add_sending(router: APIRouter, flow: OrderFlow, metrics: Metrics) -> None:
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


def _add_reading(router: APIRouter, journal: Journal) -> None:
    @router.get("/orders", responses={200: answer(JournalPage, "the orders"), **errors(421, 422, 503)})
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

    @router.get(
        "/orders/{client_order_id}",
        responses={200: answer(JournalDocument, "the order"), **errors(404, 421, 422, 503)},
    )
    async def find_order(client_order_id: Id) -> Response:
        """Find one order as the journal knows it now."""
        row = await journal.find(client_order_id)
        if row is None:
            raise Refused(Code.UNKNOWN_ORDER, "no order stands under this id", "client_order_id")
        return Response(orjson.dumps(journal_document(row)), media_type="application/json")


def _parsed(body: bytes) -> NewOrder:
    try:
        return NewOrder.model_validate_json(body)
    except ValidationError as error:
        raise refused_body(error, Code.INVALID_ORDER) from error
