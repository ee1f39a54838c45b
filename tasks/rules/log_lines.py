"""Read one log line of any format: how bad it is, its message, its time, and a trace inside it."""

import re
from datetime import datetime
from typing import Any

from tasks.model.log_levels import LevelSeen, LineRead, Severity
from tasks.rules.json_values import parse_object
from tasks.rules.log_json import json_level_of, looks_like_json, message_in, texts_in, time_in, trace_text_in
from tasks.rules.log_keywords import sounds_like_an_error
from tasks.rules.log_levels import MARK, level_of
from tasks.rules.log_times import time_of, time_of_value

# A longer line is read by its two ends; the engine has seen all of it. JSON needs its whole, and is parsed faster.
LINE_BYTES = 16_384
JSON_LINE_BYTES = 131_072
MESSAGE_CHARACTERS = 4000

# What no person sees: colours, and the NULs that truncation under a writer leaves. Inside a line they part words.
_UNSEEN = re.compile(r"(?:\x1b\[[0-9;]*m|\x00)+")
_UNSEEN_FIRST = re.compile(r"^(?:\x1b\[[0-9;]*m|\x00)+")
_LOGFMT_MESSAGE = re.compile(r'(?:^|\s)(?:msg|message|event|err|error)=(?:"((?:[^"\\]|\\.)*)"|(\S+))', re.ASCII)
_LEAD = re.compile(r"^[\s\])|>:,/\-]+")
_EMBEDDED = re.compile(r"^[^{\"]{1,160}?[ :](\{\s*\".*)", re.ASCII | re.DOTALL)


def text_of_line(raw: bytes) -> str:
    """Decode a line: bad UTF-8, NULs and colours become a mark, a very long line keeps its two ends."""
    limit_bytes = JSON_LINE_BYTES if raw[:64].lstrip()[:1] == b"{" else LINE_BYTES
    if len(raw) > limit_bytes:
        raw = raw[: limit_bytes // 2] + raw[-limit_bytes // 2 :]
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    if "\x1b" in text or "\x00" in text:
        text = _UNSEEN.sub(MARK, _UNSEEN_FIRST.sub("", text))
    return text


def level_seen(line: str) -> LevelSeen | None:
    """Find the level that a line carries as a field; None when it carries none."""
    if looks_like_json(line):
        return json_level_of(line) or _level_in_docker(line)
    inner = _embedded(line)
    seen = (json_level_of(inner) if inner else None) or level_of(line)
    return seen._replace(by_shape=False) if seen and inner else seen


def severity_of(line: str) -> tuple[Severity | None, LevelSeen | None]:
    """Say how bad a line is: its own level, else ERROR when its words tell of one, else None."""
    seen = level_seen(line)
    if seen:
        return seen.severity, seen
    return (Severity.ERROR, None) if _tells_of_an_error(line) else (None, None)


def read_line(line: str, severity: Severity, seen: LevelSeen | None, now: datetime) -> LineRead:
    """Read the rest of a line whose severity is known."""
    inner = line if looks_like_json(line) else _embedded(line)
    table = parse_object(inner) if inner else None
    if table is None:
        message = _message(line, seen)[:MESSAGE_CHARACTERS].replace(MARK, "")
        return LineRead(severity, seen is not None, message, time_of(line.replace(MARK, ""), now))
    at = time_of_value(time_in(table), now) or time_of(line, now)
    message = (message_in(table) or line)[:MESSAGE_CHARACTERS]
    return LineRead(severity, seen is not None, message, at, trace_text_in(table))


def _embedded(line: str) -> str | None:
    """Find the JSON behind a syslog or container head."""
    found = _EMBEDDED.match(line) if line.endswith("}") else None
    return found[1] if found else None


def _level_in_docker(line: str) -> LevelSeen | None:
    """Docker's json-file wraps each line of the container in `log`."""
    if '"log"' not in line[:12]:
        return None
    inner = (parse_object(line) or {}).get("log")
    seen = level_seen(inner.strip()) if isinstance(inner, str) and '"log"' not in inner[:12] else None
    return seen._replace(by_shape=False) if seen else None


def _tells_of_an_error(line: str) -> bool:
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
