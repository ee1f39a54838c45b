"""FIX's ExecType (150) and OrdStatus (39), as words and as codes, in any case: what each says of an order.

A word that stands in no table says nothing, and is never good.
"""

import re
from enum import StrEnum


class Meaning(StrEnum):
    """What a word says became of an order."""

    FILLED = "filled"
    WORKING = "working"
    ENDED = "ended"
    """Over at the venue without a fill of its own: canceled, expired, suspended."""
    REJECTED = "rejected"
    SAYS_NOTHING = "says_nothing"
    """A known word that leaves the answer to the other field: a status report, a restatement."""


# By the code: the snake-case name, and what it says.
_BOTH = {
    "0": ("new", Meaning.WORKING), "3": ("done_for_day", Meaning.ENDED), "4": ("canceled", Meaning.ENDED),
    "5": ("replaced", Meaning.WORKING), "6": ("pending_cancel", Meaning.ENDED), "7": ("stopped", Meaning.WORKING),
    "8": ("rejected", Meaning.REJECTED), "9": ("suspended", Meaning.ENDED), "A": ("pending_new", Meaning.WORKING),
    "B": ("calculated", Meaning.WORKING), "C": ("expired", Meaning.ENDED), "E": ("pending_replace", Meaning.WORKING),
}  # fmt: skip
EXEC_TYPES = _BOTH | {
    "1": ("partial_fill", Meaning.FILLED), "2": ("fill", Meaning.FILLED), "F": ("trade", Meaning.FILLED),
    "G": ("trade_correct", Meaning.FILLED), "H": ("trade_cancel", Meaning.ENDED),
    "D": ("restated", Meaning.SAYS_NOTHING), "I": ("order_status", Meaning.SAYS_NOTHING),
    "J": ("trade_in_a_clearing_hold", Meaning.SAYS_NOTHING), "L": ("triggered", Meaning.WORKING),
    "K": ("trade_has_been_released_to_clearing", Meaning.SAYS_NOTHING),
}  # fmt: skip
ORD_STATUSES = _BOTH | {
    "1": ("partially_filled", Meaning.FILLED), "2": ("filled", Meaning.FILLED),
    "D": ("accepted_for_bidding", Meaning.WORKING),
}  # fmt: skip
# What services write instead of FIX's own names.
_ALSO = {
    "cancelled": "canceled", "filled": "fill", "partiallyfilled": "partial_fill", "partialfill": "partially_filled",
    "fill": "filled", "traded": "trade", "accepted": "new", "acknowledged": "new", "reject": "rejected",
}  # fmt: skip
# The field's own name before its value: `150=F`, `ExecType=F`, `ExecType.TRADE`, `EXEC_TYPE_TRADE`.
_EXEC_TYPE_IS = re.compile(r"(?:150|exec[_ -]?type)[=:._ ]+", re.IGNORECASE | re.ASCII)
_ORD_STATUS_IS = re.compile(r"(?:39|ord(?:er)?[_ -]?status)[=:._ ]+", re.IGNORECASE | re.ASCII)

Word = tuple[str, Meaning]


def exec_type(value: object) -> Word | None:
    """Read an ExecType; None for a word that nobody knows."""
    return _read(value, EXEC_TYPES, _EXEC_TYPE_IS)


def ord_status(value: object) -> Word | None:
    """Read an OrdStatus; None for a word that nobody knows."""
    return _read(value, ORD_STATUSES, _ORD_STATUS_IS)


def status_word(value: object) -> Word | None:
    """Read a word that may be either; a code of both is the status."""
    return ord_status(value) or exec_type(value)


def plain_word(word: str) -> str:
    """Leave out how a word is parted: `PARTIALLY_FILLED`, `partially filled` and `PartiallyFilled` are one."""
    return "".join(letter for letter in word.strip().lower() if letter not in " _-")


def _read(value: object, table: dict[str, Word], named: re.Pattern[str]) -> Word | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    prefix = named.match(text)
    text = text[prefix.end() :] if prefix else text
    if len(text) == 1:
        return table.get(text.upper())
    names = {plain_word(name): (name, meaning) for name, meaning in table.values()}
    plain = plain_word(text)
    return names.get(plain) or names.get(plain_word(_ALSO.get(plain, "")))
