"""One shape for everything that is refused at the doors: `{"error": {"code", "message", "field"}}`."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from order_service.answers import Answer, refusal
from order_service.codes import Code, Refused
from order_service.journal.schema import JournalUnavailable

_BY_STATUS = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}
MAX_FIELD_LENGTH = 100


def respond(answer: Answer) -> Response:
    """Put an answer on the wire."""
    headers = {}
    if answer.retry_after_s is not None:
        headers = {"Retry-After": str(answer.retry_after_s)}
    return Response(answer.body, answer.http_status, headers, media_type="application/json")


def respond_refused(refused: Refused) -> Response:
    """Put a refusal on the wire."""
    response = respond(refusal(refused))
    if refused.code is Code.CONTROL_UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refused.code is Code.DRAINING:
        response.headers["Connection"] = "close"
    return response


def first_problem(problems: Sequence[Any]) -> tuple[str, str | None]:
    """Give what the first validation problem says and the field it is about."""
    problem = problems[0]
    place = ".".join(str(part) for part in problem["loc"] if part not in {"body", "query", "path"})
    return str(problem["msg"])[:500], place[:MAX_FIELD_LENGTH] or None


def install(app: FastAPI) -> None:
    """Answer every refusal and failure in the one shape."""
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
    message, field = first_problem(error.errors())
    return respond_refused(Refused(Code.INVALID_REQUEST, message, field))


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the handler is registered for this type alone
    code = _BY_STATUS.get(error.status_code, Code.INVALID_REQUEST)
    response = respond_refused(Refused(code, str(error.detail)))
    response.headers.update(error.headers or {})
    return response


async def _on_failure(_: Request, error: Exception) -> Response:
    """Answer a failure; it is raised again behind this and logged with its traceback by the server."""
    return respond_refused(Refused(Code.INTERNAL_ERROR, f"the service failed on this request; {type(error).__name__}"))
