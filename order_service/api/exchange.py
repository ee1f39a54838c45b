"""Reading a request body, bounded before it is parsed, and answering in one shape: `{"error": {…}}`."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from order_service.journal.rows import JournalUnavailable
from order_service.orders.answers import Answer, refusal
from order_service.runtime.codes import Code, Refused
from order_service.runtime.known_hosts import is_json
from order_service.runtime.validation import place_of, problems_of

MAX_BODY_BYTES = 64 * 1024
MAX_FIELD_LENGTH = 100
_BY_STATUS = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}


async def read_json_body(request: Request) -> bytes:
    """Read a JSON body of at most 64 KiB, whether or not its length is announced.

    Errors: Refused with BODY_TOO_LARGE or UNSUPPORTED_CONTENT.
    """
    if not is_json(request.headers.get("content-type", "")):
        raise Refused(Code.UNSUPPORTED_CONTENT, "expected Content-Type application/json in UTF-8", "content-type")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(Code.UNSUPPORTED_CONTENT, "expected a body without Content-Encoding", "content-encoding")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        return await _bounded_body(request)
    except ClientDisconnect:
        # Nobody is left to answer; a client that goes away is no fault of ours, and leaves no traceback in the log.
        raise Refused(Code.INVALID_JSON, "the client went away in mid-body") from None


async def _bounded_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return body


def _too_large() -> Refused:
    return Refused(Code.BODY_TOO_LARGE, f"expected at most {MAX_BODY_BYTES} bytes, was more")


def respond(answer: Answer) -> Response:
    headers = None if answer.retry_after_s is None else {"Retry-After": str(answer.retry_after_s)}
    return Response(answer.body, answer.http_status, headers, media_type="application/json")


def respond_refused(refused: Refused) -> Response:
    response = respond(refusal(refused))
    if refused.code is Code.CONTROL_UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refused.code is Code.DRAINING:
        response.headers["Connection"] = "close"
    return response


def refused_body(error: ValidationError, code: Code) -> Refused:
    """Give the refusal of a body: broken JSON, or the first field that is wrong."""
    problem = problems_of(error)[0]
    message, field = _reported(problem)
    if problem["type"] == "json_invalid":
        return Refused(Code.INVALID_JSON, message, field)
    if field is None and problem["type"] == "limit_price":
        field = "limit_price"
    return Refused(code, message, field)


def _reported(problem: Any) -> tuple[str, str | None]:
    place = place_of(part for part in problem["loc"] if part not in {"body", "query", "path"})
    return str(problem["msg"])[:500], place[:MAX_FIELD_LENGTH] or None


def install(app: FastAPI) -> None:
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(JournalUnavailable, _on_journal_unavailable)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_failure)


async def _on_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - the handler is registered for this type alone
    return respond_refused(error)


async def _on_journal_unavailable(_: Request, error: Exception) -> Response:
    return respond_refused(Refused(Code.JOURNAL_UNAVAILABLE, f"the journal cannot be read; {error}"))


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the handler is registered for this type alone
    return respond_refused(Refused(Code.INVALID_REQUEST, *_reported(error.errors()[0])))


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the handler is registered for this type alone
    code = _BY_STATUS.get(error.status_code, Code.INVALID_REQUEST)
    response = respond_refused(Refused(code, str(error.detail)))
    response.headers.update(error.headers or {})
    return response


async def _on_failure(_: Request, error: Exception) -> Response:
    """Answer a failure; it is raised again behind this and logged with its traceback by the server."""
    return respond_refused(Refused(Code.INTERNAL_ERROR, f"the service failed on this request; {type(error).__name__}"))
