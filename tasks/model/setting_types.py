"""Kinds of values that settings may have, each with the words that a person reads where one is wrong."""

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, BeforeValidator, ConfigDict, SecretStr, StringConstraints


class Table(BaseModel):
    """A frozen table of `runbook.toml`; a key that nobody reads is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _without_password(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username or url.password:
        raise ValueError("a URL without user and password is expected; evidence and reports show it")
    return url


Url = Annotated[AnyHttpUrl, AfterValidator(_without_password)]


def _path_or_address(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text or "#" in text:
        raise ValueError("a path such as /health is expected, percent-encoded, without #")
    if text.startswith("/"):
        return text
    try:
        _without_password(AnyHttpUrl(text))
    except ValueError:
        raise ValueError("a path that begins with a slash is expected, or an address with http or https") from None
    return text


# Where a service is asked for one thing: beneath its base_url, or at an address of its own.
Endpoint = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_path_or_address)]


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


def _no_number(written: object) -> object:
    # A number would be read as seconds since 1970.
    if isinstance(written, int | float):
        raise ValueError("a date such as 2026-11-30 is expected")  # noqa: TRY004 - pydantic reports these
    return written


Day = Annotated[date, BeforeValidator(_no_number)]
# A time of the clock on the wall in the table's time zone, unless it names its own offset.
WallTime = Annotated[datetime, BeforeValidator(_no_number)]


def moment_of(wall: datetime, time_zone: str) -> datetime:
    """Give the moment of a time on the wall; the first of two that are equal, and a skipped one as if not skipped.

    Source: RFC 5545, 3.3.5.
    """
    local = wall if wall.tzinfo else wall.replace(tzinfo=ZoneInfo(time_zone), fold=0)
    return local.astimezone(UTC)
