"""What the engine looks for: every line that can matter matches one of these; what matches is then read properly.

The patterns may find too much, never too little: a line that `log_lines` calls a warning or worse matches WORDS, and
the engines are tested to find the same lines. They use only what hyperscan and `re` understand in the same way.
"""

import re
from enum import IntEnum
from typing import NamedTuple

from tasks.rules.logs.languages import BAD_WORDS
from tasks.rules.logs.words import NATIVE_WORDS


class Sought(IntEnum):
    """Why a line was found: it may tell of an error, it is a frame of a trace, a trace starts in it, or it goes on."""

    WORDS = 0
    FRAMES = 1
    TRACES = 2
    PIECES = 3


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

    @property
    def for_hyperscan(self) -> str:
        """Give the expression for hyperscan, which reports every end of a match, and each report is a call.

        So a word goes on to the end of its line, and ends once in it. Keys do not: for them it costs speed.
        """
        if self.written_out or self.expression.startswith("^"):
            return self.written_out or self.expression.replace("*+", "*")
        return f"(?:{self.expression}){_LINE_END}"


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
# A null that goes on, as in `null pointer`, or that a NUL follows, is read whole.
_NO_NULL = r"n(?:[^u]|u(?:[^l]|l(?:[^l]|l[^,}\])\r\n])))|f(?:[^a]|a(?:[^l]|l(?:[^s]|s(?:[^e]|e[^,}\])\r\n]))))"
_NOT_EMPTY = (
    r'(?:[^\w"]|"[ \t]*(?:[^: \t]|:[ \t]*(?:[^n0f"\[{ \t]|' + _NO_NULL + r'|0[^,}\r\n \t]|"[^"]|\[[^\]]|\{[^}])))'
)
_LINE_END = r"[^\n]*(?:\n|\z)"
# Up to the end of the line, which may come before it says what there was; a newline is not just any other letter.
_CUT_OFF = r'(?:"[ \t]*(?::[ \t]*(?:n|nu|nul|f|fa|fal|fals|["\[{])?)?)?\n'
_NOT_EMPTY_IN_LINE = _NOT_EMPTY.replace("[^", r"[^\n")
_INFLECTED_ONCE = f"{_INFLECTED}(?:{_NOT_EMPTY_IN_LINE}{_LINE_END}|{_CUT_OFF})"
_INFLECTED_STEMS = (
    "error", "exception", "fail", "panic", "fatal", "critical", "severe", "traceback", "warn", "alert", "emerg",
    "timeout", "time-out", "time out", "timedout", "timed-out", "timed out", "reject", "denied", "abort",
)  # fmt: skip
_PLAIN = (
    "deadline exceeded", "refused", "unreachable", "unavailable", "reset by peer", "broken pipe", "segfault",
    "segmentation fault", "core dumped",
    "out of memory", "oom-kill", "no space left", "disk full", "read-only file system", "stack overflow", "deadlock",
    "econn",
    "msgseqnum too ", "sequence number too ", "invalid message", "etimedout", "assertion ",
    "ehostunreach", "enetunreach", "enotfound", "enospc", "emfile", "epipe", "exc_info",
)  # fmt: skip
_SIGNS = ('":', '": ', '":"', '": "')
# The same within a record of Docker's, as it writes quotes.
_CARRIED = ('\\":', '\\": ', '\\":\\"', '\\": \\"')
_NUMBERED = ("level", "severity", "lvl")
_WARNING_PRIORITIES = "|".join(str(number) for number in range(192) if number & 7 <= 4)
_LETTER_STEMS = tuple(
    f"{space}{opening}{letter}" for space in " \t,|" for opening in ("", "[", "(", "<") for letter in "wefc"
)
_LETTERS = r"(?:[WEF](?:\d{4}|\d{8}) \d\d:|[WEF], \[|\[[WEC] \d{6} |[WEF]/[\w.$-]{1,60} ?[(:]|[WEF]: )"
# A letter begins a line, or what stands in an envelope.
_CARRIER = r"(?:\x22log\x22: ?\x22|\x22MESSAGE\x22: ?\x22| F |\|(?:\x1b\[0m)? |\]: |MESSAGE=|\dZ )(?:\x1b\[[0-9;]*m)*"
_CARRIER_STEMS = (
    '"log":',
    '"message":',
    " f ",
    "| ",
    "|\x1b[0m ",
    "]: ",
    "message=",
    *(f"{digit}z " for digit in "0123456789"),
)
_LETTERS_BEGUN = (
    *(f"{letter}{digit}" for letter in "wef" for digit in "012"),
    *(f"{letter}{mark}" for letter in "wef" for mark in (", [", "/", ": ")),
    "[w ", "[e ", "[c ",
)  # fmt: skip
_MARKED = tuple(f"{ends[0]}{letter}{ends[1]}" for ends in ("[]", "()", "<>", "||") for letter in "WEFC")
# A letter behind a time.
_TIMED_LETTER = (
    r"\[?(?:\d{4}[-/.]\d\d[-/.]\d\d[T _]|\d\d?[-/]\w{2,3}[-/]\d{4}[ :]|\d{8}[-T ]|[A-Z][a-z]{2} [ \d]?\d )?"
    r"(?:\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?|1\d{9}(?:\.\d{1,9})?|1\d{12})(?: ?(?:Z|[A-Z]{3,4}|[+-]\d\d:?\d\d)| [AP]M)?\]?"
    r"[ \t,|]+[\[(<]?[WEFC][\]/)>|, \t\r\n]"
)
_NATIVE_STEMS = ("sanitizer: ", ": runtime error: ", "terminate called after throwing", " panicked at ")
# NULs and colours may stand before the first letter of a line.
_FIRST = r"^(?:\xef\xbb\xbf)?\x00*+(?:\x1b\[[0-9;]*m\x00*+)*+"
_UNSEEN_STEMS = ("\x00", "\x1b[")
_DAY_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"

