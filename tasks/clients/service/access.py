"""Who we are to a service, and whom we trust: the headers and the TLS of every call, made from its settings.

Files are read again when they change: a token rotates, a certificate is renewed, and nobody restarts us for it.
"""

import base64
import os
import ssl
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import certifi

from tasks.clients.files.regular_file import read_regular
from tasks.clients.files.settings_file import stamp_of
from tasks.model.errors import CannotObserve, Code
from tasks.model.service.http_settings import HttpSettings
from tasks.rules.probes.tls_words import not_agreed, not_trusted

FILE_LIMIT_BYTES = 4 * 1_048_576
TOKEN_LIMIT_BYTES = 65_536
# Tokens that a file has held; an answer or a log may still speak of the one before.
TOKENS_KEPT_COUNT = 4
CA_FILE_VARIABLE, CA_FOLDER_VARIABLE = "SSL_CERT_FILE", "SSL_CERT_DIR"

Stamp = tuple[object, ...]


@dataclass(frozen=True)
class Access:
    """The headers of every call, and its TLS. `server_name`, where it is set, is whom the certificate must name.

    `tls_fault`: the roots of the environment cannot be used, which concerns nobody who is asked without TLS.
    """

    headers: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext
    server_name: str | None
    tls_fault: CannotObserve | None = None

    def check(self, scheme: str) -> None:
        """Refuse a call over TLS where nobody could be trusted.

        Errors: `FILE_UNREADABLE`.
        """
        if self.tls_fault is not None and scheme not in {"http", "tcp"}:
            raise self.tls_fault


def access_of(http: HttpSettings) -> Access:
    """Make the headers and the TLS of the calls to one service or gateway.

    Errors: `FILE_UNREADABLE` names the key whose file cannot be read, or does not hold what it should.
    """
    headers = _headers(http)
    try:
        return Access(headers, tls_of(http), http.server_name)
    except CannotObserve as error:
        if http.ca_file is not None or http.cert_file is not None:
            raise
        return Access(headers, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), http.server_name, error)


def tls_of(http: HttpSettings) -> ssl.SSLContext:
    """Give the TLS of one service; it is loaded again only when one of its files has changed.

    Errors: `FILE_UNREADABLE`.
    """
    roots, folder = os.environ.get(CA_FILE_VARIABLE), os.environ.get(CA_FOLDER_VARIABLE)
    ca_file = http.ca_file or (Path(roots) if roots else None)
    if ca_file is None and http.cert_file is None and not folder:
        return trusted_roots()
    return _loaded(
        (http.ca_file, http.cert_file, http.key_file), ca_file, folder, _stamps(ca_file, http.cert_file, http.key_file)
    )


@cache
def trusted_roots() -> ssl.SSLContext:
    """Load the roots of trust once a process: it takes 23 ms, longer than a check."""
    return _bundled_roots()


