"""Reading a request body, bounded before it is parsed."""

from fastapi import Request
from starlette.requests import ClientDisconnect

from order_service.codes import Code, Refused
from order_service.senders import is_json

MAX_BODY_BYTES = 64 * 1024


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
