"""Ping an outside dead man's switch about a run: healthchecks-style, from threads of its own, bounded.

Source: https://healthchecks.io/docs/http_api/
"""

import logging
import threading
import urllib.parse
import urllib.request
from enum import StrEnum

# Each wait for an answer, and the whole of one ping.
TIMEOUT_S = 3.0
LIMIT_S = 5.0
LOGGER = logging.getLogger("runbook.ping")
_begun: dict[str, threading.Thread] = {}


class Ping(StrEnum):
    """What happened, as the end of the address."""

    START = "/start"
    SUCCESS = ""
    FAIL = "/fail"


def send_ping(url: str, word: Ping, run_id: str) -> None:
    """Send one ping and return at once; a process that ends waits for its pings, `LIMIT_S` each at most.

    Errors: none; a switch that receives no ping notifies its people by itself.
    """
    before = _begun.pop(run_id, None)
    # Not a daemon, so that the last ping of a process leaves it.
    thread = threading.Thread(target=_within_limit, args=(address(url, word, run_id), before), name="ping")
    if word is Ping.START:
        _begun[run_id] = thread
    thread.start()


def address(url: str, word: Ping, run_id: str) -> str:
    """Write the address of one ping; `rid` tells two runs at once apart."""
    parts = urllib.parse.urlsplit(url)
    query = "&".join(filter(None, (parts.query, f"rid={urllib.parse.quote(run_id)}")))
    return urllib.parse.urlunsplit(parts._replace(path=parts.path.rstrip("/") + word, query=query, fragment=""))


def _within_limit(url: str, before: threading.Thread | None) -> None:
    if before is not None:
        # A start that arrives after its end would begin another run.
        before.join(LIMIT_S)
    sender = threading.Thread(target=_send, args=(url,), name="ping sender", daemon=True)
    sender.start()
    sender.join(LIMIT_S)


def _send(url: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S):  # noqa: S310 - settings take http and https alone
            return
    except (OSError, ValueError) as error:
        # Neither the address nor the whole error: who knows the address can ping.
        LOGGER.warning("the ping was not heard: %s", type(error).__name__)
