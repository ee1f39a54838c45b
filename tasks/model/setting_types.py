"""Kinds of values that settings may have, each with the words that a person reads where one is wrong."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AnyHttpUrl, SecretStr


def _without_password(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username or url.password:
        raise ValueError("a URL without user and password is expected; evidence and reports show it")
    return url


Url = Annotated[AnyHttpUrl, AfterValidator(_without_password)]


def _http_url(secret: SecretStr) -> SecretStr:
    try:
        AnyHttpUrl(secret.get_secret_value())
    except ValueError:
        raise ValueError("an address with http or https is expected") from None
    return secret


# Whoever knows the address of a ping can send it.
SecretUrl = Annotated[SecretStr, AfterValidator(_http_url)]


def _known_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError("a time zone such as America/New_York is expected") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_time_zone)]
