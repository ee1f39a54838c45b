"""Text from outside, made safe for Slack: no mention, no link, no formatting, within the limits, in any script."""

import re
import unicodedata

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
