"""Ask a part of the local stack over HTTP, with the standard library: `status` must answer at once."""

import base64
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote

# A proxy of the user's has nothing to do with 127.0.0.1.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# An address that is none, nobody there, or somebody who speaks no HTTP, or no JSON.
NO_ANSWER = (OSError, ValueError, http.client.HTTPException)


def ask(url: str, body: object = None, timeout_s: float = 1.0, headers: Mapping[str, str] | None = None) -> Any | None:
    """Send GET, or POST when there is a body, and give the JSON answer; None when there is no usable one.

    Errors: none; a part that does not answer is a value here.
    """
    data = None if body is None else json.dumps(body).encode()
    url, login = without_login(url)
    kinds = {"Content-Type": "application/json", **login, **(headers or {})}
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
    try:
        with _OPENER.open(url, timeout=1.0) as answer:
            return bool(answer.status == 200)
    except NO_ANSWER:
        return False


def date_of(url: str) -> datetime | None:
    """Read what a server's clock says, whatever else it answers.

    Errors: none.
    """
    try:
        with _OPENER.open(url, timeout=1.0) as answer:
            said = answer.headers["Date"]
    except urllib.error.HTTPError as error:
        said = error.headers["Date"]
    except NO_ANSWER:
        return None
    try:
        return parsedate_to_datetime(said).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def basic(words: str) -> dict[str, str]:
    """Write the header of a login, USER:PASSWORD."""
    return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}


def with_login(url: str, words: str) -> str:
    """Put a login into an address, for who has but an address to give."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{quote(words, safe=':')}@{rest}"


def without_login(url: str) -> tuple[str, dict[str, str]]:
    """Take the login out of an address: urllib sends none."""
    scheme, slashes, rest = url.partition("://")
    authority, _, _ = rest.partition("/")
    words, at, _ = authority.rpartition("@")
    return (f"{scheme}{slashes}{rest[len(words) + 1 :]}", basic(unquote(words))) if at else (url, {})
