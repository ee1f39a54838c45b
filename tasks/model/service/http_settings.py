"""How every call to a service or to one of its gateways is made: headers, credentials, TLS."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from tasks.model.setting_types import Table

# What the client itself writes; a second one would make two messages of one.
OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"}
)
# A header whose name says so is a secret, whatever its value is.
NAMES_SECRET = re.compile(r"auth|cookie|credential|key|passw|secret|session|signature|token", re.IGNORECASE)
LOOKS_SECRET = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])\S{16,}")


def _one_line(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?", value.get_secret_value()):
        raise ValueError("one line of printable ASCII is expected")
    return value


def _no_spaces(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]{1,8192}", value.get_secret_value()):
        raise ValueError("printable ASCII without spaces is expected")
    return value


def _user_and_password(value: SecretStr) -> SecretStr:
    user, colon, _ = value.get_secret_value().partition(":")
    if not user or not colon:
        raise ValueError("user:password is expected")
    return value


def _not_our_own(name: str) -> str:
    if name.lower() in OWN_HEADERS:
        raise ValueError("the client itself writes this header; leave it out")
    return name


HeaderName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"), AfterValidator(_not_our_own)
]
BearerToken = Annotated[SecretStr, AfterValidator(_no_spaces)]
UserAndPassword = Annotated[SecretStr, AfterValidator(_one_line), AfterValidator(_user_and_password)]
HeaderValue = Annotated[SecretStr, AfterValidator(_one_line)]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?$")]


class HttpSettings(Table):
    """How every call is made: headers, one way to log in, and whose certificates are trusted.

    `bearer_token_file` is read again when it changes. Where no `ca_file` is set, `SSL_CERT_FILE` is heeded.
    """

    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, max_length=50, description='Headers of every call: `{ "X-Desk" = "equities" }`.'
    )
    bearer_token: BearerToken | None = Field(default=None, description="Bearer token of every call.")
    bearer_token_file: Path | None = Field(
        default=None, description="A file that holds the bearer token; it is read again when it changes."
    )
    basic_auth: UserAndPassword | None = Field(default=None, description="`user:password` of every call.")
    ca_file: Path | None = Field(
        default=None,
        description="The CA that signed its certificate, in PEM. Unset: `SSL_CERT_FILE`, else the public ones.",
    )
    cert_file: Path | None = Field(default=None, description="Our client certificate, in PEM (mTLS).")
    key_file: Path | None = Field(default=None, description="Its key, in PEM, without a passphrase.")
    server_name: HostName | None = Field(
        default=None, description="The name that its certificate has, where that is not the name in the address."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        logins = [key for key in ("bearer_token", "bearer_token_file", "basic_auth") if getattr(self, key) is not None]
        logins += [f"headers.{name}" for name in self.headers if name.lower() == "authorization"]
        if len(logins) > 1:
            raise ValueError(f"one way to log in is expected was {' and '.join(logins)}; keep one of them")
        if len({name.lower() for name in self.headers}) < len(self.headers):
            raise ValueError("each header once is expected; names of headers have no case")
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file belongs to a cert_file; set cert_file to the client's certificate")
        return self

    @property
    def logs_in(self) -> bool:
        """Say whether we log in; where that is refused, it is our login that is wrong."""
        named = {name.lower() for name in self.headers}
        return bool(self.bearer_token or self.bearer_token_file or self.basic_auth or "authorization" in named)

    @property
    def secret_headers(self) -> tuple[str, ...]:
        """The values that nobody may read; a plain word in a header, as the name of a desk, is none."""
        values = {name: value.get_secret_value() for name, value in self.headers.items()}
        return tuple(
            value for name, value in values.items() if NAMES_SECRET.search(name) or LOOKS_SECRET.fullmatch(value)
        )
