"""Make the same text of messages that say the same: what varies gives way to a mark."""

import re

TEMPLATE_CHARACTERS = 300

# Digits are made equal first, with the hexadecimal letters beside them; all other rules see "0" for any such run.
# A run is tried at its start alone: from each of its letters anew, a long word would cost the square of its length.
_RUNS = re.compile(r"(?<![0-9a-fA-F])[a-fA-F]*+[0-9][0-9a-fA-F]*+")
_RUNS_BYTES = re.compile(rb"(?<![0-9a-fA-F])[a-fA-F]*+[0-9][0-9a-fA-F]*+")
_RUNS_OF_ZERO = re.compile(rb"0[0a-fA-F]*")
_DIGITS_EQUAL = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.ASCII), mark)
    for pattern, mark in (
        (r"\b[\da-fA-F]+(?:-[\da-fA-F]+){4}\b", "<id>"),
        (r"\b0-0-0(?:[T ]0:0:0(?:[.,]0)?(?:Z|[+-]0:?0?\b)?)?|\b0:0:0(?:[.,]0)?", "<time>"),
        (r"\b0\.0\.0\.0(?::0)?\b|\[(?=[0a-fA-F]*+:)[0:a-fA-F]++\]:0", "<address>"),
        (r"\b\w+://[^\s\"',)]+", "<url>"),
        (r"\"(?:[^\"\\]|\\.){0,400}+\"|(?<![\w])'(?:[^'\\]|\\.){0,400}+'", "<text>"),
        (r"(?<![\w.<])(?:~|\.{1,2})?(?:/[\w.@%+=-]+){2,}/?|\b[A-Za-z]:\\[^\s:]+", "<path>"),
        (r"\b[a-f]{8,}\b|\b0x0\b", "0"),
    )
)
# A token with a digit in it: a number with its unit, or an id.
_TOKEN = re.compile(r"[A-Za-z_.\-+]{0,400}+0[\w.\-]*+", re.ASCII)
_NUMBER = re.compile(r"[+-]?0(?:[.]0)*[A-Za-z%]{0,3}[.]?$", re.ASCII)


def collapsed(raw: bytes) -> bytes:
    """Make all digits of a line equal; lines that differ in numbers and ids alone become the same bytes."""
    return _RUNS_BYTES.sub(b"0", raw)


def nearly_collapsed(raw: bytes) -> bytes:
    """Do the same faster, but for the letters before the first digit of an id; never joins more than `collapsed`."""
    return _RUNS_OF_ZERO.sub(b"0", raw.translate(_DIGITS_EQUAL))


def template_of(message: str) -> str:
    """Mask times, ids, addresses, URLs, quoted texts, paths and numbers of the first line of a message."""
    text = _RUNS.sub("0", message[:4000].lstrip().split("\n", 1)[0])[: TEMPLATE_CHARACTERS + 100]
    for pattern, mark in _MASKS:
        text = pattern.sub(mark, text)
    text = _TOKEN.sub(lambda found: "<n>" if _NUMBER.match(found[0]) else "<id>", text)
    return " ".join(text.split())[:TEMPLATE_CHARACTERS]


def merged(one: str, other: str) -> str | None:
    """Merge two templates that differ in few words; None when they differ in more than 3 of 10.

    Source: Drain (He et al., ICWS 2017): same count of words, same first word, similarity by place.
    """
    words, others = one.split(" "), other.split(" ")
    if len(words) != len(others) or words[0] != others[0]:
        return None
    same = sum(word == beside for word, beside in zip(words, others, strict=True))
    if same < 0.7 * len(words):
        return None
    return " ".join(word if word == beside else "<*>" for word, beside in zip(words, others, strict=True))
