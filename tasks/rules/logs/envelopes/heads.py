"""Take off what stands as text before a line: the container runtime's, compose's, kubectl's, and syslog's heads."""

import re

from tasks.rules.logs.envelopes.carrier import Opened
from tasks.rules.logs.level import MARK, syslog_severity
from tasks.rules.logs.level_words import WORDS

HEAD_CHARACTERS = 400
_NAME = r"[A-Za-z0-9][\w.-]{0,62}"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_STAMP = r"[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"

_CRI = re.compile(rf"({_ISO}) (stdout|stderr) ([PF])(?::\w{{1,20}})?(?: |$)", re.ASCII)
# What `--timestamps` puts before a line, which then begins with a letter and a time of its own.
_STAMPED = re.compile(rf"({_ISO}) (?=[IWEF]\d{{4}} |\{{)", re.ASCII)
_COMPOSE = re.compile(rf"({_NAME}) {{1,40}}\|{MARK}? ?{MARK}?", re.ASCII)
_KUBECTL = re.compile(r"\[pod/[\w.-]{1,253}/[\w.-]{1,63}\] ", re.ASCII)
# Each frame of syslog over TCP may begin with its length.
_PRIORITY = re.compile(r"(?:\d{1,6} (?=<))?<(\d|[1-9]\d{1,2})>", re.ASCII)
_RFC_5424 = re.compile(rf"1 (-|{_ISO}) (\S{{1,255}}) (\S{{1,48}}) (\S{{1,128}}) (\S{{1,32}}) (?=-|\[)", re.ASCII)
_DATA = re.compile(r'(?:-|(?:\[(?:[^\]"\\]|\\.|"(?:[^"\\]|\\.)*+")*+\])++) ?', re.ASCII | re.DOTALL)
_RFC_3164 = re.compile(rf"({_STAMP}|{_ISO}) ", re.ASCII)
_HOST = re.compile(r"([\w.@:-]{1,255}) (?=\S)", re.ASCII)
_TAG = re.compile(r"([^\s:\[\]{}<>|=]{1,128})(\[[\w./-]{1,64}\])?:(?: |$)", re.ASCII)
_ESCAPED = {"#012": "\n", "#011": "\t", "#015": "\r"}


def opened_head(line: str) -> Opened | None:
    """Take one head off; None where there is none."""
    first = line[:1]
    if first.isdigit() or first in "<[" or first.isalpha():
        return _cri(line) or _stamped(line) or _syslog(line) or _named(line)
    return None


def _cri(line: str) -> Opened | None:
    found = _CRI.match(line)
    if found is None:
        return None
    return Opened(line[found.end() :], found[1], None, found.end(), unfinished=found[3] == "P", stream=found[2])


def _stamped(line: str) -> Opened | None:
    found = _STAMPED.match(line)
    return Opened(line[found.end() :], found[1], start=found.end()) if found else None


def _named(line: str) -> Opened | None:
    found = _COMPOSE.match(line) if "|" in line[:110] else _KUBECTL.match(line)
    if found is None or _is_level(found[1] if found.lastindex else ""):
        return None
    return Opened(line[found.end() :], start=found.end())


def _syslog(line: str) -> Opened | None:
    """Read a priority, then the head of RFC 5424 or of RFC 3164, as far as they are there."""
    found = _PRIORITY.match(line)
    severity = syslog_severity(int(found[1])) if found and int(found[1]) < 192 else None
    at = found.end() if found and severity else 0
    head = _rfc_5424(line, at) if at else None
    head = head or _rfc_3164(line, at, is_sure=bool(at))
    if head is None:
        return Opened(line[at:], None, severity, at) if at else None
    text = line[head.start :].removeprefix("\ufeff")
    start = len(line) - len(text)
    if "#01" in text:
        return Opened(_unescaped(text), head.at, severity, -1)
    return Opened(text, head.at, severity, start)


def _rfc_5424(line: str, at: int) -> Opened | None:
    found = _RFC_5424.match(line, at)
    data = _DATA.match(line, found.end()) if found else None
    return Opened("", found[1], start=data.end()) if found and data else None


def _rfc_3164(line: str, at: int, *, is_sure: bool) -> Opened | None:
    """Read time, host and tag. A level may stand in place of each: then it is no head, but the line's own."""
    found = _RFC_3164.match(line, at)
    if found is None:
        return None
    is_iso = found[1][0].isdigit()
    host = _HOST.match(line, found.end())
    has_host = host is not None and not _is_level(host[1].rstrip(":")) and not host[1].endswith(":")
    after = host.end() if host and has_host else found.end()
    tag = _TAG.match(line, after)
    is_tag = tag is not None and not _is_level(tag[1])
    is_named = is_tag and (has_host or is_sure)
    if not is_named and (is_iso or not is_sure):
        return None
    if is_iso and not is_sure and not (tag and (tag[2] or tag[1] == "kernel")):
        return None
    end = tag.end() if tag and is_tag else after
    return Opened("", found[1], start=end)


def _is_level(word: str) -> bool:
    return word.lower() in WORDS or (len(word) == 1 and word in "VTDIWEFC")


def _unescaped(text: str) -> str:
    for code, letter in _ESCAPED.items():
        text = text.replace(code, letter)
    return text
