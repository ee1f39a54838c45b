"""Read one page of the orders without a proven outcome by a service's own description (safety rule 5)."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.model.probes.fix_words import plain_word
from tasks.model.probes.order_states import BlindReason
from tasks.model.probes.probes import Exchange
from tasks.model.service.order_settings import UnprovenSettings
from tasks.rules.probes.order_list import OrderPage, page_of_fault
from tasks.rules.service.expression import document_of, value_at, word_at

# What an answer says where it is not all, as `plain_word` leaves it; and how many there are of it.
_PARTS = frozenset({"truncated", "partial", "incomplete", "hasmore", "hasnext", "more", "error", "errors"})
_TOTALS = frozenset({"total", "totalcount", "totalelements", "totalresults"})
_TIMES = ("acceptedat", "sentat", "createdat", "submittedat", "transacttime", "timestamp", "created", "time")
# A list of just so many that names no next page may have been cut there.
_PAGE_COUNTS = frozenset({10, 20, 25, 50, 100, 200, 250, 500, 1000, 5000, 10_000})
_DEPTH_LIMIT_COUNT = 4
AFTER_LIMIT_COUNT = 200
NO_WORDS: Mapping[str, str] = {}


def read_described_page(
    exchange: Exchange, described: UnprovenSettings, words: Mapping[str, str] = NO_WORDS
) -> OrderPage:
    """Read a page, each entry in the words of the contract; what cannot be read is blind. `words` are ours → theirs.

    Errors: none. A list that says, or looks as if, it is not all there is, is not all.
    """
    broken = page_of_fault(exchange)
    if broken is not None:
        return broken
    if exchange.http_status != 200:
        return _unreadable(f"http_status={exchange.http_status}; correct orders.unproven")
    document = document_of(exchange.body)
    entries = value_at(described.items, document)
    if not isinstance(entries, list) or document == {}:
        return _unreadable(f"expected a list of orders at {described.items} was something else")
    ours = {word: name for name, word in words.items()}
    found = tuple(_as_contract(entry, described, ours) for entry in entries)
    after = word_at(described.next, document, AFTER_LIMIT_COUNT + 1)
    if after is not None:
        is_short = len(after) <= AFTER_LIMIT_COUNT
        return OrderPage(found, after) if is_short else _unreadable("expected a name of the next page was a long text")
    return _last_page(document, found, described)


def _last_page(document: Any, found: tuple[object, ...], described: UnprovenSettings) -> OrderPage:
    if part := _part_of(document, len(found)):
        return _unreadable(f"expected a whole list of orders was one {part}")
    if described.next is None and len(found) in _PAGE_COUNTS:
        detail = f"a list of just {len(found)} may be cut there; describe orders.unproven.next"
        return OrderPage(found, blind=BlindReason.TOO_MANY, detail=detail)
    return OrderPage(found)


def _unreadable(detail: str) -> OrderPage:
    return OrderPage(blind=BlindReason.UNREADABLE_ANSWER, detail=detail)


def _as_contract(entry: Any, described: UnprovenSettings, ours: Mapping[str, str]) -> object:
    """Write an entry as the contract does; what is no order stays what it is, and counts as one that is not proven."""
    written = word_at(described.status, entry, 61)
    plain = plain_word(written or "")
    on_unknown = plain in {plain_word(word) for word in described.unknown}
    on_flight = plain in {plain_word(word) for word in described.in_flight}
    asset_class = word_at(described.asset_class, entry)
    status = "unknown" if on_unknown or written is None else "in_flight" if on_flight else written
    return {
        "client_order_id": word_at(described.id, entry),
        "status": status,
        "asset_class": ours.get(asset_class or "", asset_class),
        "gateway": word_at(described.gateway, entry),
        "accepted_at": value_at(described.time, entry) if described.time else _time_of(entry),
    }


def _time_of(entry: Any) -> object:
    named = {plain_word(key): value for key, value in entry.items()} if isinstance(entry, dict) else {}
    return next((named[name] for name in _TIMES if name in named), None)


def _part_of(document: Any, listed_count: int) -> str:
    for key, value in _outer_keys(document):
        if plain_word(key) in _PARTS and value not in (None, False, 0, "", [], {}):
            return f"with {key} and no next"
        is_total = plain_word(key) in _TOTALS and isinstance(value, int) and not isinstance(value, bool)
        if is_total and value > listed_count:
            return f"of {value} that lists {listed_count}"
    return ""


def _outer_keys(document: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Give what stands around the list; what stands in it speaks of one order only."""
    if isinstance(document, dict) and depth < _DEPTH_LIMIT_COUNT:
        for key, value in document.items():
            yield key, value
            yield from _outer_keys(value, depth + 1)
