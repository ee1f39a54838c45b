"""A message in Slack's blocks. Text from outside is plain: no mention, no link, no formatting, within the limits."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tasks.model.messages.delivery import Queued, SlackWords
from tasks.model.messages.messages import Attachment, Message
from tasks.rules.formats.time import utc_text

SECTION_LIMIT_COUNT = 3000
CUT_MARK = " …"
MIDDLE_CUT = "\n… {} characters are cut here …\n"
NUMBER_COUNT = 12
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Controls, lone surrogates, and what turns the direction of writing around, so that a line reads as another.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
_HALF = re.compile("[\ud800-\udfff]")
_EVERYBODY = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_CALLS = re.compile(r"<(?=[!@#]|[A-Za-z][A-Za-z0-9+.-]*:)")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_LOOK_BACK_COUNT = 64


def clean(text: str) -> str:
    """Leave out what nobody sees and what a JSON parser refuses; line ends become plain ones."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ").replace("\u2028", "\n")
    return _HALF.sub("\ufffd", _UNSEEN.sub("", lines.replace("\u2029", "\n")))


def escape(text: str) -> str:
    """Escape the three characters that begin a mention, a link or an entity, and part the @ from everybody.

    Source: docs.slack.dev, formatting message text, escaping.
    """
    parted = _EVERYBODY.sub("@\u2060", clean(text))
    return "".join(_ESCAPES.get(letter, letter) for letter in parted)


def inert(text: str) -> str:
    """Part what calls people, or hides a link behind words, for a channel that reads markup where none was meant."""
    return _CALLS.sub("<\u2060", _EVERYBODY.sub("@\u2060", clean(text)))


def cut(text: str, limit_count: int) -> str:
    """Escape a text and cut it to a limit, never within a character as people see it."""
    first, rest = _first_part(clean(text), limit_count)
    return escape(first) if not rest else escape(_first_part(first, limit_count - len(CUT_MARK))[0]) + CUT_MARK


def parts(text: str, limit_count: int) -> tuple[str, ...]:
    """Escape a text and part it at the limit, at the end of a line where there is one; all of it is in."""
    found: list[str] = []
    rest = clean(text).strip("\n")
    while rest:
        part, rest = _first_part(rest, limit_count)
        found.append(escape(part))
    return tuple(found)


def width(text: str) -> int:
    """Count a text as Slack may: escaped, in the larger of its two ways of counting."""
    return sum(map(_width, clean(text)))


def both_ends(text: str, limit_count: int) -> str:
    """Shorten a text in its middle, and say so there: it begins with what is wrong and ends with what to do."""
    text = clean(text)
    if width(text) <= limit_count:
        return text
    left_count = limit_count - len(MIDDLE_CUT) - NUMBER_COUNT
    first, rest = _first_part(text, left_count * 2 // 3)
    last = _last_part(rest, left_count - width(first))
    return f"{first}{MIDDLE_CUT.format(len(rest) - len(last))}{last}"


def _last_part(text: str, limit_count: int) -> str:
    begin, count = len(text), 0
    while begin and (count := count + _width(text[begin - 1])) <= limit_count:
        begin -= 1
    line = text.find("\n", begin, begin + (len(text) - begin) // 2)
    while line < 0 and 0 < begin < len(text) and (_belongs_to_the_last(text[begin]) or text[begin - 1] in _JOINERS):
        begin += 1
    return text[line + 1 if line >= 0 else begin :]


def _first_part(text: str, limit_count: int) -> tuple[str, str]:
    end = _end_within(text, limit_count)
    if end == len(text):
        return text, ""
    broken = text.rfind("\n", end // 2, end)
    end = broken + 1 if broken > 0 else _whole_character(text, end)
    return text[:end], text[end:]


def _end_within(text: str, limit_count: int) -> int:
    width = 0
    for place, letter in enumerate(text[: limit_count + 1]):
        width += _width(letter)
        if width > limit_count:
            return place
    return min(len(text), limit_count + 1)


def _width(letter: str) -> int:
    # Whether Slack counts characters or UTF-16 units is not said; the larger holds for both. An @ may be parted.
    if letter == "@":
        return 2
    return len(_ESCAPES.get(letter, letter)) if ord(letter) < 0x10000 else 2


def _whole_character(text: str, end: int) -> int:
    for back in range(end, max(1, end - _LOOK_BACK_COUNT), -1):
        if not _belongs_to_the_last(text[back]) and text[back - 1] not in _JOINERS:
            return back
    return end


def _belongs_to_the_last(letter: str) -> bool:
    return letter in _JOINERS or unicodedata.combining(letter) != 0 or 0x1F3FB <= ord(letter) <= 0x1F3FF


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


def message_blocks(message: Message, called: Sequence[str], said_at: datetime, now: datetime) -> tuple[Block, ...]:
    """Lay one message out: who is called, the words as written, the detail, and the small print.

    `called` are ids of user groups and of people.

    Runbook: §4.1, §4.2.
    """
    call = (_section_of_ours(_call(called)),) if called else ()
    small_print = _small_print(message, _cut_words(message, now - said_at), _late(said_at, now))
    words, detail = _within_total(message)
    sections = (_section(part) for text in (words, detail) for part in parts(text, SECTION_LIMIT_COUNT))
    return (*call, *sections, small_print)


def plain_message(message: Message, called: Sequence[str]) -> str:
    """Write the whole message in one text, for a Slack that does not take its blocks: the call is in it, too."""
    words, detail = _within_total(message)
    call = (_call(called),) if called else ()
    return "\n".join((*call, *(escape(part) for part in (words, detail) if part)))


def shown_files(message: Message) -> tuple[Attachment, ...]:
    """Give the files of a message; where its blocks are cut, the whole of it is one more."""
    if not _is_cut(message):
        return message.files
    whole = Attachment(name=WHOLE_NAME, text="\n\n".join(part for part in (message.text, message.detail) if part))
    return (*message.files, whole)


def notification_text(text: str) -> str:
    """Write what a phone shows, and what is shown where blocks are not."""
    return cut(text, NOTIFICATION_LIMIT_COUNT)


def webhook_words(entry: Queued, called: Sequence[str], now: datetime) -> SlackWords:
    """Lay a message out for an incoming webhook, which knows no thread."""
    blocks = message_blocks(entry.message, called, entry.said_at, now)
    return SlackWords(
        key=entry.message.key,
        text=notification_text(entry.message.text),
        blocks=blocks,
        plain=plain_message(entry.message, called),
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
    return {"type": "plain_text", "text": cut(text, limit_count) or "-", "emoji": False}


def _section(escaped: str) -> Block:
    return {"type": "section", "text": {"type": "plain_text", "text": escaped.strip("\n") or "-", "emoji": False}}


def _section_of_ours(markdown: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": markdown}}


def _call(called: Sequence[str]) -> str:
    return " ".join(f"<!subteam^{one}>" if one.startswith("S") else f"<@{one}>" for one in called)


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
    pages = {"/artifact/": "Report", "/flow-run/": "Run"}
    return next((name for part, name in pages.items() if part in (message.run_url or "")), "Workers")


def _late(said_at: datetime, now: datetime) -> str | None:
    return f"Delivered late; written {utc_text(said_at)}." if now - said_at > LATE_AFTER else None
