"""Read a record of the journal's export format: a field a line, a blank line behind the record.

Source: systemd, Journal Export Formats. A field that is no plain text is its name alone, eight bytes of length, the
bytes.
"""

import re

from tasks.rules.logs.envelopes.carrier import Opened
from tasks.rules.logs.envelopes.json_carriers import journal_severity, without_colours

EXPORT_KEY = re.compile(rb"_{0,2}[A-Z][A-Z0-9_]{0,63}=?")
_START = re.compile(r"__(?:CURSOR|REALTIME_TIMESTAMP|MONOTONIC_TIMESTAMP)=", re.ASCII)
LENGTH_BYTES = 8


def is_export_start(line: str) -> bool:
    return bool(_START.match(line))


def export_record(lines: list[bytes]) -> tuple[int, Opened] | None:
    """Read the fields that matter, with the number of the line that holds the message; None without one."""
    fields: dict[bytes, bytes] = {}
    at: int | None = None
    for number, line in enumerate(lines):
        key, equals, value = line.partition(b"=")
        if line == b"MESSAGE" and at is None:
            at, fields[b"MESSAGE"] = number, _binary(lines[number + 1 :])
        elif equals and key not in fields:
            fields[key] = value
            at = number if key == b"MESSAGE" else at
    if at is None:
        return None
    text = without_colours(fields[b"MESSAGE"].decode("utf-8", "replace").rstrip("\r\n"))
    time = fields.get(b"_SOURCE_REALTIME_TIMESTAMP") or fields.get(b"__REALTIME_TIMESTAMP", b"")
    severity = journal_severity(fields.get(b"PRIORITY", b"").decode("ascii", "replace"))
    return at, Opened(text, time.decode("ascii", "replace"), severity, start=-1)


def _binary(lines: list[bytes]) -> bytes:
    whole = b"\n".join(lines)
    size = int.from_bytes(whole[:LENGTH_BYTES], "little")
    return whole[LENGTH_BYTES : LENGTH_BYTES + size]
