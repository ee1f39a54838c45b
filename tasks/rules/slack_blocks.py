"""Lay a message out in Slack's blocks. What comes from outside is plain text, never markdown."""

import re
from datetime import datetime, timedelta
from typing import Any

from tasks.model.delivery import Queued, SlackWords
from tasks.model.messages import Attachment, Message
from tasks.rules.slack_text import SECTION_LIMIT_COUNT, both_ends, cut, escape, parts, width
from tasks.rules.times import utc_text

Block = dict[str, Any]
# Slack refuses blocks over about 13,200 characters in all, and says so nowhere in its reference.
BLOCKS_TOTAL_COUNT = 12_000
# What the detail keeps beside the longest words.
DETAIL_LEAST_COUNT = 3000
WHOLE_NAME = "whole-message.txt"
FILES_WITHIN = timedelta(hours=1)
NOTIFICATION_LIMIT_COUNT = 3000
CONTEXT_LIMIT_COUNT = 300
CALL_LIMIT_COUNT = 100
LINK_LIMIT_COUNT = 2000
LATE_AFTER = timedelta(minutes=2)
_LINK = re.compile(r"https?://[^\s<>|\"]{1,2000}")


def message_blocks(message: Message, user_group: str | None, said_at: datetime, now: datetime) -> tuple[Block, ...]:
    """Lay one message out: who is called, the words as written, the detail, and the small print.

    Runbook: §4.1, §4.2.
    """
    called = (_section_of_ours(_call(user_group)),) if user_group else ()
    small_print = _small_print(message, _cut_words(message, now - said_at), _late(said_at, now))
    words, detail = _within_total(message)
    sections = (_section(part) for text in (words, detail) for part in parts(text, SECTION_LIMIT_COUNT))
    return (*called, *sections, small_print)


def plain_message(message: Message, user_group: str | None) -> str:
    """Write the whole message in one text, for a Slack that does not take its blocks: the call is in it, too."""
    words, detail = _within_total(message)
    called = (_call(user_group),) if user_group else ()
    return "\n".join((*called, *(escape(part) for part in (words, detail) if part)))


def shown_files(message: Message) -> tuple[Attachment, ...]:
    """Give the files of a message; where its blocks are cut, the whole of it is one more."""
    if not _is_cut(message):
        return message.files
    whole = Attachment(name=WHOLE_NAME, text="\n\n".join(part for part in (message.text, message.detail) if part))
    return (*message.files, whole)


def notification_text(text: str) -> str:
    """Write what a phone shows, and what is shown where blocks are not."""
    return cut(text, NOTIFICATION_LIMIT_COUNT)


def webhook_words(entry: Queued, user_group: str | None, now: datetime) -> SlackWords:
    """Lay a message out for an incoming webhook, which knows no thread."""
    blocks = message_blocks(entry.message, user_group, entry.said_at, now)
    return SlackWords(
        key=entry.message.key,
        text=notification_text(entry.message.text),
        blocks=blocks,
        plain=plain_message(entry.message, user_group),
    )


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


def _call(user_group: str) -> str:
    return f"<!subteam^{user_group}>"


def _within_total(message: Message) -> tuple[str, str]:
    """Fit words and detail into what the call and the small print leave: the detail is cut before the words."""
    left_count = _left_count(message)
    detail_count = max(DETAIL_LEAST_COUNT, left_count - width(message.text))
    detail = both_ends(message.detail, min(detail_count, left_count))
    return both_ends(message.text, left_count - width(detail)), detail


def _left_count(message: Message) -> int:
    return BLOCKS_TOTAL_COUNT - CALL_LIMIT_COUNT - 3 * CONTEXT_LIMIT_COUNT - len(_run_link(message) or "")


def _is_cut(message: Message) -> bool:
    return width(message.text) + width(message.detail) > _left_count(message)


def _run_link(message: Message) -> str | None:
    found = link(message.run_url, f"the {_page_name(message).lower()}")
    return found if found and len(found) <= LINK_LIMIT_COUNT else None


def _cut_words(message: Message, age: timedelta) -> str | None:
    if not _is_cut(message):
        return None
    file = f"the file {WHOLE_NAME} below and in " if age < FILES_WITHIN else ""
    return f"Cut in the middle; the whole text is in {file}notifications.jsonl."


def _small_print(message: Message, shortened: str | None, late: str | None) -> Block:
    elements = [plain(message.incident_id, CONTEXT_LIMIT_COUNT)]
    run = _run_link(message)
    if run:
        elements.append({"type": "mrkdwn", "text": run})
    if shortened:
        elements.append(plain(shortened, CONTEXT_LIMIT_COUNT))
    if late:
        elements.append(plain(late, CONTEXT_LIMIT_COUNT))
    return {"type": "context", "elements": elements}


def _page_name(message: Message) -> str:
    return "Run" if "/flow-run/" in (message.run_url or "") else "Workers"


def _late(said_at: datetime, now: datetime) -> str | None:
    return f"Delivered late; written {utc_text(said_at)}." if now - said_at > LATE_AFTER else None
