"""Judge one answer of `GET /health` (§1.2)."""

from datetime import datetime
from typing import Any

from tasks.model.control import printable_line
from tasks.model.looks import DependencyLook, Exchange, Fault, HealthLook, Seen
from tasks.rules.http_words import status_words
from tasks.rules.json_values import line_of, number_of, parse_object, state_of, table_of, text_of
from tasks.rules.times import parse_time

DEPENDENCIES_LIMIT_COUNT = 200


def judge_health(exchange: Exchange, now: datetime) -> HealthLook:
    """Say whether the probe passed: only on 200 and `status == "ok"`.

    Runbook: §1.2 Quick health checks.
    Errors: none; whatever came back is a look. A failure of our own client is blind.
    """
    # Some frameworks write a byte order mark before their JSON.
    body = exchange.body.removeprefix("\ufeff")
    table = parse_object(body) if exchange.fault is Fault.NONE else None
    status = text_of(table, "status", 40)
    seen, detail = _verdict(exchange, table, status)
    return HealthLook(
        seen=seen,
        detail=detail,
        looked_at=now,
        exchange=exchange,
        status=status,
        release=line_of(table, "release", 100),
        started_at=parse_time((table or {}).get("started_at")),
        dependencies=_dependencies(table),
    )


def _verdict(exchange: Exchange, table: dict[str, Any] | None, status: str | None) -> tuple[Seen, str]:
    if exchange.blind:
        return Seen.BLIND, f"could not look: {exchange.detail}"
    if exchange.fault is not Fault.NONE:
        return Seen.FAILED, f"{exchange.fault}: {exchange.detail}"
    if (exchange.http_status != 200 and status is None) or not 200 <= (exchange.http_status or 0) < 300:
        words = status_words(exchange)
        return Seen.FAILED, f"{words} status={status}" if status else words
    if table is None or status is None:
        return Seen.FAILED, f"malformed: http_status={exchange.http_status}, no JSON object with a status"
    if exchange.http_status == 200 and status == "ok":
        return Seen.PASSED, f"http_status=200 status=ok in {exchange.seconds_s * 1000:.0f} ms"
    return Seen.FAILED, f"http_status={exchange.http_status} status={status}"


def _dependencies(table: dict[str, Any] | None) -> tuple[DependencyLook, ...]:
    found = table_of(table, "dependencies") or {}
    return tuple(
        DependencyLook(
            name=printable_line(name[:100]),
            status=text_of(one, "status", 40) or "unknown",
            latency_ms=number_of(one, "latency_ms"),
            error=line_of(one, "error", 200),
            set_to=state_of(one, "set_to"),
        )
        for name, one in list(found.items())[:DEPENDENCIES_LIMIT_COUNT]
        if isinstance(one, dict)
    )
