"""Name what Slack answered: taken, refused and why, not now, or nothing that can be relied on."""

import math

from tasks.model.messages.delivery import Answer, DeliveryVerdict

RETRY_DEFAULT_S = 30.0
RETRY_LIMIT_S = 86_400.0
# Errors of docs.slack.dev, chat.postMessage, chat.update and files.*; a word that is not here is the channel's own.
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_DOWN = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_DENIED = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "missing_scope",
        "not_allowed_token_type",
        "org_login_required",
        "ekm_access_denied",
        "access_denied",
        "two_factor_setup_required",
    }
)
_CONTENT = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "block_mismatch",
        "no_text",
        "too_many_attachments",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "metadata_must_be_sent_from_app",
        "invalid_arguments",
    }
)
_GONE = frozenset(
    {
        "message_not_found",
        "thread_not_found",
        "cannot_reply_to_message",
        "thread_locked",
        "cant_update_message",
        "edit_window_closed",
    }
)
_WORD_LIMIT_COUNT = 60
_ADVICE = {
    "invalid_auth": "set the bot token of the app as slack.token",
    "not_authed": "set the bot token of the app as slack.token",
    "token_revoked": "install the app again and set its new token",
    "account_inactive": "install the app again and set its new token",
    "not_allowed_token_type": "take the token of the other kind: xoxb- as token, xapp- as app_token",
    "missing_scope": "add the scope to the app and install it again",
    "channel_not_found": "correct the id, and invite the app if the channel is private",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "choose another channel",
    "no_service": "make a new webhook; this one was removed",
    "invalid_token": "make a new webhook; this one is wrong",
    "not_an_apprise_url": "correct the URL; its kind is none that Apprise knows",
    "not_taken": "see whether its address, user and password are right",
    "ratelimited": "wait a minute and try again",
}


def read_refusal(http_status: int, error: object, retry_after: object = None) -> Answer:
    """Name an answer that is no success.

    Errors: none; an answer that is not in Slack's own words (a page of HTML, a status of a proxy) says nothing of
    what became of the message.
    """
    word = error if isinstance(error, str) and _is_word(error) else ""
    if http_status == 429 or word in _LIMITED:
        return Answer(verdict=DeliveryVerdict.LIMITED, error=word or "http_429", retry_after_s=wait_s(retry_after))
    if http_status >= 500 or not word or word in _DOWN:
        return Answer(verdict=DeliveryVerdict.DOWN, error=word or f"http_{http_status}")
    return Answer(verdict=_verdict(word), error=word)


def advice(answer: Answer) -> str:
    """Say in one line what was answered and what to do about it."""
    if answer.verdict is DeliveryVerdict.DOWN and answer.error not in _ADVICE:
        return f"no usable answer ({answer.error}); see whether its address can be reached from here"
    return f"{answer.error}; {_ADVICE.get(answer.error, 'look the word up in the reference of Slack')}"


def wait_s(retry_after: object) -> float:
    """Read `Retry-After`: whole seconds, and a default where it says nothing that can be read."""
    try:
        asked_s = float(str(retry_after).strip())
    except ValueError:
        return RETRY_DEFAULT_S
    if not math.isfinite(asked_s) or asked_s < 0:
        return RETRY_DEFAULT_S
    return min(asked_s, RETRY_LIMIT_S)


def _verdict(word: str) -> DeliveryVerdict:
    if word in _DENIED:
        return DeliveryVerdict.DENIED
    if word in _CONTENT:
        return DeliveryVerdict.BAD_CONTENT
    return DeliveryVerdict.GONE if word in _GONE else DeliveryVerdict.NO_PLACE


def _is_word(text: str) -> bool:
    return 0 < len(text) <= _WORD_LIMIT_COUNT and text.replace("_", "").isalnum() and text.isascii()
