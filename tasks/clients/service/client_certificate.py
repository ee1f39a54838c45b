"""Find out whether a peer ends its connections because of our client certificate, or because we have none.

Some servers say so in an alert; Python's own, and others, just cut the connection, as one does that crashes. So we
connect once more and ask for nothing: who asks for a certificate, and ends the connection when it has ours, refuses it.
"""

import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from tasks.model.service.http_settings import HttpSettings

# A peer that takes our certificate waits for a request, which never comes.
WAITS_FOR_S = 0.25
CONNECT_TIMEOUT_S = 0.5
CERTIFICATE_REQUEST = 13
WORDS = (
    "it asks for a client certificate and ends the connection; "
    "set http.cert_file and http.key_file to one that it takes"
)


def is_refused(url: str, asked_as: HttpSettings) -> bool:
    """Say whether the peer asks for a client certificate and ends the connection before it is asked for anything.

    Errors: none; what cannot be found out is no refusal.
    """
    parts = urlsplit(url)
    seen: list[int] = []
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 443), CONNECT_TIMEOUT_S) as connection:
            ended = _ends(connection, asked_as.server_name or parts.hostname or "", _context(asked_as, seen))
    except (OSError, ValueError):
        return False
    return ended and CERTIFICATE_REQUEST in seen


def _context(asked_as: HttpSettings, seen: list[int]) -> ssl.SSLContext:
    # Nothing is sent over it, so that nobody has to prove who he is.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if asked_as.cert_file is not None:
        context.load_cert_chain(asked_as.cert_file, asked_as.key_file, password="")

    def note(*told: object) -> None:
        seen.extend(int(one) for one in told[4:5] if isinstance(one, int))

    # Python's own debugging door, there since 3.8; without it nothing is seen, and nothing is called a refusal.
    context._msg_callback = note  # type: ignore[attr-defined]  # noqa: SLF001
    return context


def _ends(connection: socket.socket, name: str, context: ssl.SSLContext) -> bool:
    connection.settimeout(WAITS_FOR_S)
    try:
        with suppress(TimeoutError), context.wrap_socket(connection, server_hostname=name) as agreed:
            return agreed.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True
    return False
