"""Reading a request body, bounded before it is parsed."""

from fastapi import Request

from order_service.codes import Code, Refused

MAX_BODY_BYTES = 64 * 1024


async def read_json_body(request: Request) -> bytes:
    """Read a JSON body of at most 64 KiB, whether or not its length is announced.

    Errors: Refused with BODY_TOO_LARGE or UNSUPPORTED_CONTENT.
    """
    content_type = request.headers.get("content-type")
    if content_type is not None and not _is_json(content_type):
        raise Refused(Code.UNSUPPORTED_CONTENT, "expected Content-Type application/json", "content-type")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY_BYTES:
        raise _too_large()
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return body


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _too_large() -> Refused:
    return Refused(Code.BODY_TOO_LARGE, f"expected at most {MAX_BODY_BYTES} bytes, was more")
