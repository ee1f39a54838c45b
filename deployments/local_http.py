"""Ask a part of the local stack over HTTP, with the standard library: `status` must answer at once."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

# A proxy of the user's has nothing to do with 127.0.0.1.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# An address that is none, nobody there, or somebody who speaks no HTTP, or no JSON.
NO_ANSWER = (OSError, ValueError, http.client.HTTPException)


def ask(url: str, body: object = None, timeout_s: float = 1.0, headers: Mapping[str, str] | None = None) -> Any | None:
    """Send GET, or POST when there is a body, and give the JSON answer; None when there is no usable one.

    Errors: none; a part that does not answer is a value here.
    """
    data = None if body is None else json.dumps(body).encode()
    kinds = {"Content-Type": "application/json", **(headers or {})}
    try:
        request = urllib.request.Request(url, data=data, headers=kinds)  # noqa: S310
        with _OPENER.open(request, timeout=timeout_s) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return _json(error)
    except NO_ANSWER:
        return None


def _json(error: urllib.error.HTTPError) -> Any | None:
    try:
        return json.loads(error.read())
    except NO_ANSWER:
        return None


def answers(url: str) -> bool:
    """Say whether a part answers with 200."""
    try:
        with _OPENER.open(url, timeout=1.0) as answer:
            return bool(answer.status == 200)
    except NO_ANSWER:
        return False
