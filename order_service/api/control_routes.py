"""`/control`: changes by people and tools, behind a bearer token. Without a configured token it stays closed."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.security import HTTPBearer
from pydantic import SecretStr, ValidationError

from order_service.api.contract import AssetClass
from order_service.api.exchange import read_json_body, refused_body
from order_service.api.openapi import Responses, answer, errors, json_body
from order_service.control.plane import (
    Change,
    ControlPlane,
    FeatureChange,
    GatewayChange,
    RestoreChange,
    RouteChange,
    StrategyChange,
    TradingChange,
)
from order_service.control.tables import TableControl
from order_service.orders.order import STRATEGY_PATTERN
from order_service.runtime.codes import Code, Refused

_ANSWERS: Responses = {
    200: answer(dict[str, object], "in force"),
    **errors(400, 401, 403, 404, 409, 413, 415, 421, 422),
}
_ANSWERS_OF_FILES: Responses = {**_ANSWERS, **errors(503)}
ChangeT = TypeVar("ChangeT", bound=Change)
StrategyName = Annotated[str, Path(pattern=STRATEGY_PATTERN)]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,64}$")]


def control_routes(plane: ControlPlane, tables: TableControl, token: SecretStr | None) -> APIRouter:
    router = APIRouter(
        prefix="/control", dependencies=[Depends(HTTPBearer(auto_error=False)), Depends(_token_check(token))]
    )
    _open_settings(router, plane)
    _open_tables(router, tables)

    @router.post("/drain", responses=_ANSWERS, openapi_extra=json_body(Change))
    async def drain(request: Request) -> Response:
        """Take no new orders from here on."""
        return _done(plane.drain(await _read(Change, request)))

    return router


def _open_settings(router: APIRouter, plane: ControlPlane) -> None:
    @router.put("/gateways/{gateway}", responses=_ANSWERS, openapi_extra=json_body(GatewayChange))
    async def set_gateway(gateway: Name, request: Request) -> Response:
        """Set a gateway to enabled, degraded or disabled."""
        return _done(await plane.set_gateway(gateway, await _read(GatewayChange, request)))

    @router.put("/routes/{asset_class}", responses=_ANSWERS, openapi_extra=json_body(RouteChange))
    async def set_route(asset_class: AssetClass, request: Request) -> Response:
        """Send new orders of a class, or its test orders alone, to another gateway of its route."""
        return _done(await plane.set_route(asset_class, await _read(RouteChange, request)))

    @router.put("/trading/{asset_class}", responses=_ANSWERS, openapi_extra=json_body(TradingChange))
    async def set_trading(asset_class: AssetClass, request: Request) -> Response:
        """Set a class to active, reducing or halted; cancels always pass."""
        return _done(await plane.set_trading(asset_class, await _read(TradingChange, request)))

    @router.put("/strategies/{strategy}", responses=_ANSWERS, openapi_extra=json_body(StrategyChange))
    async def set_strategy(strategy: StrategyName, request: Request) -> Response:
        """Set a strategy to active or halted, in every class; cancels always pass."""
        return _done(await plane.set_strategy(strategy, await _read(StrategyChange, request)))

    @router.put("/features/{feature}", responses=_ANSWERS, openapi_extra=json_body(FeatureChange))
    async def set_feature(feature: Name, request: Request) -> Response:
        """Switch a feature on or off."""
        return _done(await plane.set_feature(feature, await _read(FeatureChange, request)))


def _open_tables(router: APIRouter, tables: TableControl) -> None:
    @router.post("/reload", responses=_ANSWERS, openapi_extra=json_body(Change))
    async def reload(request: Request) -> Response:
        """Take the routing table on disk."""
        return _done(await tables.reload(await _read(Change, request)))

    @router.post("/restore", responses=_ANSWERS_OF_FILES, openapi_extra=json_body(RestoreChange))
    async def restore(request: Request) -> Response:
        """Put a good routing table back, by its hash; GET /routing names those there are."""
        return _done(await tables.restore(await _read(RestoreChange, request)))


def _token_check(token: SecretStr | None) -> Callable[[Request], Awaitable[None]]:
    expected = None if token is None else token.get_secret_value().encode()

    async def check(request: Request) -> None:
        if expected is None:
            raise Refused(Code.CONTROL_DISABLED, "no control token is configured, so the control plane is closed")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        matches = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), expected)
        if scheme.lower() != "bearer" or not matches:
            raise Refused(Code.CONTROL_UNAUTHORIZED, "expected the control token as Bearer authorization")

    return check


async def _read(model: type[ChangeT], request: Request) -> ChangeT:
    try:
        return model.model_validate_json(await read_json_body(request))
    except ValidationError as error:
        raise refused_body(error, Code.INVALID_REQUEST) from error


def _done(document: dict[str, object]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
