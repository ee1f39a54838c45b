"""Read batches of telemetry, one line each, into records that every other rule can read: OpenTelemetry and Azure."""

from collections.abc import Iterator
from typing import Any

import orjson

from tasks.rules.formats.json_values import parse_object

RECORDS_LIMIT = 2000
_AZURE_LEVELS = ("verbose", "information", "warning", "error", "critical")


def telemetry_records(line: str) -> tuple[str, ...]:
    """Give each log record of a batch as a JSON object of its own; nothing for any other line."""
    if line[:1] != "{":
        return ()
    if '"resourceLogs"' in line or '"resource_logs"' in line:
        return tuple(_written(record) for record in _open_telemetry(parse_object(line) or {}))
    if '"baseData"' in line or '"severityLevel"' in line or '"itemType"' in line:
        return tuple(_written(record) for record in _azure(parse_object(line) or {}))
    return ()


def _written(record: dict[str, Any]) -> str:
    return orjson.dumps({key: value for key, value in record.items() if value not in (None, "")}).decode()


def _open_telemetry(batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Source: opentelemetry-proto, logs/v1; keys in camel case, and as some exporters write them."""
    count = 0
    for resource in _tables(batch, "resourceLogs", "resource_logs"):
        for scope in _tables(resource, "scopeLogs", "scope_logs", "instrumentationLibraryLogs"):
            for record in _tables(scope, "logRecords", "log_records", "logs"):
                count += 1
                if count <= RECORDS_LIMIT:
                    yield _log_record(record)


def _log_record(record: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        each["key"]: _any_value(each.get("value"))
        for each in _tables(record, "attributes")
        if isinstance(each.get("key"), str)
    }
    number = record.get("severityNumber", record.get("severity_number"))
    said = f"{attributes.get('exception.type', '')}: {attributes.get('exception.message', '')}".strip(": ")
    body = _any_value(record.get("body"))
    stack = attributes.get("exception.stacktrace")
    return {
        "time": record.get("timeUnixNano") or record.get("observedTimeUnixNano") or record.get("time_unix_nano"),
        "severity_number": number if isinstance(number, int) else None,
        "severity_text": record.get("severityText") or record.get("severity_text") or _enumerated(number),
        "message": body if isinstance(body, str) else orjson.dumps(body).decode() if body else said,
        "exc_info": stack if isinstance(stack, str) else None,
        "exception": said,
    }


def _enumerated(number: object) -> str:
    """`SEVERITY_NUMBER_ERROR2` is an error."""
    return number.removeprefix("SEVERITY_NUMBER_").rstrip("234") if isinstance(number, str) else ""


def _any_value(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return next(iter(value.values()), None) if len(value) == 1 else value


def _azure(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Source: the Application Insights telemetry data model; a level is a number from 0 to 4, or its name."""
    data = item.get("data")
    base = data.get("baseData") if isinstance(data, dict) else item.get("baseData", item)
    if not isinstance(base, dict) or not ("severityLevel" in base or isinstance(base.get("exceptions"), list)):
        return
    thrown = next(_tables(base, "exceptions"), {})
    said = f"{thrown.get('typeName', '')}: {thrown.get('message', '')}".strip(": ")
    stack = thrown.get("stack")
    yield {
        "time": item.get("time") or item.get("timestamp"),
        "level": _azure_level(base.get("severityLevel")) or ("error" if thrown else None),
        "message": base.get("message") or said,
        "exc_info": f"{said}\n{stack}" if isinstance(stack, str) else None,
    }


def _azure_level(value: object) -> str | None:
    text = str(value) if isinstance(value, str | int) else ""
    return _AZURE_LEVELS[int(text)] if len(text) == 1 and text in "01234" else text.lower() or None


def _tables(table: dict[str, Any], *keys: str) -> Iterator[dict[str, Any]]:
    value: list[Any] = next((table[key] for key in keys if isinstance(table.get(key), list)), [])
    return (each for each in value if isinstance(each, dict))
