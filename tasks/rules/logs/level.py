"""Find the level of a log line where its writer put it: the head of a text line, a key, a syslog priority, a letter."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from tasks.model.logs.findings import Severity
from tasks.rules.logs.languages import LEVELS, foreign_level
from tasks.rules.logs.level_words import WORDS
from tasks.rules.logs.words import NOTHING_THERE, is_native_fault

# A level in the head of a text line stands within this many characters; further right it is part of the message.
HEAD_CHARACTERS = 160
# Stands for bytes that are no text, and for colours; a level word may stand between two of them.
MARK = "\ufffd"


class LevelSeen(NamedTuple):
    """A level found in a line: `end` is the offset just past it; `by_shape` says that no digit before it matters."""

    severity: Severity
    end: int
    by_shape: bool


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
    "TRACE|VERBOSE|FINEST|FINER|FINE|DEBUG|DBG|DEBU|INFO|INFORMATION|NOTICE|CONFIG|SUCCESS|WARN|WARNING|WRN|ERROR|ERR|EROR|"
    "ERRO|SEVERE|CRITICAL|CRIT|FATAL|FTL|FATA|FATL|PANIC|PANI|DPANIC|ALERT|ALRT|EMERG|EMRG|EMERGENCY"
)
_LOWER = (
    "trace|verbose|debug|info|information|notice|warn|warning|error|err|severe|"
    "critical|crit|fatal|panic|alert|emerg|emergency"
)
_TITLE = "Trace|Verbose|Debug|Info|Information|Notice|Warn|Warning|Error|Severe|Critical|Fatal|Panic|Alert|Emergency"
_SHORT = "INF|DBG|WRN|ERR|FTL|VRB|TRC|CRT"
_BRACKETED = f"{_LOWER}|{_TITLE}|inf|dbg|wrn|ftl|vrb|trc|crt|eror|dbug|trce|fail"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?"
# The times that stand before a level: a date with its clock, a clock alone, or an epoch.
_TIME = (
    rf"(?:\d{{4}}[-/.]\d\d[-/.]\d\d[T _]{_CLOCK}|\d\d?[-/][A-Za-z\d]{{2,3}}[-/]\d{{4}}[ :]{_CLOCK}(?: [AP]M)?|"
    rf"\d{{8}}[-T ]{_CLOCK}|[A-Z][a-z]{{2}} [ \d]?\d (?:\d{{4}} )?{_CLOCK}|{_CLOCK}|1\d{{9}}(?:\.\d{{1,9}})?|1\d{{12}})"
    r"(?: ?(?:Z|UTC|GMT|MSK|[A-Z]{1,3}T|[+-]\d\d:?\d\d))?"
)

_PRIORITY = re.compile(r"<(\d|[1-9]\d{1,2})>", re.ASCII)
_LETTER = re.compile(
    rf"(?:([IWEF])(?:\d{{4}}|\d{{8}}) \d\d:\d\d:\d\d|([DIWEF]), \[|\[([DIWEC]) \d{{6}} |"
    rf"\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s+\d+\s+\d+ ([VDIWEF]) |([VDIWEF])/[\w.$-]{{1,60}} ?(?:\(|:)|"
    rf"\[?{_TIME}\]?[\s,|]+[\[(<]?([TDIWEFC])(?:[\]/)>|,]|\s)|"
    r"\|([TDIWEFC])\||([IWEF]): (?=\S)|\[([VTDIWEFC])\]|\(([VTDIWEFC])\)|<([VTDIWEFC])>)",
    re.ASCII,
)
_START = re.compile(
    rf"\s*(?:\[?{_TIME}\]? )?(?:PHP |npm |\(node:\d+\) (?:\[\w{{1,20}}\] )?|\S{{1,100}}:\d+: )?"
    rf"(?:(trce|dbug|info|warn|fail|crit|{_LOWER}|{_TITLE}|ERROR|WARNING|Deprecated|[A-Z]\w{{1,40}}Warning)"
    r"(?: (?:error|\([A-Z\d]{1,20}\)|\[[\w-]{1,40}\]))?(?:: |:$| - |[,\t;])|"
    r"(?<=npm )(ERR|WARN|warn|error|notice|info|http|verb|sill)(?:!|\b)|"
    r"(error|success) (?=[A-Z\"])|(warning|info) (?=\S))",
    re.ASCII,
)
_HEAD_WORD = re.compile(
    rf"(?:^|(?<=[\s\[(|<,;\"{MARK}]))(?:(?:LOG_|LL_)?({_UPPER}|{_SHORT})(?=[\s\])|>:,;!\"/\[{MARK}]|$)|"
    r"(LOG|HINT|DETAIL|STATEMENT|CONTEXT|QUERY|LOCATION)(?=: |,))|"
    rf"(?<=[\[(|])[\s{MARK}]*+({_BRACKETED})(?=[\s{MARK}]*+[\])|])|(?<=:)({_LOWER})(?=\])|(?<=\w\.)({_UPPER})(?=: )",
    re.ASCII,
)
_AFTER_TIME = re.compile(
    rf"[\s{MARK}]*+\[?{_TIME}\]?{MARK}?[\s|:,;{MARK}-]+({_LOWER}|{_TITLE}|{_SHORT.lower()})(?=[\s:|,;{MARK}]|$)",
    re.ASCII,
)
_CSV_LEVEL = re.compile(r",([^\W\d_]{3,20}\d?),[0-9A-Z]{5},")
CSV_CHARACTERS = 2000
_LOGFMT_START = re.compile(r"\s*[\w.@-]+=", re.ASCII)
# Quoted values are stepped over, so that `msg="level=error"` is no level.
# After one that nobody closed, no other one is closed either: the rest is searched once, and not from each quote again.
_FIELD = (
    r"(?:^|(?<=[\s,{]))(?:level|lvl|severity|loglevel|log_level|log\.level|levelname)(?:=|: )"
    r"(?P<quote>[\"']?)(?P<word>[A-Za-z]+|[2-6]0)(?:(?P=quote)(?=[\s,}]|$))"
)
# 30 and 40 are one thing in Python and another in pino; what is an error is one in both.
_FIELD_NUMBERS = {
    "20": Severity.INFO, "30": Severity.INFO, "40": Severity.WARNING, "50": Severity.ERROR, "60": Severity.CRITICAL,
}  # fmt: skip
_LOGFMT_FIELD = re.compile(_FIELD, re.IGNORECASE | re.ASCII)
_LOGFMT_LEVEL = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|(?P<unclosed>\\?$))|' + _FIELD, re.IGNORECASE | re.ASCII)
_LOGFMT_HINT = re.compile(r"(?:level|lvl|severity|levelname)(?:=|: )", re.IGNORECASE | re.ASCII)


def level_of(line: str) -> LevelSeen | None:
    """Find the level that a text line carries as a field; None when it carries none.

    Errors: none. JSON lines are read by `json_level_of`, before this.
    Steps: 1. syslog priority. 2. letters (klog, glog, logcat, Ruby) and first words. 3. `level=`. 4. the first level
    word in the head. 5. a level in another language. 6. what the C library or the kernel says of a process.
    """
    head = line[:HEAD_CHARACTERS]
    seen = _priority(head) or _database(line) or _letter(head) or _logfmt_first(line, head)
    seen = seen or _first_of(_foreign(head), _word(head)) or _logfmt(line)
    return seen or (LevelSeen(Severity.ERROR, 0, by_shape=False) if is_native_fault(line) else None)


def _first_of(one: LevelSeen | None, other: LevelSeen | None) -> LevelSeen | None:
    return min((each for each in (one, other) if each), key=lambda each: each.end, default=None)


def severity_of_word(word: str) -> Severity | None:
    """Read a level word in any case; None for a word that is no level."""
    return WORDS.get(word.strip().lower()) or (LETTERS.get(word) if len(word) == 1 else None)


def named_severity(word: str) -> Severity | None:
    """Read a level that stands in a field of its own: in any language, and as `org.apache.Level.ERROR` too."""
    text = word.strip()
    return severity_of_word(text) or LEVELS.get(text) or severity_of_word(text.rpartition(".")[2])


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
    if found is None:
        return None
    if NOTHING_THERE.match(head, found.end()):
        return None
    word = found[found.lastindex or 1].lower()
    return LevelSeen(WORDS.get(word, Severity.WARNING), found.end(), by_shape=True)


def _word(head: str) -> LevelSeen | None:
    found = _AFTER_TIME.match(head) or _HEAD_WORD.search(head)
    if found is None:
        return None
    severity = WORDS[found[found.lastindex or 0].lower()]
    return LevelSeen(severity, found.end(), by_shape=not _LOGFMT_START.match(head) and not _PRIORITY.match(head))


def _foreign(head: str) -> LevelSeen | None:
    if head.isascii() and ": " not in head and "," not in head:
        return None
    found = foreign_level(head)
    return LevelSeen(found[0], found[1], by_shape=False) if found else None


def _database(line: str) -> LevelSeen | None:
    """Read PostgreSQL's CSV: the level stands far to the right, before a code of SQL."""
    found = _CSV_LEVEL.search(line, 0, CSV_CHARACTERS) if '",' in line[:HEAD_CHARACTERS] else None
    severity = named_severity(found[1]) if found else None
    return LevelSeen(severity, found.end(), by_shape=False) if found and severity else None


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
        word = found["word"] or ""
        if severity := severity_of_word(word) or _FIELD_NUMBERS.get(word):
            return LevelSeen(severity, found.end(), by_shape=True)
    return None
