"""Hand a follow-up to a ticket system: one JSON POST with a stable id, so that a repeat makes no second ticket."""

import math
from http.client import HTTPException
from typing import Any, NamedTuple

from pydantic import SecretStr
from slack_sdk.webhook import WebhookClient

from tasks.clients.messages.deadline import within

# It says that it has this id already.
KNOWN_ALREADY = 409
KEY_HEADER = "Idempotency-Key"


class TicketAnswer(NamedTuple):
    """Why it was not taken, or nothing where it was."""

    fault: str = ""
    is_answered: bool = True

    @property
    def is_taken(self) -> bool:
        return not self.fault


def post_ticket(url: SecretStr, key: str, document: dict[str, Any], deadline_s: float) -> TicketAnswer:
    """Send one document, and say whether it was taken. The address is in no answer.

    Errors: none.
    """
    client = WebhookClient(url.get_secret_value(), timeout=math.ceil(deadline_s), retry_handlers=[])
    client.proxy = None
    try:
        response = within(deadline_s, lambda: client.send_dict(document, headers={KEY_HEADER: key}))
    except (OSError, HTTPException, ValueError) as error:
        return TicketAnswer(fault=f"no answer ({type(error).__name__})", is_answered=False)
    is_taken = 200 <= response.status_code < 300 or response.status_code == KNOWN_ALREADY
    return TicketAnswer(fault="" if is_taken else f"http_status={response.status_code}")
