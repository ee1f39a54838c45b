"""What the engine looks for: every line that can matter matches one of these; what matches is then read properly.

The patterns may find too much, never too little: a line that `log_lines` calls a warning or worse matches WORDS, and
the engines are tested to find the same lines. They use only what hyperscan and `re` understand in the same way.
"""

import re
from enum import IntEnum
from typing import NamedTuple


class Sought(IntEnum):
    """Why a line was found: it may tell of an error, it is a frame of a trace, or a trace starts in it."""

    WORDS = 0
    FRAMES = 1
    TRACES = 2


class Pattern(NamedTuple):
    """One expression for the engine; `caseless` ignores the case of ASCII letters.

    `written_out` is the same with its classes written out as words: hyperscan finds plain words at full speed, but
    stops at every `"level":` for a class, and `re` the other way round. `stems` are lower-case words of which every
    match has one, at its start if `stem_first`: without hyperscan they are looked for first.
    """

    sought: Sought
    expression: str
    caseless: bool = False
    written_out: str = ""
    stems: tuple[str, ...] = ()
    stem_first: bool = False


def _literal(text: str) -> str:
    """Escape what is special to every engine, and no more: some refuse an escape that they do not need."""
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)


def _keyed(keys: tuple[str, ...], signs: tuple[str, ...], values: tuple[str, ...], *, end: str = "") -> Pattern:
    """Build the pattern for a key with one of some values; `end` is what must follow a value."""
    written = "|".join(_literal(key + sign + value) for key in keys for sign in signs for value in values)
    stems = tuple(dict.fromkeys(key + sign[0] for key in keys for sign in signs))
    parts = ("|".join(map(_literal, part)) for part in (keys, signs, values))
    return Pattern(
        Sought.WORDS, "".join(f"(?:{part})" for part in parts) + end, True, f"(?:{written}){end}", stems, True
    )


# After such a word `":null`, `":0`, `":false`, `":""`, `":[]` and `":{}` say that there was none.
_INFLECTED = (
    r"(?:errors?|exceptions?|failed|failures?|fails?|failing|panic(?:ked)?|fatal|critical|severe|traceback|warn(?:ing)?|alert|emerg(?:ency)?|"
    r"time[d]?[ -]?outs?|reject(?:ed|s|ions?)?|denied|abort(?:ed|ing))"
)
_NO_NULL = r"n(?:[^u]|u(?:[^l]|l(?:[^l]|l\w)))|f(?:[^a]|a(?:[^l]|l(?:[^s]|s(?:[^e]|e\w))))"
_NOT_EMPTY = (
    r'(?:[^\w"]|"[ \t]*(?:[^: \t]|:[ \t]*(?:[^n0f"\[{ \t]|' + _NO_NULL + r'|0[^,}\r\n \t]|"[^"]|\[[^\]]|\{[^}])))'
)
_INFLECTED_STEMS = (
    "error", "exception", "fail", "panic", "fatal", "critical", "severe", "traceback", "warn", "alert", "emerg",
    "timeout", "time-out", "time out", "timedout", "timed-out", "timed out", "reject", "denied", "abort",
)  # fmt: skip
_PLAIN = (
    "deadline exceeded", "refused", "unreachable", "unavailable", "reset by peer", "broken pipe", "segfault",
    "segmentation fault", "core dumped",
    "out of memory", "oom-kill", "no space left", "disk full", "read-only file system", "stack overflow", "deadlock",
    "econn",
    "etimedout",
    "ehostunreach", "enetunreach", "enotfound", "enospc", "emfile", "epipe", "exc_info",
)  # fmt: skip
_SIGNS = ('":', '": ', '":"', '": "')
_NUMBERED = ("level", "severity", "lvl")
_WARNING_PRIORITIES = "|".join(str(number) for number in range(192) if number & 7 <= 4)
_LETTER_STEMS = tuple(f"{space}{opening}{letter}" for space in " \t" for opening in ("", "[") for letter in "wefc")
_NATIVE_STEMS = ("sanitizer: ", ": runtime error: ", "terminate called after throwing", " panicked at ")
# NULs and colours may stand before the first letter of a line.
_FIRST = r"^(?:\x00|\x1b\[[0-9;]*m)*"
_UNSEEN_STEMS = ("\x00", "\x1b[")
_DAY_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"

