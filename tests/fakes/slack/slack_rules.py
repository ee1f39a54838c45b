"""Slack's limits on a message, as its reference states them, so that a test fails where Slack would refuse.

Source: docs.slack.dev, reference of blocks, block elements and composition objects; chat.postMessage.
"""

import re
from collections.abc import Iterable
from typing import Any

Block = dict[str, Any]
TEXT_LIMIT_COUNT = 40_000
EDIT_LIMIT_COUNT = 4000
BLOCKS_LIMIT_COUNT = 50
# Measured, and in no reference: over it the answer is `msg_blocks_too_long`.
BLOCKS_TOTAL_COUNT = 13_200
_MENTION = re.compile(r"<[!@#][^>]*>")
# Who is on call in tests, and may be mentioned; anybody else is a mention out of somebody's text.
ON_CALL = "U0ADA"
_OURS = re.compile(rf"<!subteam\^S[A-Z0-9]+>|<@{ON_CALL}>|<!date\^\d+\^[^>|]*\|[^>]*>")


def wrong_text(text: object, limit_count: int = TEXT_LIMIT_COUNT) -> str | None:
    """Name what is wrong with the words that are shown where blocks are not."""
    if not isinstance(text, str) or not text:
        return "no_text"
    if units(text) > limit_count:
        return "msg_too_long"
    return "mention_in_text" if any(not _OURS.fullmatch(one) for one in _mentions(text)) else None


def wrong_blocks(blocks: list[Block]) -> str | None:
    """Name the first thing that is wrong with the blocks."""
    if len(blocks) > BLOCKS_LIMIT_COUNT:
        return "invalid_blocks"
    if any(_wrong_block(block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if total(blocks) > BLOCKS_TOTAL_COUNT else None


def total(part: object) -> int:
    """Count every character that the blocks show."""
    if isinstance(part, dict):
        return sum(
            units(value) if name == "text" and isinstance(value, str) else total(value) for name, value in part.items()
        )
    return sum(map(total, part)) if isinstance(part, list | tuple) else 0


def units(text: str) -> int:
    """Count as JavaScript does; a lone half of a pair counts as too long for everything."""
    return sum(10**9 if 0xD800 <= ord(one) <= 0xDFFF else 1 + (ord(one) > 0xFFFF) for one in text)


def _wrong_block(block: Block) -> bool:
    match block["type"]:
        case "header":
            return _wrong(block["text"], 150) or block["text"]["type"] != "plain_text"
        case "section":
            fields = block.get("fields", [])
            too_many = len(fields) > 10 or not (fields or block.get("text"))
            return too_many or any(_wrong(one, 2000) for one in fields) or _wrong_if(block.get("text"), 3000)
        case "context":
            return not 1 <= len(block["elements"]) <= 10 or any(_wrong(one, 2000) for one in block["elements"])
        case "actions":
            return not 1 <= len(block["elements"]) <= 25 or any(map(_wrong_element, block["elements"]))
        case _:
            return True


def _wrong_element(element: Block) -> bool:
    if units(element["action_id"]) > 255 or _wrong_confirm(element.get("confirm")):
        return True
    match element["type"]:
        case "button":
            return _wrong(element["text"], 75) or units(element["value"]) > 2000
        case "static_select":
            options = element["options"]
            wrong_option = any(_wrong(one["text"], 75) or units(one["value"]) > 150 for one in options)
            return _wrong(element["placeholder"], 150) or not 1 <= len(options) <= 100 or wrong_option
        case _:
            return True


def _wrong_confirm(confirm: Block | None) -> bool:
    limits = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
    return confirm is not None and any(_wrong(confirm[name], count) for name, count in limits.items())


def _wrong_if(text: Block | None, limit_count: int) -> bool:
    return text is not None and _wrong(text, limit_count)


def _wrong(text: Block, limit_count: int) -> bool:
    words = text["text"]
    if text["type"] not in {"plain_text", "mrkdwn"} or not 1 <= units(words) <= limit_count:
        return True
    return any(not _OURS.fullmatch(one) for one in _mentions(words))


def _mentions(words: str) -> Iterable[str]:
    return _MENTION.findall(words)
