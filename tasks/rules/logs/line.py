"""Read one log line of any format: how bad it is, its message, its time, and a trace inside it."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from tasks.model.logs.findings import Severity
from tasks.rules.formats.json_values import parse_object
from tasks.rules.logs.envelopes.carrier import Opened
from tasks.rules.logs.envelopes.opened import open_line, records_of
from tasks.rules.logs.fix_line import FixLine, fix_line
from tasks.rules.logs.json_line import json_level_of, looks_like_json, message_in, texts_in, time_in, trace_text_in
from tasks.rules.logs.level import MARK, LevelSeen, level_of
from tasks.rules.logs.line_time import is_exact, time_of, time_of_value
from tasks.rules.logs.words import sounds_like_an_error

# A longer line is read by its two ends; the engine has seen all of it. JSON needs its whole, and is parsed faster.
LINE_BYTES = 16_384
JSON_LINE_BYTES, BATCH_LINE_BYTES = 131_072, 1_048_576
MESSAGE_CHARACTERS, TRACE_CHARACTERS = 4000, 65_536
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# What no person sees: colours, and the NULs that truncation under a writer leaves. Inside a line they part words.
_UNSEEN = re.compile(r"(?:\x1b\[[0-9;]*m|\x00)+")
_UNSEEN_FIRST = re.compile(r"^(?:\x1b\[[0-9;]*m|\x00)+")
# A trace in a record of several lines: what carries it puts all that a process prints at one level.
_TRACE_TEXT = re.compile(r"Traceback \(most recent call last\)|\n[ \t]{1,40}at \S|panic: |\ngoroutine \d+ \[", re.ASCII)
_LOGFMT_MESSAGE = re.compile(r'(?:^|\s)(?:msg|message|event|err|error)=(?:"((?:[^"\\]|\\.)*)"|(\S+))', re.ASCII)
_LEAD = re.compile(r"^[\s\])|>:,/\-]+")
_EMBEDDED = re.compile(r"^[^{\"]{1,160}?[ :](\{\s*\".*)", re.ASCII | re.DOTALL)


class Clock(NamedTuple):
    """The time now, and the zone of a time that names none."""

    now: datetime
    zone: tzinfo = UTC

    def carried(self, outer: object, own: datetime | None) -> datetime | None:
        """Take the carrier's time where it is exact: syslog leaves out the year, and a program its offset."""
        return (time_of_value(outer, *self) if own is None or is_exact(outer) else None) or own


class LineRead(NamedTuple):
    """What one line says of itself: its message without the head, its time, and a trace inside one of its fields."""

    severity: Severity
    leveled: bool
    message: str
    at: datetime | None = None
    trace_text: str = ""


