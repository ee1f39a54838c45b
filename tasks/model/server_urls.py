"""What names the database of Prefect's server, and who is let in. Secret as a whole: each holds a password."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

DRIVERS = {
    "postgresql+asyncpg": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
EXPECTED = "expected postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE"


def _database_address(secret: SecretStr) -> SecretStr:
    # Only who names a database waits for this import.
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        url = make_url(secret.get_secret_value())
    except (ArgumentError, ValueError):
        raise ValueError(f"{EXPECTED} was no address of that form") from None
    if url.drivername not in DRIVERS:
        raise ValueError(f"{EXPECTED} was scheme={url.drivername[:40]}")
    if not url.database or url.database == ":memory:":
        raise ValueError(f"{EXPECTED} was without a database")
    if url.drivername.startswith("sqlite") and not Path(url.database).is_absolute():
        raise ValueError("expected sqlite+aiosqlite:////ABSOLUTE/PATH was relative")
    return SecretStr(url.set(drivername=DRIVERS[url.drivername]).render_as_string(hide_password=False))


def _redis_address(secret: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(secret.get_secret_value())
        usable = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("expected redis://USER:PASSWORD@HOST:PORT/0 was something else")
    return secret


def _credentials(secret: SecretStr) -> SecretStr:
    user, colon, password = secret.get_secret_value().partition(":")
    # Prefect compares them as ASCII, and header fields end at a space.
    if not (user and colon and password and f"{user}{password}".isascii() and f"{user}{password}".isprintable()):
        raise ValueError("expected USER:PASSWORD of printable ASCII was something else")
    return secret


Credentials = Annotated[SecretStr, AfterValidator(_credentials)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_address)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_address)]
