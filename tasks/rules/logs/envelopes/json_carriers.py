"""Take a line out of the JSON object that carries it: Docker's and its shippers', and the journal's."""

import re
from typing import Any

from tasks.model.logs.findings import Severity
from tasks.rules.formats.json_values import parse_object
from tasks.rules.logs.envelopes.carrier import Opened
from tasks.rules.logs.level import MARK, syslog_severity

_KEYS_CHARACTERS = 4000
_LOG_KEYS = ('"log"', '"stream"')
_JOURNAL_KEYS = ('"MESSAGE"', '"PRIORITY"')
# With one of these, the object speaks for itself.
_OWN_LEVEL = ("level", "severity", "lvl", "levelname", "log.level", "loglevel")
MESSAGE_BYTES = 131_072
_COLOURS = re.compile(r"\x1b\[[0-9;]*m|\x00")


def opened_json(line: str) -> Opened | None:
    """Take the line out; None where the object is a record of its own."""
    if line[:1] != "{" and line[:64].lstrip()[:1] != "{":
        return None
    if all(key in line for key in _LOG_KEYS):
        return _docker(parse_object(line))
    if any(key in line for key in _JOURNAL_KEYS):
        return _journal(parse_object(line))
    return None


def _docker(table: dict[str, Any] | None) -> Opened | None:
    """Docker cuts a line at 16 kB: all but its last record lack the newline. Fluent Bit says it in a key."""
    text = table.get("log") if table else None
    if table is None or not isinstance(text, str) or any(key in table for key in _OWN_LEVEL):
        return None
    said = table.get("logtag", table.get("_p"))
    unfinished = said == "P" if said in ("P", "F") else table.keys() <= _DOCKER_KEYS and not text.endswith("\n")
    return Opened(
        without_colours(text.rstrip("\r\n")),
        table.get("time"),
        start=-1,
        unfinished=unfinished,
        stream=str(table.get("stream", "")),
    )


_DOCKER_KEYS = frozenset(("log", "stream", "time", "attrs"))


def _journal(table: dict[str, Any] | None) -> Opened | None:
    if table is None or "MESSAGE" not in table or not any(key.startswith("_") or key == "PRIORITY" for key in table):
        return None
    text = journal_text(table["MESSAGE"])
    if text is None:
        return None
    severity = journal_severity(table.get("PRIORITY"))
    return Opened(without_colours(text.rstrip("\r\n")), _journal_time(table), severity, start=-1, in_letters=False)


def journal_text(value: object) -> str | None:
    """Read a field of the journal: text, or numbers where it is no text that can be printed."""
    if isinstance(value, list) and value and isinstance(value[0], list | str):
        value = value[0]
    if isinstance(value, list):
        numbers = value[:MESSAGE_BYTES]
        if not all(isinstance(number, int) and 0 <= number < 256 for number in numbers):
            return None
        return bytes(numbers).decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def journal_severity(value: object) -> Severity | None:
    """Read a PRIORITY: one digit, 0 to 7."""
    text = str(value) if isinstance(value, str | int) else ""
    return syslog_severity(int(text)) if len(text) == 1 and text in "01234567" else None


def _journal_time(table: dict[str, Any]) -> object:
    return table.get("_SOURCE_REALTIME_TIMESTAMP") or table.get("__REALTIME_TIMESTAMP")


def without_colours(text: str) -> str:
    """Put the mark of what nobody sees in place of colours, as in every other line."""
    return _COLOURS.sub(MARK, text).removeprefix(MARK) if "\x1b" in text or "\x00" in text else text
