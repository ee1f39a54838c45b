"""Receive presses through Slack's Socket Mode: an outgoing connection, no port of ours is open."""

import logging
import math
import threading
from collections.abc import Callable

from pydantic import SecretStr
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web import WebClient
from slack_sdk.webhook import WebhookClient

from tasks.clients.messages.slack.api import QUIET
from tasks.model.messages.channels import SlackSettings
from tasks.model.messages.slack_press import Press
from tasks.rules.messages.slack.buttons import read_press

AGAIN_AFTER_S = 10.0
CLOSE_S = 3.0
HEED_S = 0.5
LOGGER = logging.getLogger("runbook.slack_buttons")
_BROKEN = (OSError, SlackClientError, ValueError, KeyError, AttributeError)


def listen_for_presses(
    settings: SlackSettings, app_token: SecretStr, heard: Callable[[Press], str], stop: threading.Event
) -> None:
    """Hear presses until told to stop; a connection that breaks is made again, and what is said back is shown.

    Errors: none; a Slack that is away is asked again, and the command line and the form work.
    Steps: Slack is reported at once that a press was heard, because it shows a fault after three seconds; then it is
    written down, and the person is answered.
    """
    client = _client(settings, app_token)

    def on_request(answering: BaseSocketModeClient, request: SocketModeRequest) -> None:
        answering.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        press = read_press(request.payload) if request.type == "interactive" else None
        if press is not None:
            _answer(press, heard(press), settings.timeout_s)

    client.socket_mode_request_listeners.append(on_request)
    try:
        _connect(client, stop)
        # A signal that comes in the very moment in which an endless wait begins is heeded at its end, which is never.
        while not stop.wait(HEED_S):
            pass
    finally:
        # The library waits for its reader, up to two socket timeouts. Presses in hand are finished before Python exits.
        closing = threading.Thread(target=client.close, daemon=True)
        closing.start()
        closing.join(CLOSE_S)


def _client(settings: SlackSettings, app_token: SecretStr) -> SocketModeClient:
    web = WebClient(base_url=str(settings.base_url), timeout=math.ceil(settings.timeout_s), logger=QUIET)
    web.proxy = None
    return SocketModeClient(app_token.get_secret_value(), logger=QUIET, web_client=web)


def _connect(client: SocketModeClient, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            client.connect()
        except _BROKEN as error:
            LOGGER.warning("cannot hear the button yet: %s", type(error).__name__)
            client.wss_uri = None
        else:
            if client.is_connected():
                LOGGER.warning("hearing the button")
                return
            client.wss_uri = None
        stop.wait(AGAIN_AFTER_S)


def _answer(press: Press, words: str, timeout_s: float) -> None:
    if not words or not press.answer_url:
        return
    client = WebhookClient(press.answer_url, timeout=math.ceil(timeout_s), retry_handlers=[], logger=QUIET)
    client.proxy = None
    try:
        client.send_dict({"text": words, "response_type": "ephemeral", "replace_original": False, "mrkdwn": False})
    except _BROKEN as error:
        LOGGER.warning("cannot answer the person: %s", type(error).__name__)
