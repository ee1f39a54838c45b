"""The only door to Slack (slack_sdk): one bounded call each, whose every end is a value."""

import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse, WebClient
from slack_sdk.webhook import WebhookClient

from tasks.clients.messages.deadline import within
from tasks.model.messages.channels import SlackSettings
from tasks.model.messages.delivery import Answer, DeliveryVerdict, SlackWords
from tasks.rules.messages.slack.errors import read_refusal

METADATA_TYPE = "runbook_message"
# Slack's clock names the messages, and ours says since when to look.
CLOCKS_APART = timedelta(minutes=10)
LOOK_BACK_COUNT = 200
# After a call without a certain end: Slack does not know the message, or does not let us look; twice beats never.
MAY_BE_SENT_AGAIN = frozenset({DeliveryVerdict.GONE, DeliveryVerdict.DENIED})
# Sends nothing twice by itself: the queue knows what was sent, the library does not. Its log would hold the texts.
QUIET = logging.getLogger("runbook.slack_sdk")
QUIET.setLevel(logging.CRITICAL)
_BROKEN = (OSError, HTTPException, ValueError, AttributeError, TypeError, KeyError, RecursionError, SlackClientError)


class SlackDoor:
    """Slack's Web API with one bot token. Units: `deadline_s` seconds for each call."""

    def __init__(self, settings: SlackSettings) -> None:
        token = settings.token.get_secret_value() if settings.token else None
        self.deadline_s = settings.timeout_s
        wait_s = math.ceil(settings.timeout_s)
        self._client = WebClient(token, str(settings.base_url), timeout=wait_s, retry_handlers=[], logger=QUIET)
        # urllib reads the environment's proxies itself and, unlike this library, its exceptions from them.
        self._client.proxy = None

    def post(self, place: str, words: SlackWords, thread_ts: str = "") -> Answer:
        """Post one message; what Slack will not lay out is said without blocks, rather than not at all."""
        answer = self._post(place, words, thread_ts)
        if answer.verdict is not DeliveryVerdict.BAD_CONTENT or not words.blocks:
            return answer
        return self._post(place, words.without_blocks, thread_ts)

    def update(self, place: str, ts: str, words: SlackWords) -> Answer:
        """Edit one message in place; doing it twice changes nothing."""
        return self._call(
            lambda: self._client.chat_update(
                channel=place,
                ts=ts,
                text=words.text,
                blocks=words.blocks or None,
                metadata=_metadata(words),
                parse="none",
                link_names=False,
            )
        )

    def find(self, place: str, key: str, since: datetime, thread_ts: str = "") -> Answer:
        """Look whether a message of ours is there: `gone` says that Slack was asked and does not know it."""
        return self._messages(place, since, thread_ts, lambda message: _key_of(message) == key)

    def find_file(self, place: str, thread_ts: str, file_id: str, since: datetime) -> Answer:
        """Look whether a file is shown in a thread already."""
        return self._messages(place, since, thread_ts, lambda message: file_id in _files_of(message))

    def upload_url(self, name: str, length_bytes: int) -> tuple[Answer, str]:
        """Ask where to put a file; the answer's `ts` is the id that it will have."""
        urls: list[str] = []

        def ask() -> SlackResponse:
            response = self._client.files_getUploadURLExternal(filename=name, length=length_bytes)
            urls.append(str(response["upload_url"]))
            return response

        answer = self._call(ask, ts_key="file_id")
        return answer, urls[0] if urls else ""

    def show_file(self, place: str, thread_ts: str, file_id: str, title: str) -> Answer:
        files: list[dict[str, str | None]] = [{"id": file_id, "title": title}]
        return self._call(
            lambda: self._client.files_completeUploadExternal(files=files, channel_id=place, thread_ts=thread_ts)
        )

    def open_socket(self, app_token: SecretStr) -> Answer:
        """Ask for a Socket Mode connection, without making it."""
        return self._call(lambda: self._client.apps_connections_open(app_token=app_token.get_secret_value()))

    def _post(self, place: str, words: SlackWords, thread_ts: str) -> Answer:
        return self._call(
            lambda: self._client.chat_postMessage(
                channel=place,
                text=words.text,
                blocks=words.blocks or None,
                thread_ts=thread_ts or None,
                reply_broadcast=True if words.broadcast and thread_ts else None,
                metadata=_metadata(words),
                mrkdwn=_is_markup(words),
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
            )
        )

    def _messages(self, place: str, since: datetime, thread_ts: str, is_ours: Callable[[Any], bool]) -> Answer:
        oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
        asked: dict[str, Any] = {"channel": place, "oldest": oldest, "limit": LOOK_BACK_COUNT}
        seen: list[str] = []

        def ask() -> SlackResponse:
            if thread_ts:
                response = self._client.conversations_replies(ts=thread_ts, include_all_metadata=True, **asked)
            else:
                response = self._client.conversations_history(include_all_metadata=True, **asked)
            seen.extend(str(message["ts"]) for message in response["messages"] if is_ours(message))
            return response

        answer = self._call(ask)
        if not answer.sent:
            return answer
        return Answer(
            verdict=DeliveryVerdict.SENT if seen else DeliveryVerdict.GONE, ts=seen[0] if seen else "", place=place
        )

    def _call(self, call: Callable[[], SlackResponse], ts_key: str = "ts") -> Answer:
        try:
            response = within(self.deadline_s, call)
            return Answer(
                verdict=DeliveryVerdict.SENT,
                ts=str(response.get(ts_key) or ""),
                place=str(response.get("channel") or ""),
            )
        except SlackApiError as error:
            return _refusal(error)
        except _BROKEN as error:
            return Answer(verdict=DeliveryVerdict.DOWN, error=type(error).__name__)


