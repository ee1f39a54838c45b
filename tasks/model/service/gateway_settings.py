"""How a gateway is probed past the service: over HTTP, or by a connection alone, which disturbs no FIX session."""

import re
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from tasks.model.probes.orders import AssetClass
from tasks.model.service.http_settings import HttpSettings
from tasks.model.setting_types import Endpoint, Table, Url

_ADDRESS = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.%A-Za-z]{2,60})\]|(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?)):(?P<port>\d{1,5})"
)


class ProbeKind(StrEnum):
    """How a gateway is probed; a connection alone sends not one byte of the gateway's own protocol."""

    HTTP = "http"
    TCP = "tcp"
    TLS = "tls"
    NONE = "none"


class Address(NamedTuple):
    """A host and a port."""

    host: str
    port: int


def address_of(text: str) -> Address:
    """Read HOST:PORT, or [ADDRESS]:PORT.

    Errors: `ValueError` in words for a person.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65_536:
        raise ValueError("HOST:PORT is expected, without http://")
    return Address(found["six"] or found["host"], int(found["port"]))


def _is_address(text: str) -> str:
    address_of(text)
    return text


class Gateway(Table):
    """Where a gateway can be probed directly."""

    probe: ProbeKind = Field(
        default=ProbeKind.HTTP, description="A request, a connection alone, one with a TLS handshake, or not at all."
    )
    base_url: Url | None = Field(
        default=None, description='Where the gateway answers a direct probe; `probe = "http"` needs it.'
    )
    path: Endpoint = Field(default="/health", description="Where its own health is asked over HTTP.")
    address: Annotated[str, AfterValidator(_is_address)] | None = Field(
        default=None, description='`HOST:PORT`; `probe = "tcp"` and `"tls"` need it.'
    )
    admin_url: Url | None = None
    asset_classes: tuple[AssetClass, ...] = ()
    order_rate_limit_per_s: float | None = Field(default=None, gt=0)
    http: HttpSettings = HttpSettings()

    @model_validator(mode="after")
    def _has_where_to_ask(self) -> Self:
        if self.probe is ProbeKind.HTTP and self.base_url is None:
            hint = 'probe = "tcp" or "tls"' if self.address else 'base_url, or probe = "none"'
            raise ValueError(f"an address to probe is expected: set {hint}")
        if self.probe in {ProbeKind.TCP, ProbeKind.TLS} and self.address is None:
            raise ValueError(f'probe = "{self.probe}" needs address = "HOST:PORT"')
        return self

    @property
    def health_url(self) -> str:
        """The address of its own health over HTTP."""
        return f"{str(self.base_url).rstrip('/')}{self.path}" if self.path.startswith("/") else self.path


def gateway_table(value: object) -> object:
    """Take a text for the address of its health."""
    return {"base_url": value} if isinstance(value, str) else value