PATTERNS: tuple[Pattern, ...] = (
    Pattern(Sought.WORDS, _INFLECTED + _NOT_EMPTY, True, stems=_INFLECTED_STEMS, stem_first=True),
    Pattern(Sought.WORDS, f"(?:{'|'.join(_PLAIN)})", True, stems=_PLAIN, stem_first=True),
    Pattern(
        Sought.WORDS,
        r"(?:\b|m)(?:err|eror|crit|crt|ftl|wrn|dpanic)\b",
        True,
        stems=("err", "eror", "crit", "crt", "ftl", "wrn", "dpanic"),
    ),
    # The level as a number: bunyan and pino, Python, OpenTelemetry, syslog in GELF and journald.
    _keyed(_NUMBERED, _SIGNS, tuple("456789")),
    _keyed(("levelno",), _SIGNS, tuple("3456789")),
    _keyed(("severitynumber", "severity_number"), _SIGNS, tuple(str(number) for number in range(13, 25))),
    _keyed((*_NUMBERED, "priority"), _SIGNS, tuple("01234"), end=r"\b"),
    # The level as a letter; and any level written with unusual space around its colon.
    _keyed((*_NUMBERED, "name", "text", '"@l', '"s'), _SIGNS[2:], ('W"', 'E"', 'F"', 'C"')),
    _keyed((*_NUMBERED, "name"), ('="',), ('W"', 'E"', 'F"', 'C"')),
    _keyed((*_NUMBERED, "name"), ("='",), ("W'", "E'", "F'", "C'")),
    _keyed((*_NUMBERED, "name"), ("=",), tuple("WEFC"), end=r"\b"),
    _keyed(
        (*_NUMBERED, "levelno", "number", "priority", "name", "text", '"@l', '"s'),
        ('" ', '"\t', '"\r', '":  ', '": \t', '":\t', '":\r', '": \r'),
        ("",),
    ),
    Pattern(Sought.WORDS, _FIRST + r"<(?:" + _WARNING_PRIORITIES + ")>", stems=("\n<", *_UNSEEN_STEMS)),
    Pattern(
        Sought.WORDS,
        _FIRST + r"(?:[WEF](?:\d{4}|\d{8}) \d\d:|[WEF], \[|\[[WEC] \d{6} )",
        stems=("\nw", "\ne", "\nf", "\n[w", "\n[e", "\n[c", *_UNSEEN_STEMS),
    ),
    Pattern(
        Sought.WORDS, _FIRST + r"\d\d-\d\d \d\d:\d\d:\d\d\.\d+[ \t]+\d+[ \t]+\d+ [WEF] ", stems=(" w ", " e ", " f ")
    ),
    Pattern(Sought.WORDS, _FIRST + r"\[?" + _DAY_TIME + r"[^ \t\n]*[ \t]+\[?[WEFC][\]/ \t]", stems=_LETTER_STEMS),
    Pattern(Sought.FRAMES, r"(?:\t|  |^ |#011)at [^ \t\r\n]", stems=("\tat ", "  at ", "\n at ", "#011at ")),
    Pattern(Sought.TRACES, r"Traceback \(most recent call last\)", stems=("traceback (most recent call last)",)),
    Pattern(
        Sought.TRACES, r"\b(?:panic: |fatal error: |goroutine \d+ \[)", stems=("panic: ", "fatal error: ", "goroutine ")
    ),
    Pattern(
        Sought.TRACES,
        r"Sanitizer: |: runtime error: |terminate called after throwing| panicked at ",
        stems=_NATIVE_STEMS,
    ),
    Pattern(Sought.TRACES, r"\.rb:\d+:in ", stems=(".rb:",)),
)
