"""A fold of the older part and the rest say exactly what the whole ledger says."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.model.incidents.incident import Event, Fold, Ledger, LedgerRecord, Source
from tasks.model.incidents.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.action_history import APPROVAL_TYPE, REARMED_TYPE, action_history
from tasks.rules.incidents.fold import failing_since, fold_incidents, rearmed_at
from tasks.rules.incidents.ledger_fold import folded
from tasks.rules.incidents.maintenance_windows import maintenance_at, maintenance_ended_at

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SERVICES = ["orders", "quotes", None]
# A day and more, both ways: clocks jump.
STAMPS = st.one_of(
    st.integers(-400_000, 0), st.integers(-4_000, 0), st.sampled_from([9_000_000, 3600, 299, -60_000_000])
)


def record(kind: str, service: str | None, incident: str | None, stamp_s: int, number: int) -> LedgerRecord:
    """One record of any kind."""
    at = NOW + timedelta(seconds=stamp_s)
    by_person = kind in {REARMED_TYPE, STARTED_TYPE, ENDED_TYPE, APPROVAL_TYPE}
    event = Event.ACKNOWLEDGED if by_person else kind if kind in set(Event) else None
    details: dict[str, object] = {
        "cause": "service_hung",
        "action": "restart_service",
        "key": f"{incident}/restart_service/{number % 3}",
        "outcome": ["done", "unknown", "not_recovered"][number % 3],
        "actions": [f"{incident}/restart_service/{number % 3}"],
        "answer": ["rejected", "approved"][number % 2],
        "until": utc_text(at + timedelta(seconds=4000)),
        "tier": "tier_1",
        "audience": "tier_1",
    }
    source = Source.OPERATOR if by_person else Source.TRIAGE
    own = incident if kind in set(Event) or kind == APPROVAL_TYPE else None
    return LedgerRecord(
        timestamp=at, type=kind, service=service, incident_id=own, event=event, source=source, details=details
    )


RECORDS = st.lists(
    st.builds(
        record,
        st.sampled_from(
            [
                *Event,
                REARMED_TYPE,
                STARTED_TYPE,
                ENDED_TYPE,
                APPROVAL_TYPE,
                "gateway_unreachable",
                "order_routing_failed",
            ]
        ),
        st.sampled_from(SERVICES),
        st.sampled_from(["INC-1", "INC-2", None]),
        STAMPS,
        st.integers(0, 5),
    ),
    max_size=60,
)


def numbered(records: list[LedgerRecord]) -> tuple[LedgerRecord, ...]:
    """The records as they stand in a file."""
    return tuple(one.model_copy(update={"line": line}) for line, one in enumerate(records, start=1))


def in_parts(records: tuple[LedgerRecord, ...], cuts: list[int]) -> Ledger:
    """Fold up to each cut in turn, as a run does after the other."""
    before, done = Fold(), 0
    for cut in sorted({min(one, len(records)) for one in cuts}):
        ledger = Ledger(records=(*before.records, *records[done:cut]), before=before)
        before, done = folded(ledger, cut, NOW), cut
    return Ledger(records=(*before.records, *records[done:]), before=before)


def answers(ledger: Ledger, service: str) -> dict[str, object]:
    """Everything that decides."""
    records = ledger.records
    return {
        "incidents": fold_incidents(ledger, service),
        "history": action_history(records, service, NOW),
        "window": maintenance_at(records, service, NOW),
        "ended": maintenance_ended_at(records, service, NOW),
        "rearmed": rearmed_at(records, service),
    }


@settings(max_examples=300, deadline=None)
@given(records=RECORDS, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_a_fold_and_the_rest_say_what_the_whole_ledger_says(records: list[LedgerRecord], cuts: list[int]) -> None:
    """A budget that comes out of a snapshot must be the one that stands in the file, to the last action."""
    whole = numbered(records)

    for service in ("orders", "quotes", "never-named"):
        assert answers(in_parts(whole, cuts), service) == answers(Ledger(records=whole), service)


def test_facts_of_the_last_day_stay_and_older_ones_go() -> None:
    """A cause asks what happened within a day; a fold that kept everything would be the file again."""
    stamps = [-200_000, -3600, -60]
    facts = numbered([record("gateway_unreachable", "orders", None, stamp, 0) for stamp in stamps])

    kept = in_parts(facts, [3]).records

    assert [one.timestamp for one in kept if one.type == "gateway_unreachable"] == [one.timestamp for one in facts[1:]]
    assert failing_since(kept, "orders", NOW) == facts[1].timestamp


def test_what_was_folded_is_small() -> None:
    """A year of one open incident, seen every minute, is a few records."""
    seen = [record(Event.OBSERVED, "orders", "INC-1", -60 * number, 0) for number in range(2000, 0, -1)]
    opened = record(Event.OPENED, "orders", "INC-1", -200_000, 0)

    ledger = in_parts(numbered([opened, *seen]), [2001])

    assert len(ledger.records) <= 3
    assert fold_incidents(ledger, "orders")[0].observed_count == 2000
