"""Lay a message out in Slack's blocks. What comes from outside is plain text, never markdown."""

import re
from datetime import datetime, timedelta
from typing import Any

from tasks.model.delivery import Queued, SlackWords
from tasks.model.messages import Message
from tasks.rules.slack_text import SECTION_LIMIT_COUNT, cut, parts
from tasks.rules.times import utc_text

Block = dict[str, Any]
TEXT_SECTIONS_COUNT = 4
DETAIL_SECTIONS_COUNT = 3
NOTIFICATION_LIMIT_COUNT = 3000
CONTEXT_LIMIT_COUNT = 300
LATE_AFTER = timedelta(minutes=2)
_LINK = re.compile(r"https?://[^\s<>|\"]{1,2000}")


def message_blocks(message: Message, user_group: str | None, queued_at: datetime, now: datetime) -> tuple[Block, ...]:
    """Lay one message out: who is called, the words as written, the detail, and the small print.

    Runbook: §4.1, §4.2.
    """
    called = (_section_of_ours(f"<!subteam^{user_group}>"),) if user_group else ()
    words, all_words = parts(message.text, SECTION_LIMIT_COUNT, TEXT_SECTIONS_COUNT)
    detail, all_detail = parts(message.detail, SECTION_LIMIT_COUNT, DETAIL_SECTIONS_COUNT)
    sections = tuple(_section(text) for text in (*words, *detail))
    whole = all_words and all_detail
    return (*called, *sections, _small_print(message, None if whole else "cut", _late(queued_at, now)))


def notification_text(text: str) -> str:
    """Write what a phone shows, and what is shown where blocks are not."""
    return cut(text, NOTIFICATION_LIMIT_COUNT)


def webhook_words(entry: Queued, user_group: str | None, now: datetime) -> SlackWords:
    """Lay a message out for an incoming webhook, which knows no thread."""
    blocks = message_blocks(entry.message, user_group, entry.queued_at, now)
    return SlackWords(key=entry.message.key, text=notification_text(entry.message.text), blocks=blocks)


def plain_words(message: Message) -> str:
    """Write a message for a channel that knows no blocks: the words, the detail, the incident and the run."""
    ending = (
        f"Incident: {message.incident_id}",
        f"{_page_name(message)}: {message.run_url}" if message.run_url else "",
    )
    return "\n\n".join(part for part in (message.text, message.detail, "\n".join(filter(None, ending))) if part)


def link(url: str | None, label: str) -> str | None:
    """Write a link, or nothing where the address is none that Slack would take."""
    return f"<{url.replace('&', '&amp;')}|{label}>" if url and _LINK.fullmatch(url) else None


def plain(text: str, limit_count: int) -> Block:
    """Write text that is shown as it is."""
    return {"type": "plain_text", "text": cut(text, limit_count) or "-", "emoji": False}


def _section(escaped: str) -> Block:
    return {"type": "section", "text": {"type": "plain_text", "text": escaped.strip("\n") or "-", "emoji": False}}


def _section_of_ours(markdown: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": markdown}}


def _small_print(message: Message, shortened: str | None, late: str | None) -> Block:
    elements = [plain(message.incident_id, CONTEXT_LIMIT_COUNT)]
    run = link(message.run_url, f"the {_page_name(message).lower()}")
    if run:
        elements.append({"type": "mrkdwn", "text": run})
    if shortened:
        elements.append(plain("Cut here; the whole text is in notifications.jsonl.", CONTEXT_LIMIT_COUNT))
    if late:
        elements.append(plain(late, CONTEXT_LIMIT_COUNT))
    return {"type": "context", "elements": elements}


def _page_name(message: Message) -> str:
    return "Run" if "/flow-run/" in (message.run_url or "") else "Workers"


def _late(queued_at: datetime, now: datetime) -> str | None:
    return f"Delivered late; written {utc_text(queued_at)}." if now - queued_at > LATE_AFTER else None