PATTERNS: tuple[Pattern, ...] = (
    Pattern(Sought.WORDS, _INFLECTED + _NOT_EMPTY, True, _INFLECTED_ONCE, _INFLECTED_STEMS, stem_first=True),
    Pattern(Sought.WORDS, f"(?:{'|'.join(_PLAIN)})", True, stems=_PLAIN, stem_first=True),
    Pattern(
        Sought.WORDS,
        r"(?:\b|m|_)(?:err|erro|eror|crit|crt|ftl|wrn|dpanic|fata|fatl|pani|emrg|alrt)(?:\b|_)",
        caseless=True,
        stems=("err", "eror", "crit", "crt", "ftl", "wrn", "dpanic", "fata", "fatl", "pani", "emrg", "alrt"),
    ),
    # The level as a number: bunyan and pino, Python, OpenTelemetry, syslog in GELF and journald.
    _keyed(_NUMBERED, _SIGNS, tuple("456789")),
    _keyed(_NUMBERED, _CARRIED[:2], tuple("456789")),
    _keyed(_NUMBERED, _CARRIED[2:], ("W\\", "E\\", "F\\", "C\\")),
    _keyed(("levelno",), _SIGNS, tuple("3456789")),
    _keyed(("severitynumber", "severity_number"), _SIGNS, tuple(str(number) for number in range(13, 25))),
    _keyed((*_NUMBERED, "priority"), _SIGNS, tuple("01234"), end=r"\b"),
    # The level as a letter; and any level written with unusual space around its colon.
    _keyed((*_NUMBERED, "name", "text", '"@l', '"s'), _SIGNS[2:], ('W"', 'E"', 'F"', 'C"')),
    _keyed((*_NUMBERED, "name"), ("=", '="'), ("50", "60")),
    _keyed((*_NUMBERED, "name"), ('="',), ('W"', 'E"', 'F"', 'C"')),
    _keyed((*_NUMBERED, "name"), ("='",), ("W'", "E'", "F'", "C'")),
    _keyed((*_NUMBERED, "name"), ("=",), tuple("WEFC"), end=r"\b"),
    _keyed(
        (*_NUMBERED, "levelno", "number", "priority", "name", "text", '"@l', '"s'),
        ('" ', '"\t', '"\r', '":  ', '": \t', '":\t', '":\r', '": \r'),
        ("",),
    ),
    Pattern(
        Sought.WORDS,
        _FIRST + r"(?:\d{1,6} )?<(?:" + _WARNING_PRIORITIES + ")>",
        stems=("\n<", " <", "\ufeff<", *_UNSEEN_STEMS),
    ),
    Pattern(
        Sought.WORDS, _FIRST + _LETTERS, stems=(*(f"\n{one}" for one in _LETTERS_BEGUN), "\n\ufeff", *_UNSEEN_STEMS)
    ),
    Pattern(
        Sought.WORDS,
        _CARRIER + _LETTERS,
        stems=_CARRIER_STEMS,
        stem_first=True,
    ),
    Pattern(
        Sought.WORDS,
        r"\d\d-\d\d \d\d:\d\d:\d\d\.\d+[ \t]+\d+[ \t]+\d+ [WEF] ",
        stems=(" w ", " e ", " f "),
    ),
    Pattern(Sought.WORDS, _FIRST + _TIMED_LETTER, stems=_LETTER_STEMS),
    Pattern(Sought.WORDS, _CARRIER + _TIMED_LETTER, stems=_CARRIER_STEMS, stem_first=True),
    Pattern(Sought.WORDS, "|".join(map(_literal, _MARKED)), stems=tuple(one.lower() for one in _MARKED)),
    Pattern(Sought.WORDS, f"(?:{'|'.join(map(_literal, NATIVE_WORDS))})", True, stems=NATIVE_WORDS, stem_first=True),
    Pattern(
        Sought.WORDS,
        r"(?:^|[\x00m :\x22|])(?:Killed|Aborted|Terminated by|Bus error|Trace/break)",
        stems=("killed", "aborted", "terminated by", "bus error", "trace/break"),
    ),
    Pattern(
        Sought.WORDS,
        "|".join(f"{word}{mark}" for word in BAD_WORDS for mark in (":", ",", '"', " :", "\xa0:", "\uff1a")),
        stems=tuple(word.encode().lower().decode() for word in BAD_WORDS),
        stem_first=True,
    ),
    Pattern(Sought.WORDS, r"[\[ ,=][0-9A-Z]{2}[0-9]{2}[0-9A-Z][\],: ]{1,3}[^ :,\n]{1,40}:  ", stems=(":  ",)),
    Pattern(Sought.WORDS, r"deprecat|severitylevel\x22", True, stems=("deprecat", 'severitylevel"')),
    Pattern(Sought.WORDS, r"severity_?number\x22[ \t]*:[ \t]*\x22SEVERITY_NUMBER_", True, stems=("severity_number_",)),
    Pattern(Sought.WORDS, r"^PRIORITY=[0-4]", stems=("\npriority=",)),
    Pattern(Sought.WORDS, r'"MESSAGE"[ \t]*:[ \t]*\[', stems=('"message"',)),
    # FIX: what is refused, a logout, a request to send again; and their fields in an order of their own.
    Pattern(
        Sought.WORDS,
        r"8=FIXT?\.[^\n]{0,60}(?:[\x01|;A> ]|\x81)35=(?:3|j|9|Y|AG|5|2|4|8)(?:[\x01|;^< ]|\xe2)",
        stems=("8=fix",),
    ),
    Pattern(
        Sought.FRAMES,
        r"(?:\t|  |^ |#011|\x22\\t|\x22 )at [^ \t\r\n]",
        stems=("\tat ", "  at ", "\n at ", "#011at ", '"\\tat ', '" at '),
    ),
    # A record that is cut: the container runtime's mark, and a text of Docker's without its newline.
    Pattern(Sought.PIECES, r" std(?:out|err) P(?::\w{1,20})? ", stems=(" stdout p", " stderr p")),
    Pattern(
        Sought.PIECES,
        r'^\{[ \t]*"log"[ \t]*:[^\n]*(?:[^n]|[^\\]n)"[ \t]*,[ \t]*"(?:stream|attrs)"[ \t]*:',
        stems=('{"log', '{ "log', '{\t"log'),
    ),
    Pattern(Sought.PIECES, r'"(?:logtag|_p)"[ \t]*:[ \t]*"P"', stems=('"logtag"', '"_p"')),
    Pattern(Sought.TRACES, r"Traceback \(most recent call last\)", stems=("traceback (most recent call last)",)),
    Pattern(
        Sought.TRACES, r"\b(?:panic: |fatal error: |goroutine \d+ \[)", stems=("panic: ", "fatal error: ", "goroutine ")
    ),
    Pattern(
        Sought.TRACES,
        r"PHP Fatal error:  Uncaught |Fatal error: Uncaught |Unhandled [Ee]xception:|"
        r"\[stacktrace\]|\*\* \((?:[A-Z]|exit|throw|stop)|"
        r"=(?:ERROR|CRASH|SUPERVISOR) REPORT=|Uncaught Python exception",
        stems=(
            "fatal error:",
            "unhandled exception:",
            "[stacktrace]",
            "** (",
            "=error report=",
            "=crash report=",
            "=supervisor report=",
            "uncaught python exception",
        ),
    ),
    Pattern(
        Sought.TRACES,
        r"Sanitizer: |: runtime error: |terminate called after throwing| panicked at ",
        stems=_NATIVE_STEMS,
    ),
    Pattern(Sought.TRACES, r"^#0 ", stems=("\n#0 ",)),
    Pattern(Sought.TRACES, r"\.rb:\d+:in ", stems=(".rb:",)),
)
