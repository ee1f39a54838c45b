"""Find the level of a log line where its writer put it: the head of a text line, a key, a syslog priority, a letter."""

import re
from collections.abc import Iterable

from tasks.model.log_levels import LevelSeen, Severity

# A level in the head of a text line stands within this many characters; further right it is part of the message.
HEAD_CHARACTERS = 160
# Stands for bytes that are no text, and for colours; a level word may stand between two of them.
MARK = "\ufffd"

WORDS: dict[str, Severity] = {
    **dict.fromkeys(
        ("trace", "trce", "verbose", "verb", "finest", "finer", "fine", "debug", "dbug", "dbg", "vrb", "trc"),
        Severity.DEBUG,
    ),
    **dict.fromkeys(
        ("info", "inf", "information", "informational", "notice", "note", "config", "log", "default", "success", "ok"),
        Severity.INFO,
    ),
    **dict.fromkeys(("hint", "detail", "statement", "context"), Severity.INFO),
    **dict.fromkeys(("warn", "warning", "wrn"), Severity.WARNING),
    **dict.fromkeys(("error", "err", "eror", "fail", "severe"), Severity.ERROR),
    **dict.fromkeys(
        ("critical", "crit", "crt", "fatal", "ftl", "panic", "dpanic", "alert", "emerg", "emergency"), Severity.CRITICAL
    ),
}
LETTERS = {
    "V": Severity.DEBUG, "T": Severity.DEBUG, "D": Severity.DEBUG, "I": Severity.INFO, "N": Severity.INFO,
    "W": Severity.WARNING, "E": Severity.ERROR, "F": Severity.CRITICAL, "C": Severity.CRITICAL,
}  # fmt: skip
_SYSLOG = (
    Severity.CRITICAL,
    Severity.CRITICAL,
    Severity.CRITICAL,
    Severity.ERROR,
    Severity.WARNING,
    Severity.INFO,
    Severity.INFO,
    Severity.DEBUG,
)

_UPPER = (
    "TRACE|VERBOSE|FINEST|FINER|FINE|DEBUG|DBG|INFO|INFORMATION|NOTICE|CONFIG|SUCCESS|WARN|WARNING|WRN|ERROR|ERR|EROR|SEVERE|"
    "CRITICAL|CRIT|FATAL|FTL|PANIC|DPANIC|ALERT|EMERG|EMERGENCY"
)
_LOWER = (
    "trace|verbose|debug|info|information|notice|warn|warning|error|err|severe|"
    "critical|crit|fatal|panic|alert|emerg|emergency"
)
_TITLE = "Trace|Verbose|Debug|Info|Information|Notice|Warn|Warning|Error|Severe|Critical|Fatal|Panic|Alert|Emergency"
_SHORT = "INF|DBG|WRN|ERR|FTL|VRB|TRC|CRT"

