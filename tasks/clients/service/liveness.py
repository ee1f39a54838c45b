"""Ask a service whether it answers at all, at the least cost: one request a second, and no library but Python's own."""

import http.client
import selectors
import ssl
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from tasks.clients.service.access import Access, access_of, tls_words
from tasks.model.errors import CannotObserve
from tasks.model.probes.liveness import Answered, Liveness
from tasks.model.service.http_settings import HttpSettings

TIMEOUT_S = 1.0
SERVER_ERROR = 500
USER_AGENT = {"user-agent": "trading-runbook"}


class Question:
    """One request on its way. It may stay open for longer than anybody waits for it: a late answer still counts.

    Units: `steady_s` of a clock that nobody sets, when it was asked.
    """

    def __init__(self, url: str, asked_as: HttpSettings) -> None:
        self.asked_at, self.steady_s = datetime.now(UTC), time.monotonic()
        self._connection: http.client.HTTPConnection | None = None
        self._ended: Answered | None = None
        try:
            self._connection = _sent(url, access_of(asked_as))
        except CannotObserve as error:
            self._ended = Answered(liveness=Liveness.UNREACHABLE, detail=str(error))
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._ended = _not_answered(error)

    def answer(self, within_s: float) -> Answered | None:
        """Wait for the answer, and give it; None where there is none yet, and the question stays open.

        Errors: none; an address that leads nowhere is *unreachable*, and says nothing of the service.
        """
        if self._ended is None and self._connection is not None and _is_readable(self._connection, within_s):
            try:
                status = self._connection.getresponse().status
                liveness = Liveness.FAILS if status >= SERVER_ERROR else Liveness.ANSWERS
                self._ended = Answered(liveness=liveness, detail=f"HTTP {status}")
            except (OSError, ValueError, http.client.HTTPException) as error:
                self._ended = _not_answered(error)
            self.close()
        return self._ended

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def ask_once(url: str, asked_as: HttpSettings) -> Answered:
    """Ask once, and say how it ended. A redirect is an answer; nobody but the service is shown its credentials.

    Errors: none; an address that leads nowhere is *unreachable*, and says nothing of the service. So is TLS that could
    not be agreed.
    """
    question = Question(url, asked_as)
    try:
        return question.answer(TIMEOUT_S) or Answered(liveness=Liveness.SILENT)
    finally:
        question.close()


def _sent(url: str, access: Access) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    access.check(parts.scheme)
    host, path = parts.hostname or "", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = _Tls(host, parts.port, access)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers={**USER_AGENT, **access.headers})
    except BaseException:
        connection.close()
        raise
    return connection


def _is_readable(connection: http.client.HTTPConnection, within_s: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(within_s))


class _Tls(http.client.HTTPSConnection):
    """A connection that may ask for another name than that of its address."""

    def __init__(self, host: str, port: int | None, access: Access) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S, context=access.tls)
        self._access = access

    def connect(self) -> None:
        """Connect, and agree on TLS."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._access.tls.wrap_socket(self.sock, server_hostname=self._access.server_name or self.host)


def _not_answered(error: Exception) -> Answered:
    match error:
        case TimeoutError():
            return Answered(liveness=Liveness.SILENT)
        case ConnectionRefusedError():
            return Answered(liveness=Liveness.REFUSED)
        case ssl.SSLError() if words := tls_words(error):
            return Answered(liveness=Liveness.UNREACHABLE, detail=words)
        case ConnectionError() | ssl.SSLError():
            return Answered(liveness=Liveness.FAILS, detail="the connection was cut off")
        case http.client.HTTPException():
            return Answered(liveness=Liveness.FAILS, detail="the answer is not HTTP")
        case _:
            return Answered(liveness=Liveness.UNREACHABLE, detail=type(error).__name__)
