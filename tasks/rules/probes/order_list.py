"""Read one page of `GET /orders?status=…`, also of a service that lists its orders in a shape of its own."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from tasks.model.probes.fix_words import ord_status
from tasks.model.probes.order_states import BlindReason, UnprovenOrder
from tasks.model.probes.probes import Exchange, Fault
from tasks.rules.formats.json_values import line_of, table_of
from tasks.rules.formats.time import parse_time

# The journal's words and FIX's OrdStatus: each says that the venue, or the service itself, has answered for the order.
PROVEN = frozenset(
    {
        *("new", "accepted", "acknowledged", "open", "working", "partially_filled", "suspended", "stopped"),
        *("filled", "done", "done_for_day", "closed", "calculated", "expired", "replaced", "canceled", "cancelled"),
        *("pending_cancel", "pending_replace", "rejected", "denied", "not_received"),
    }
)
IN_FLIGHT = frozenset({"in_flight", "inflight", "pending", "pending_new", "sent", "submitted"})
# Exactly as our own synthetic orders are numbered: a trader's order that merely begins so still counts.
OUR_OWN = re.compile(r"synthetic-[0-9a-f]{32}")
# Asked for at once. A list of just so many that names no next page may have been cut there.
PAGE_COUNT = 200
# Two clocks on one network: an order from further ahead has a time that says nothing.
CLOCK_SKEW_S = 5.0
_PARTS = ("truncated", "partial", "incomplete", "has_more", "more")
_IDS, _TIMES = ("client_order_id", "cl_ord_id", "order_id", "id"), ("accepted_at", "sent_at", "created_at", "timestamp")


class OrderPage(NamedTuple):
    """One page: its entries, where the next begins, or why it could not be read; `refused` is a status not known."""

    entries: tuple[object, ...] = ()
    after: str | None = None
    blind: BlindReason | None = None
    detail: str = ""
    refused: bool = False


def read_page(exchange: Exchange) -> OrderPage:
    """Read a page: a list, or an object with `orders`, and with `next` where there is more.

    Errors: none; what cannot be read is blind, which says nothing of the orders.
    """
    broken = page_of_fault(exchange)
    return broken if broken is not None else _read_answer(exchange)


def page_of_fault(exchange: Exchange) -> OrderPage | None:
    """Say why no answer came that could be read; None where one came."""
    match exchange.fault:
        case Fault.NONE:
            return None
        case Fault.REFUSED | Fault.UNREACHABLE | Fault.TLS:
            return OrderPage(blind=BlindReason.NOT_REACHED, detail=exchange.detail)
        case Fault.TIMED_OUT | Fault.CUT_OFF | Fault.CLIENT:
            return OrderPage(blind=BlindReason.NOT_ANSWERED, detail=exchange.detail)
        case Fault.TOO_LARGE | Fault.MALFORMED | Fault.BAD_STATUS:
            return OrderPage(blind=BlindReason.UNREADABLE_ANSWER, detail=exchange.detail)


def unproven_order(entry: object, asked: str, now: datetime) -> UnprovenOrder | None:
    """Read one entry; None where it is proven, or our own synthetic order.

    Steps: an entry without a status has the one that was asked for; a word that nobody knows proves nothing.
    """
    if isinstance(entry, str):
        entry = {"client_order_id": entry}
    if not isinstance(entry, dict):
        return UnprovenOrder(client_order_id="unreadable", status=asked, detail="an entry that is no order")
    inner = table_of(entry, "order") or {}
    client_order_id = next((found for key in _IDS if (found := _word(entry, key))), "unnamed")
    status = _status(entry, asked)
    is_ours = entry.get("synthetic") is True or inner.get("synthetic") is True or OUR_OWN.fullmatch(client_order_id)
    if is_ours or status in PROVEN:
        return None
    return UnprovenOrder(
        client_order_id=client_order_id,
        status=status,
        detail=_why(entry),
        asset_class=line_of(entry, "asset_class", 40) or line_of(inner, "asset_class", 40),
        gateway=line_of(entry, "gateway", 100) or line_of(table_of(entry, "execution"), "gateway", 100),
        age_s=_age_s(entry, now),
    )


def _read_answer(exchange: Exchange) -> OrderPage:
    status = exchange.http_status
    if status in {404, 405, 501}:
        detail = f"http_status={status}; this service lists no orders"
        return OrderPage(blind=BlindReason.NOT_AVAILABLE, detail=detail)
    if status != 200:
        told = f"http_status={status}"
        return OrderPage(blind=BlindReason.UNREADABLE_ANSWER, detail=told, refused=status in {400, 422})
    try:
        body = orjson.loads(exchange.body)
    except (orjson.JSONDecodeError, RecursionError, ValueError):
        body = None
    part = _part_of(body) if isinstance(body, dict) else ""
    if part:
        return OrderPage(blind=BlindReason.UNREADABLE_ANSWER, detail=f"expected a whole list of orders was {part}")
    entries = body.get("orders") if isinstance(body, dict) else body
    if not isinstance(entries, list):
        return OrderPage(blind=BlindReason.UNREADABLE_ANSWER, detail="expected a list of orders was something else")
    after = _after(body)
    told_its_end = isinstance(body, dict) and "next" in body
    if after is None and len(entries) == PAGE_COUNT and not told_its_end:
        return OrderPage(
            tuple(entries), blind=BlindReason.TOO_MANY, detail=f"a full page of {PAGE_COUNT} without a next"
        )
    return OrderPage(tuple(entries), after)


def _part_of(body: dict[str, Any]) -> str:
    """Say where an answer tells that it is not all: an error beside the list, a mark, or more than it lists."""
    told = next((key for key in ("error", "errors") if body.get(key)), None)
    if told:
        return f"one beside {told}"
    marked = next((key for key in _PARTS if body.get(key) not in (None, False)), None)
    if marked and _after(body) is None:
        return f"one with {marked} and no next"
    return ""


def _after(body: object) -> str | None:
    found = body.get("next") if isinstance(body, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | str):
        return None
    return str(found)[:200] or None


def _status(entry: dict[str, Any], asked: str) -> str:
    """Read a status in the journal's words, or in FIX's words and codes."""
    written = _word(entry, "status") or asked
    plain = written.strip().lower().replace("-", "_").replace(" ", "_")
    known = ord_status(written)
    return known[0] if known and plain not in PROVEN | IN_FLIGHT else plain


def _word(entry: Mapping[str, Any], key: str) -> str:
    found = entry.get(key)
    return str(found)[:100] if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _why(entry: dict[str, Any]) -> str:
    error = table_of(entry, "error")
    said = f"{line_of(error, 'code', 100) or ''} {line_of(error, 'message', 200) or ''}".strip()
    return said or line_of(entry, "error", 200) or "no answer yet"


def _age_s(entry: Mapping[str, Any], now: datetime) -> float | None:
    moment = next((found for key in _TIMES if (found := parse_time(entry.get(key)))), None)
    if moment is None:
        return None
    age_s = (now - moment).total_seconds()
    return None if age_s < -CLOCK_SKEW_S else round(max(0.0, age_s), 3)
