"""Counting a ledger that anybody may have written to."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deployments.monitoring.counts import LedgerCounts
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Event
from tasks.rules.incidents.parse import parse_lines

WORDS = st.sampled_from(["service_hung", "restart_service", "recovered", "unknown", "tier_1", "operator", "", "x"])
VALUES = st.none() | st.integers() | st.floats(allow_nan=False) | WORDS | st.lists(WORDS, max_size=2)
TIMES = st.sampled_from(["2026-11-23T15:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
DETAILS = st.dictionaries(
    st.sampled_from(["cause", "action", "outcome", "audience", "key", "last_well_at", "until"]), VALUES | TIMES
)
RECORDS = st.fixed_dictionaries(
    {"timestamp": TIMES, "type": st.sampled_from(["x", "automation_rearmed", "maintenance_started"])},
    optional={
        "service": st.sampled_from(["order-service", "another"]),
        "incident_id": st.sampled_from(["INC-1", "INC-2"]),
        "event": st.sampled_from([event.value for event in Event]),
        "source": st.sampled_from(["triage", "operator", "watchdog"]),
        "details": DETAILS,
    },
)


@given(st.lists(RECORDS, max_size=20), st.integers(min_value=0, max_value=20))
def test_any_ledger_is_counted_alike_in_one_piece_or_in_two(records: list[dict[str, Any]], cut: int) -> None:
    """A scrape between two lines must not change what is counted; and no line keeps the rest from being reported."""
    lines = [json.dumps(record).encode() for record in records]
    whole, parts = LedgerCounts("order-service"), LedgerCounts("order-service")
    for counts, pieces in ((whole, [lines]), (parts, [lines[:cut], lines[cut:]])):
        for piece in pieces:
            for record in parse_lines(b"\n".join(piece)).records:
                counts.take(record)

    assert vars(whole).keys() == vars(parts).keys()
    assert (whole.open, whole.opened, whole.results) == (parts.open, parts.opened, parts.results)
    assert set(whole.opened) <= set(Cause)
    assert set(whole.open) <= whole.known
    assert whole.to_recover.count <= sum(record.get("event") == Event.OPENED for record in records)
    assert whole.to_detect.sum_s >= 0
    assert whole.to_recover.sum_s >= 0
