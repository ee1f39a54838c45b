"""The cause of one incident as its diagnoses named it: the evidence, and what was ruled out."""

from typing import Any

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Event, LedgerRecord
from tasks.model.postmortem.postmortem import NumberedRecord, PostmortemCase
from tasks.model.probes.probes import Exchange, OrderOutcome, Seen
from tasks.rules.formats.json_values import text_of
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.formats.time import utc_text

REASONS_COUNT = 20
EXCERPT_LIMIT_COUNT = 800
FILES_COUNT = 20
SPECIALS_KEYS = ("release", "feature")
# What nothing but a whole service that is gone does to every class that is routed.
WHOLE_SERVICE = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP, Cause.INFRASTRUCTURE})


def cause_lines(case: PostmortemCase) -> list[str]:
    """Write each diagnosis with its numbers and what was ruled out, then the evidence that was kept.

    Runbook: §5.1 Root cause.
    """
    found = [line for one in diagnoses(case) for line in _diagnosis(one)]
    return [
        "## Root cause",
        *(found or ["", "No diagnosis stands in the ledger."]),
        *_failing(case),
        *_kept(case),
    ]


def diagnoses(case: PostmortemCase) -> tuple[NumberedRecord, ...]:
    """Find the records in which a cause was named: the first one, and each time that it became another."""
    return tuple(one for one in case.records if one.record.event == Event.DIAGNOSED)


def named(case: PostmortemCase, key: str) -> tuple[str, ...]:
    """List what the diagnoses name under a key: asset classes, gateways, kinds, strategies."""
    found = [word for one in diagnoses(case) for word in words_of(one.record, key)]
    return tuple(dict.fromkeys(found))


def words_of(record: LedgerRecord, key: str) -> tuple[str, ...]:
    """Read a list of words out of a record's details; what is no list of words is none."""
    found: Any = record.details.get(key)
    return tuple(one for one in found if isinstance(one, str))[:REASONS_COUNT] if isinstance(found, list) else ()


def asset_classes(case: PostmortemCase) -> tuple[str, ...]:
    """Name the asset classes that were hit: those that the cause names, or every routed one where the service was."""
    if WHOLE_SERVICE.intersection(case.incident.causes):
        routed = [order.asset_class for look in case.looks for order in look.orders]
        orders = case.first_run.evidence.latest.orders if case.first_run else ()
        return tuple(sorted({*routed, *(order.asset_class for order in orders), *named(case, "asset_classes")}))
    return named(case, "asset_classes")


def cause_words(case: PostmortemCase) -> str:
    """Name the causes as a person says them."""
    return ", ".join(cause.value.replace("_", " ") for cause in case.incident.causes) or "not named"


def _diagnosis(one: NumberedRecord) -> list[str]:
    details = one.record.details
    cause = cell((text_of(details, "cause", 100) or "a cause").replace("_", " "))
    kinds = ", ".join(cell(word) for word in words_of(one.record, "kinds"))
    sure = cell(text_of(details, "confidence", 40) or "confidence not known")
    named_at = f"named at {utc_text(one.record.timestamp)} (line {one.line})"
    head = f"**{cause}**{f' ({kinds})' if kinds else ''}, {sure}, {named_at}"
    because = [f"- {cell(reason)}" for reason in words_of(one.record, "because")]
    ruled_out = [f"- {cell(reason)}" for reason in words_of(one.record, "ruled_out")]
    return [
        *("", head, ""),
        *_touched(one.record),
        *("Because:", ""),
        *(because or ["- nothing is recorded"]),
        *("", "Ruled out:", ""),
        *(ruled_out or ["- nothing is recorded"]),
    ]


def _touched(record: LedgerRecord) -> list[str]:
    lists = [(key, ", ".join(words_of(record, key))) for key in ("asset_classes", "gateways", "strategies")]
    lists += [(key, text_of(record.details, key, 100) or "") for key in SPECIALS_KEYS]
    touched = [f"- {key.replace('_', ' ')}: {cell(words)}" for key, words in lists if words]
    return [*touched, ""] if touched else []


def _failing(case: PostmortemCase) -> list[str]:
    """Show one failing exchange as code, so that nothing in it is read as markup."""
    exchange = failing_exchange(case)
    if exchange is None:
        return []
    answer = exchange.body or f"(no body; {exchange.fault}: {exchange.detail})"
    text = f"{exchange.method} {exchange.url}\n{exchange.request_body}\n\nHTTP {exchange.http_status}\n{answer}"
    lines = [_plain(line) for line in text[:EXCERPT_LIMIT_COUNT].splitlines()]
    return ["", "Sample failing request and response:", "", *(f"    {line}" for line in lines)]


def failing_exchange(case: PostmortemCase) -> Exchange | None:
    """Find a request that failed in the first run: an order before the health probe."""
    if case.first_run is None:
        return None
    latest = case.first_run.evidence.latest
    failed = (
        one.exchange for one in latest.orders if not one.outcome.delivered and one.outcome is not OrderOutcome.BLIND
    )
    health = latest.health.exchange if latest.health.seen is Seen.FAILED else None
    return next((one for one in failed if one is not None), health)


def _plain(line: str) -> str:
    return "".join(letter if letter.isprintable() or letter == "\t" else "\ufffd" for letter in line).rstrip()


def _kept(case: PostmortemCase) -> list[str]:
    files = [f"- {cell(name)}" for name in case.evidence_files[:FILES_COUNT]]
    left = len(case.evidence_files) - FILES_COUNT
    more = [f"- and {left} more"] if left > 0 else []
    return ["", "Evidence, under the state directory:", "", *(files or ["- none was kept"]), *more]
