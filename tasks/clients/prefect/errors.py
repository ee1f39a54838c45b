"""What Prefect's client raises while its server is away, busy or restarting: reasons to wait, never to give up."""

import httpx

API_ERRORS: tuple[type[Exception], ...] = (httpx.TransportError, httpx.HTTPStatusError, OSError)
# The server is there, and asks us to come back: too slow, too many.
COME_BACK = {408, 429}


def is_away(error: Exception) -> bool:
    """Say whether trying again can help: no answer, or one of a server in trouble. A refusal is a refusal."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500 or error.response.status_code in COME_BACK
    return isinstance(error, API_ERRORS)