def text_of_line(raw: bytes) -> str:
    """Decode a line: bad UTF-8, NULs and colours become a mark, a very long line keeps its two ends."""
    limit_bytes = _limit_bytes(raw)
    if len(raw) > limit_bytes:
        raw = raw[: limit_bytes // 2] + raw[-limit_bytes // 2 :]
    text = raw.removeprefix(BYTE_ORDER_MARK).decode("utf-8", "replace").rstrip("\r\n")
    if "\x1b" in text or "\x00" in text:
        text = _UNSEEN.sub(MARK, _UNSEEN_FIRST.sub("", text))
    return text


def is_cut(raw: bytes) -> bool:
    """Say whether a line is so long that its middle is not read."""
    return len(raw) >= _limit_bytes(raw)


def time_of_raw(raw: bytes, clock: Clock) -> datetime | None:
    """Read the time of a line, its own or that of what carries it."""
    opened = open_line(text_of_line(raw))
    return clock.carried(opened.at, time_of(opened.text.replace(MARK, ""), *clock))


def _limit_bytes(raw: bytes) -> int:
    if raw[:64].removeprefix(BYTE_ORDER_MARK).lstrip()[:1] != b"{":
        return LINE_BYTES
    is_batch = b'"resource' in raw[:64] and b"\x1b" not in raw
    return BATCH_LINE_BYTES if is_batch else JSON_LINE_BYTES


def severity_of(line: str) -> tuple[Severity | None, LevelSeen | None]:
    """Say how bad a line is: its own level, then that of what carries it, then ERROR when its words report one."""
    found = [severity_of_record(record) for record in records_of(open_line(line))]
    return max(found, key=lambda each: each[0] or 0)


def severity_of_record(opened: Opened) -> tuple[Severity | None, LevelSeen | None]:
    """Say the same of one record."""
    fix = fix_line(opened.text)
    if fix:
        return fix.severity, LevelSeen(fix.severity, 0, by_shape=False)
    seen = level_seen(opened.text)
    if seen:
        return seen.severity, seen
    if "\n" in opened.text and _TRACE_TEXT.search(opened.text):
        return Severity.ERROR, None
    if opened.severity:
        return opened.severity, LevelSeen(opened.severity, 0, by_shape=False)
    return (Severity.ERROR, None) if _reports_an_error(opened.text) else (None, None)


def shape_in_line(opened: Opened, seen: LevelSeen | None) -> LevelSeen | None:
    """Say where in the whole line the level ends, 0 where it stands in JSON that carries it.

    None where what stands before the level may say something else next time.
    """
    if seen is None or not seen.by_shape or opened.unfinished or not opened.in_letters:
        return None
    return seen._replace(end=seen.end + opened.start if opened.start >= 0 else 0)


def level_seen(text: str) -> LevelSeen | None:
    """Find the level that a line carries as a field; None when it carries none."""
    if looks_like_json(text):
        return json_level_of(text)
    inner = _embedded(text)
    seen = (json_level_of(inner) if inner else None) or level_of(text)
    return seen._replace(by_shape=False) if seen and inner else seen


def read_record(opened: Opened, seen: LevelSeen | None, severity: Severity, clock: Clock) -> LineRead:
    """Read the rest of a record whose severity is known."""
    text = opened.text
    fix = fix_line(text)
    if fix:
        return _fix_read(fix, text, clock)
    inner = text if looks_like_json(text) else _embedded(text)
    table = parse_object(inner) if inner else None
    leveled = seen is not None
    if table is None:
        first, *more = text[:TRACE_CHARACTERS].split("\n", 1)
        message = _message(first, seen)[:MESSAGE_CHARACTERS].replace(MARK, "")
        at = clock.carried(opened.at, time_of(text.replace(MARK, ""), *clock))
        return LineRead(severity, leveled, message, at, text[:TRACE_CHARACTERS] if more else "")
    at = clock.carried(opened.at, time_of_value(time_in(table), *clock) or time_of(text, *clock))
    message = (message_in(table) or text)[:MESSAGE_CHARACTERS]
    return LineRead(severity, leveled, message.replace(MARK, ""), at, trace_text_in(table))


def _fix_read(fix: FixLine, text: str, clock: Clock) -> LineRead:
    at = time_of_value(fix.sending_time, *clock) or time_of(text, *clock)
    return LineRead(fix.severity, leveled=True, message=fix.message[:MESSAGE_CHARACTERS], at=at)


def _embedded(line: str) -> str | None:
    """Find the JSON behind a syslog or container head."""
    found = _EMBEDDED.match(line) if line.endswith("}") else None
    return found[1] if found else None


def _reports_an_error(line: str) -> bool:
    inner = line if looks_like_json(line) else None
    table: dict[str, Any] | None = parse_object(inner) if inner else None
    if table is None:
        return sounds_like_an_error(line)
    return any(sounds_like_an_error(text) for text in texts_in(table))


def _message(line: str, seen: LevelSeen | None) -> str:
    logfmt = _LOGFMT_MESSAGE.search(line) if "=" in line else None
    if logfmt and ("level=" in line or "lvl=" in line):
        return logfmt[1] or logfmt[2]
    return _LEAD.sub("", line[seen.end :]) if seen and seen.end else line