def send_to_webhook(url: SecretStr | None, words: SlackWords, deadline_s: float) -> Answer:
    """Send one message to an incoming webhook; it says only whether it took it."""
    if url is None:
        return Answer(verdict=DeliveryVerdict.NO_PLACE, error="not_set")
    client = WebhookClient(url.get_secret_value(), timeout=math.ceil(deadline_s), retry_handlers=[], logger=QUIET)
    client.proxy = None
    answer = _hook(client, words, deadline_s)
    if answer.verdict is not DeliveryVerdict.BAD_CONTENT or not words.blocks:
        return answer
    return _hook(client, words.without_blocks, deadline_s)


def _hook(client: WebhookClient, words: SlackWords, deadline_s: float) -> Answer:
    body = {
        "text": words.text,
        "blocks": list(words.blocks),
        "mrkdwn": _is_markup(words),
        "link_names": False,
        "parse": "none",
    }
    try:
        response = within(deadline_s, lambda: client.send_dict(body))
    except _BROKEN as error:
        return Answer(verdict=DeliveryVerdict.DOWN, error=type(error).__name__)
    if response.status_code == 200 and response.body.strip() == "ok":
        return Answer(verdict=DeliveryVerdict.SENT)
    return read_refusal(response.status_code, response.body, _header(response.headers, "retry-after"))


def _refusal(error: SlackApiError) -> Answer:
    response = error.response
    data = response.data if isinstance(response, SlackResponse) and isinstance(response.data, dict) else {}
    headers = getattr(response, "headers", {}) or {}
    return read_refusal(getattr(response, "status_code", 0), data.get("error"), _header(headers, "retry-after"))


def _header(headers: dict[str, Any], name: str) -> object:
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _is_markup(words: SlackWords) -> bool:
    # A call is markup; everything else in that text is escaped. Blocks say of themselves what they are.
    return bool(words.plain) and not words.blocks


def _metadata(words: SlackWords) -> dict[str, Any]:
    return {"event_type": METADATA_TYPE, "event_payload": {"key": words.key}}


def _key_of(message: dict[str, Any]) -> object:
    metadata = message.get("metadata") or {}
    return metadata.get("event_payload", {}).get("key") if metadata.get("event_type") == METADATA_TYPE else None


def _files_of(message: dict[str, Any]) -> list[object]:
    return [file.get("id") for file in message.get("files") or []]
