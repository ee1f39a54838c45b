"""Read the level, message, time and stack trace of a log line written as JSON, whoever wrote it."""

import re
from typing import Any

from tasks.model.logs.findings import Severity
from tasks.rules.formats.json_values import parse_object
from tasks.rules.logs.level import LevelSeen, named_severity, syslog_severity

_LEVEL_KEYS = frozenset({
    "level", "severity", "lvl", "levelname", "level_name", "loglevel", "log_level", "log.level", "log-level",
    "severitytext", "severity_text", "error_severity", "severitylevel",
    "@l", "s", "priority", "levelno", "severitynumber", "severity_number",
})  # fmt: skip
_MESSAGE_KEYS = (
    "msg", "message", "event", "short_message", "MESSAGE", "@m", "@mt", "Message", "text", "body", "log", "error",
    "err",
)  # fmt: skip
_TRACE_KEYS = (
    "exc_info", "exception", "stack_trace", "stacktrace", "stack", "traceback", "error.stack_trace",
    "err", "error", "@x",
    "exc_text", "Exception", "StackTrace", "full_message", "message", "msg", "event",
)  # fmt: skip
_TRACE_PARTS = ("stack", "stack_trace", "stackTrace", "stacktrace", "traceback", "message")
_TIME_KEYS = (
    "timestamp", "ts", "time", "@timestamp", "@t", "asctime", "datetime", "date", "Timestamp", "t", "timeMillis",
    "eventTime",
)  # fmt: skip
_ERROR_KEYS = ("error", "err", "exception", "exc_info", "traceback")
_NOTHING = frozenset({
    "none", "null", "nil", "<nil>", "<none>", "<null>", "n/a", "-", "ok", "0", "false", "no", "undefined",
    "success", "{}", "[]",
})  # fmt: skip

_STRING = r'"(?:[^"\\]|\\.)*+"'
# The keys before the level have plain values here; a line with deeper ones is parsed in full.
_FLAT_HEAD = re.compile(
    rf'\s*\{{\s*(?:"(?![Ll]evel"|[Ss]everity"|lvl"|levelname"|log\.level"){_STRING[1:]}\s*:\s*'
    rf'(?:{_STRING}|[-\d.eE+]++|true|false|null)\s*,\s*)*+"(?:[Ll]evel|[Ss]everity|lvl|levelname|log\.level)"\s*:\s*"([A-Za-z]+)"',
    re.ASCII,
)
_TORN = re.compile(r'"(?:[\w.]*[Ll]evel|[Ss]everity|lvl|levelname)"\s*:\s*"?([A-Za-z]{2,}|\d{2,})', re.ASCII)


def looks_like_json(line: str) -> bool:
    """Say whether a line begins as a JSON object."""
    return line.lstrip()[:1] == "{"


def json_level_of(line: str, table: dict[str, Any] | None = None) -> LevelSeen | None:
    """Find the level among the line's own keys; nested tables do not speak for the line, but for ECS' `log.level`.

    Errors: none; a torn object is read as far as it goes.
    """
    flat = _FLAT_HEAD.match(line)
    if flat and (severity := named_severity(flat[1])):
        return LevelSeen(severity, flat.end(), by_shape=True)
    table = table or parse_object(line)
    if table is None:
        return _torn_level(line)
    severity = _level_in(table)
    return LevelSeen(severity, 0, by_shape=False) if severity else None


def message_in(table: dict[str, Any]) -> str:
    """Take the message; a table under `error` gives its own message."""
    for key in _MESSAGE_KEYS:
        value = table.get(key)
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value.strip():
            return value
    return ""


def trace_text_in(table: dict[str, Any]) -> str:
    """Take the first text among the keys for exceptions that has several lines."""
    for key in _TRACE_KEYS:
        text = _trace_part(table.get(key))
        if "\n" in text:
            return text
    return ""


def time_in(table: dict[str, Any]) -> object:
    """Take the time as written: text or number; None when there is none."""
    for key in _TIME_KEYS:
        value = table.get(key)
        if isinstance(value, dict):
            value = value.get("$date")
        if isinstance(value, str | int | float):
            return value
    return None


def texts_in(table: dict[str, Any]) -> list[str]:
    """Take the texts in which keywords count when there is no level: values, never keys.

    A filled `error` or `exception` counts as the word itself.
    """
    texts = [value for value in table.values() if isinstance(value, str)]
    filled = [key for key in _ERROR_KEYS if table.get(key) and str(table[key])[:20].strip().lower() not in _NOTHING]
    return [*texts, "error"] if filled else texts


def _level_in(table: dict[str, Any]) -> Severity | None:
    for key, value in table.items():
        if key.lower() in _LEVEL_KEYS and (severity := _severity(key.lower(), value, table)):
            return severity
    if "@t" in table and ("@mt" in table or "@m" in table):
        return Severity.INFO  # Serilog leaves out the level of what is only told.
    nested = table.get("log")
    return _level_in(nested) if isinstance(nested, dict) and "level" in nested else None


def _severity(key: str, value: object, table: dict[str, Any]) -> Severity | None:
    if isinstance(value, str) and key != "priority" and not value.isdigit():
        return named_severity(value) if key != "s" or "t" in table else None
    number = _number(value)
    if number is None:
        return None
    if number >= 100 and number % 50 == 0:
        return _hundreds(key, number)
    if key == "priority" or (number < 8 and _is_gelf(table)):
        return syslog_severity(number) if number < 8 else None
    return _numeric(key, number)


# The least number of each level from critical down: OpenTelemetry's 1 to 24, Python's, bunyan's and pino's 10 to 60.
_GOOGLE, _MONOLOG = (600, 500, 400, 200, 100), (500, 400, 300, 200, 100)
_OPENTELEMETRY, _PYTHON, _PINO = (21, 17, 13, 9, 1), (50, 40, 30, 20, 10), (60, 50, 40, 30, 10)


def _numeric(key: str, number: int) -> Severity | None:
    is_opentelemetry = key in ("severitynumber", "severity_number")
    if number >= (25 if is_opentelemetry else 100):
        return None
    steps = _OPENTELEMETRY if is_opentelemetry else _PYTHON if key == "levelno" else _PINO
    levels = zip(steps, sorted(Severity, reverse=True), strict=True)
    return next((severity for least, severity in levels if least <= number), None)


def _hundreds(key: str, number: int) -> Severity | None:
    """Google Cloud counts 500 as an error, Monolog 400."""
    steps = _GOOGLE if key.startswith("severity") else _MONOLOG
    levels = zip(steps, sorted(Severity, reverse=True), strict=True)
    return next((severity for least, severity in levels if least <= number <= 800), None)


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _is_gelf(table: dict[str, Any]) -> bool:
    return "short_message" in table or table.get("version") in ("1.0", "1.1")


def _torn_level(line: str) -> LevelSeen | None:
    found = _TORN.search(line)
    if found is None:
        return None
    severity = _numeric("level", int(found[1][:6])) if found[1].isdigit() else named_severity(found[1])
    return LevelSeen(severity, 0, by_shape=False) if severity else None


def _trace_part(value: object) -> str:
    if isinstance(value, dict):
        value = next((value[key] for key in _TRACE_PARTS if isinstance(value.get(key), str)), "")
    if isinstance(value, list):
        value = "\n".join(part for part in value if isinstance(part, str))
    text = value if isinstance(value, str) else ""
    # Some layouts escape what JSON escapes again.
    return text.replace("\\n", "\n").replace("\\t", "\t") if "\n" not in text and "\\n" in text else text