def _bundled_roots() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def tls_words(error: ssl.SSLError) -> str | None:
    """Say why TLS was not agreed, with the key to change; None where the connection just ended."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return not_trusted(error.verify_code, error.verify_message)
    return not_agreed(error.reason or "")


def secrets_of(http: HttpSettings) -> tuple[str, ...]:
    """List what nobody may read of the calls to a service, also in the form in which it is sent."""
    found = [*http.secret_headers]
    found += [value.partition(" ")[2] for value in found if value.lower().startswith(("bearer ", "basic "))]
    if http.bearer_token is not None:
        found.append(http.bearer_token.get_secret_value())
    if http.basic_auth is not None:
        both = http.basic_auth.get_secret_value()
        found += [both, both.partition(":")[2], _basic(both)]
    if http.bearer_token_file is not None:
        found += _TOKENS.known(http.bearer_token_file)
    return tuple(dict.fromkeys(found))


def _headers(http: HttpSettings) -> dict[str, str]:
    headers = {name.lower(): value.get_secret_value() for name, value in http.headers.items()}
    if http.bearer_token is not None:
        headers["authorization"] = f"Bearer {http.bearer_token.get_secret_value()}"
    if http.bearer_token_file is not None:
        headers["authorization"] = f"Bearer {_TOKENS.newest(http.bearer_token_file)}"
    if http.basic_auth is not None:
        headers["authorization"] = f"Basic {_basic(http.basic_auth.get_secret_value())}"
    return headers


def _basic(user_and_password: str) -> str:
    return base64.b64encode(user_and_password.encode()).decode()


class _Tokens:
    """What the token files have held, the newest last."""

    def __init__(self) -> None:
        self._by_path: dict[Path, OrderedDict[str, Stamp]] = {}
        # Several services are observed in threads of their own.
        self._lock = threading.Lock()

    def newest(self, path: Path) -> str:
        with self._lock:
            return self._read(path)

    def known(self, path: Path) -> tuple[str, ...]:
        with self._lock:
            # What it held before is a secret all the same.
            with suppress(CannotObserve):
                self._read(path)
            return tuple(self._by_path.get(path, ()))

    def _read(self, path: Path) -> str:
        known, stamp = self._by_path.setdefault(path, OrderedDict()), stamp_of(path)
        newest = next(reversed(known), None)
        if newest is not None and known[newest] == stamp:
            return newest
        token = _read(path, "http.bearer_token_file", TOKEN_LIMIT_BYTES).strip()
        if not token or not token.isascii() or not token.decode().isprintable() or b" " in token:
            raise _unusable("http.bearer_token_file", path, "a token of printable ASCII", "none")
        known[token.decode()] = stamp
        known.move_to_end(token.decode())
        if len(known) > TOKENS_KEPT_COUNT:
            known.popitem(last=False)
        return token.decode()


_TOKENS = _Tokens()


def _stamps(*paths: Path | None) -> tuple[Stamp, ...]:
    return tuple(stamp_of(path) for path in paths)


@lru_cache(maxsize=256)
def _loaded(
    files: tuple[Path | None, Path | None, Path | None],
    ca_file: Path | None,
    ca_folder: str | None,
    stamps: tuple[Stamp, ...],  # noqa: ARG001 - a file that has changed is read again
) -> ssl.SSLContext:
    own_ca, cert_file, key_file = files
    key = "http.ca_file" if own_ca else CA_FILE_VARIABLE
    if ca_file is None:
        context = ssl.create_default_context(capath=ca_folder) if ca_folder else _bundled_roots()
    else:
        context = _trusting(ca_file, key)
        if ca_folder and not own_ca:
            context.load_verify_locations(capath=ca_folder)
    if cert_file is not None:
        _show_certificate(context, cert_file, key_file)
    return context


def _trusting(ca_file: Path, key: str) -> ssl.SSLContext:
    pem = _read(ca_file, key, FILE_LIMIT_BYTES)
    # Nothing at all would be taken as the wish to trust whom the system trusts.
    if not pem.strip():
        raise _unusable(key, ca_file, "certificates in PEM", "an empty file")
    try:
        return ssl.create_default_context(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise _unusable(key, ca_file, "certificates in PEM", "none") from None


def _show_certificate(context: ssl.SSLContext, cert_file: Path, key_file: Path | None) -> None:
    for key, path in (("http.cert_file", cert_file), ("http.key_file", key_file)):
        if path is not None:
            _read(path, key, FILE_LIMIT_BYTES)
    try:
        # Without a password of ours OpenSSL would ask for one on the terminal, and wait.
        context.load_cert_chain(cert_file, key_file, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or ""
        if "MISMATCH" in reason:
            expected, found = "the key of http.cert_file", "the key of another certificate"
        elif isinstance(error, _EncryptedKey):
            expected, found = "a key without a passphrase", "an encrypted one"
        else:
            expected, found = "a certificate and its key in PEM", "none"
        key = "http.key_file" if key_file else "http.cert_file"
        raise _unusable(key, key_file or cert_file, expected, found) from None


class _EncryptedKey(ValueError):
    """A key that needs a passphrase, which nobody can be asked for."""


def _no_password() -> str:
    raise _EncryptedKey


def _read(path: Path, key: str, limit_bytes: int) -> bytes:
    try:
        return read_regular(path, limit_bytes)
    except OSError as error:
        raise _unusable(key, path, "a readable file", error.strerror or "none") from None


def _unusable(key: str, path: Path, expected: str, found: str) -> CannotObserve:
    return CannotObserve(Code.FILE_UNREADABLE, f"expected {expected} found {found} path={path}; correct {key}")
