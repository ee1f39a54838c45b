"""Read a FIX message as engines write it to their message logs: it has no level, its type and its text say it all.

Source: FIX 4.2 to 5.0 SP2, MsgType (35), OrdStatus (39), ExecType (150), Text (58); QuickFIX's FileLog.
"""

import re
from typing import NamedTuple

from tasks.model.logs.findings import Severity

# The message may follow a time and a direction; behind an own level of the line it is only quoted.
HEAD_CHARACTERS = 120
_BEGIN = re.compile(r"8=(?:FIX\.|FIXT\.)\d\.\d(?:SP\d)?(\x01|\||\^A|;|<SOH>|␁| )", re.ASCII)
_FIELD = re.compile(r"(\d{1,5})=(.*)", re.ASCII | re.DOTALL)
_OWN_LEVEL = re.compile(r"\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|level=)\b", re.ASCII | re.IGNORECASE)
FIELDS_LIMIT = 400

_REJECTS = {
    "3": "Reject", "j": "Business Message Reject", "9": "Order Cancel Reject", "Y": "Market Data Request Reject",
    "AG": "Quote Request Reject",
}  # fmt: skip
_ORDERLY = re.compile(
    r"normal|end of (?:day|session|week)|session (?:has )?(?:end|clos)|logout (?:request|confirm|ack|respon)|scheduled|"
    r"user request|goodbye|bye\b|successful|as requested|operator",
    re.IGNORECASE | re.ASCII,
)


class FixLine(NamedTuple):
    """How bad the message is, and what it says."""

    severity: Severity
    message: str
    sending_time: str


def fix_line(line: str) -> FixLine | None:
    """Read the message of a line; None where it holds none, or a level of its own stands before it."""
    if "8=FIX" not in line[: HEAD_CHARACTERS + 6]:
        return None
    found = _BEGIN.search(line, 0, HEAD_CHARACTERS + 20)
    if found is None or _OWN_LEVEL.search(line, 0, found.start()):
        return None
    fields = _fields(line[found.end() :], found[1])
    severity, said = _judged(fields)
    text = fields.get("58", "")
    return FixLine(severity, f"{said}: {text}" if text else said, fields.get("52", ""))


def _fields(text: str, separator: str) -> dict[str, str]:
    """Give each field its first value."""
    fields: dict[str, str] = {}
    for part in text.split(separator, FIELDS_LIMIT):
        found = _FIELD.match(part)
        if found:
            fields.setdefault(found[1], found[2])
    return fields


def _judged(fields: dict[str, str]) -> tuple[Severity, str]:
    kind, text = fields.get("35", ""), fields.get("58", "")
    if kind in _REJECTS:
        return Severity.ERROR, _REJECTS[kind]
    if kind == "8" and "8" in (fields.get("39"), fields.get("150")):
        return Severity.ERROR, "Execution Report rejected"
    if kind == "5" and text:
        return (Severity.INFO if _ORDERLY.search(text) else Severity.ERROR), "Logout"
    if kind == "2" or (kind == "4" and fields.get("123") != "Y"):
        return Severity.WARNING, "Resend Request" if kind == "2" else "Sequence Reset"
    return Severity.INFO, f"FIX message {kind}"