_PRIORITY = re.compile(r"<(\d|[1-9]\d{1,2})>", re.ASCII)
_LETTER = re.compile(
    r"(?:([IWEF])(?:\d{4}|\d{8}) \d\d:\d\d:\d\d|([DIWEF]), \[|\[([DIWEC]) \d{6} |"
    r"\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s+\d+\s+\d+ ([VDIWEF]) |"
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?\s+\[?([TDIWEFC])(?:[\]/]|\s))",
    re.ASCII,
)
_START = re.compile(
    r"\s*(trce|dbug|info|warn|fail|crit|error|warning|fatal|critical|debug|notice|panic|"
    r"Error|Warning|Info|Fatal|Debug): ",
    re.ASCII,
)
_HEAD_WORD = re.compile(
    rf"(?:^|(?<=[\s\[(|<{MARK}]))(?:({_UPPER}|{_SHORT})(?=[\s\])|>:,/{MARK}]|$)|"
    r"(LOG|HINT|DETAIL|STATEMENT|CONTEXT)(?=: ))|"
    rf"(?<=[\[(|])\s*({_LOWER}|{_TITLE})(?=\s*[\])|])|(?<=:)({_LOWER})(?=\])",
    re.ASCII,
)
_AFTER_TIME = re.compile(
    rf"\s*\[?\d{{4}}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?"
    rf"(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?\]?[\s|:-]+({_LOWER}|{_TITLE})(?=[\s:|])",
    re.ASCII,
)
_LOGFMT_START = re.compile(r"\s*[\w.@-]+=", re.ASCII)
# Quoted values are stepped over, so that `msg="level=error"` is no level.
# After one that nobody closed, no other one is closed either: the rest is searched once, and not from each quote anew.
_FIELD = (
    r"(?:^|(?<=[\s,{]))(?:level|lvl|severity|loglevel|log_level|log\.level|levelname)="
    r"(?P<quote>[\"']?)(?P<word>[A-Za-z]+)(?:(?P=quote)(?=[\s,}]|$))"
)
_LOGFMT_FIELD = re.compile(_FIELD, re.IGNORECASE | re.ASCII)
_LOGFMT_LEVEL = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|(?P<unclosed>\\?$))|' + _FIELD, re.IGNORECASE | re.ASCII)
_LOGFMT_HINT = re.compile(r"(?:level|lvl|severity|levelname)=", re.IGNORECASE | re.ASCII)


def level_of(line: str) -> LevelSeen | None:
    """Find the level that a text line carries as a field; None when it carries none.

    Errors: none. JSON lines are read by `json_level_of`, before this.
    Steps: 1. syslog priority. 2. letters (klog, glog, logcat, Ruby). 3. `level=`. 4. the first level word in the head.
    """
    head = line[:HEAD_CHARACTERS]
    return _priority(head) or _letter(head) or _logfmt_first(line, head) or _word(head) or _logfmt(line)


def severity_of_word(word: str) -> Severity | None:
    """Read a level word in any case; None for a word that is no level."""
    return WORDS.get(word.strip().lower()) or (LETTERS.get(word) if len(word) == 1 else None)


def syslog_severity(number: int) -> Severity:
    """Read a syslog severity: 0 emergency to 7 debug."""
    return _SYSLOG[number & 7]


def _priority(head: str) -> LevelSeen | None:
    found = _PRIORITY.match(head)
    if found is None or int(found[1]) > 191:
        return None
    return LevelSeen(syslog_severity(int(found[1])), found.end(), by_shape=False)


def _letter(head: str) -> LevelSeen | None:
    found = _LETTER.match(head)
    if found:
        return LevelSeen(LETTERS[found[found.lastindex or 1]], found.end(), by_shape=True)
    found = _START.match(head)
    return LevelSeen(WORDS[found[1].lower()], found.end(), by_shape=True) if found else None


def _word(head: str) -> LevelSeen | None:
    found = _AFTER_TIME.match(head) or _HEAD_WORD.search(head)
    if found is None:
        return None
    severity = WORDS[found[found.lastindex or 0].lower()]
    return LevelSeen(severity, found.end(), by_shape=not _LOGFMT_START.match(head) and not _PRIORITY.match(head))


def _logfmt_first(line: str, head: str) -> LevelSeen | None:
    """A line that begins as logfmt is read as logfmt before any word in it."""
    return _logfmt(line) if _LOGFMT_START.match(head) else None


def _logfmt(line: str) -> LevelSeen | None:
    if not _LOGFMT_HINT.search(line):
        return None
    for found in _LOGFMT_LEVEL.finditer(line):
        if found["unclosed"] is not None:
            return _first_field(_LOGFMT_FIELD.finditer(line, found.start() + 1))
        if seen := _first_field([found]):
            return seen
    return None


def _first_field(fields: Iterable[re.Match[str]]) -> LevelSeen | None:
    for found in fields:
        if found["word"] and (severity := severity_of_word(found["word"])):
            return LevelSeen(severity, found.end(), by_shape=True)
    return None
