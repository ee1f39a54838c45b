"""Read the lines of `incidents.jsonl` leniently: a time and a type make a record, all else is counted and named."""

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from datetime import datetime
from typing import Any

import orjson

from tasks.model.incidents.incident import Ledger, LedgerRecord, SkippedLine
from tasks.rules.formats.json_values import DEPTH_LIMIT_COUNT, shallow, table_of, text_of
from tasks.rules.formats.time import parse_time

TIME_KEYS = ("timestamp", "ts", "time", "@timestamp")
TYPE_KEYS = ("type", "alert", "incident_type", "event")
LINE_LIMIT_BYTES = 1_048_576


def parse_lines(data: bytes, *, cut: bool = False, lines_before: int = 0) -> Ledger:
    """Parse a whole ledger.

    Errors: none; NaN, deep nesting, bad UTF-8, torn and foreign lines are skipped with a reason and their line number.
    With `cut` the data starts in the middle of a line, which is then left out.
    """
    data = _as_utf8(data)
    records: list[LedgerRecord] = []
    skipped: list[SkippedLine] = []
    lines = data.split(b"\n")
    for number, raw in enumerate(lines, start=lines_before + 1):
        if not raw.strip() or (cut and number == lines_before + 1):
            continue
        found = _parse_line(raw, number)
        if isinstance(found, LedgerRecord):
            records.append(found)
        else:
            skipped.append(SkippedLine(line=number, reason=found))
    return Ledger(records=tuple(records), skipped=tuple(skipped), read_count=len(records) + len(skipped))


def _as_utf8(data: bytes) -> bytes:
    """Bring a file that begins with the mark of UTF-16 into UTF-8."""
    if not data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data
    return data.decode("utf-16", "replace").encode("utf-8", "replace")


def _parse_line(raw: bytes, number: int) -> LedgerRecord | str:
    if len(raw) > LINE_LIMIT_BYTES:
        return f"longer than {LINE_LIMIT_BYTES} bytes"
    # Files that were put together have a mark in the middle, and lines out of an array end with a comma.
    raw = raw.strip().removeprefix(BOM_UTF8).removesuffix(b",")
    try:
        table = _loaded(raw)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {str(error)[:120]}"
    if not isinstance(table, dict):
        return f"not an object but {type(table).__name__}"
    moment = _first_time(table)
    if moment is None:
        return f"no time under {', '.join(TIME_KEYS)}"
    kind = next((text for key in TYPE_KEYS if (text := text_of(table, key, 200))), None)
    if kind is None:
        return f"no type under {', '.join(TYPE_KEYS)}"
    if raw.count(b"{") + raw.count(b"[") > DEPTH_LIMIT_COUNT:
        table = shallow(table)
    return _record(table, moment, kind, number)


def _loaded(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        # Half a character, out of a text that was cut: the line is whole all the same.
        if b"\\ud" not in raw.lower():
            raise
        text = json.dumps(json.loads(raw, parse_constant=_refused), ensure_ascii=False)
        return orjson.loads(text.encode("utf-8", "replace"))


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _first_time(table: dict[str, Any]) -> datetime | None:
    return next((moment for key in TIME_KEYS if (moment := parse_time(table.get(key)))), None)


def _record(table: dict[str, Any], moment: datetime, kind: str, number: int) -> LedgerRecord:
    return LedgerRecord(
        timestamp=moment,
        type=kind,
        service=text_of(table, "service", 200),
        incident_id=text_of(table, "incident_id", 200),
        event=text_of(table, "event", 200),
        source=text_of(table, "source", 200),
        summary=text_of(table, "summary", 2000) or text_of(table, "message", 2000) or "",
        details=table_of(table, "details") or {},
        line=number,
    )
