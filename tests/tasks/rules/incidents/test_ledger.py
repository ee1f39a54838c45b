"""Reading the ledger leniently, and folding it into incidents."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.incidents.incident import Action, Event, IncidentState, LedgerRecord, Source
from tasks.model.probes.history import PastObservation
from tasks.rules.incidents.action_history import REARMED_TYPE
from tasks.rules.incidents.fold import failing_since, fold_incidents, open_incidents
from tasks.rules.incidents.parse import parse_lines
from tasks.rules.incidents.transitions import OpenLedger, incident_changes
from tests.fakes.incident.observations import evidence, observation, with_limits

AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SERVICE = "order-service"
WELL = Diagnosis(status=Status.OK)
# One good check is enough to close here; how many it takes is the rule of hysteresis, tested with it.
QUICK = DiagnosisLimits(close_good_count=1, close_good_s=0)
GOOD = with_limits(evidence(observation()), QUICK)


def holding(incidents: tuple[IncidentState, ...], *, acting: bool = False) -> OpenLedger:
    """What the ledger holds of the service."""
    return OpenLedger(service=SERVICE, now=AT, incidents=incidents, acting=acting)


def record(event: Event, after_s: float = 0, incident_id: str | None = "INC-1", **details: object) -> LedgerRecord:
    """One record of one incident."""
    return LedgerRecord(
        timestamp=AT + timedelta(seconds=after_s),
        type="health_check_error",
        service=SERVICE,
        incident_id=incident_id,
        event=event,
        details=details,
    )


def hung() -> Diagnosis:
    """A confirmed hang."""
    finding = Finding(
        cause=Cause.SERVICE_HUNG, confidence=Confidence.CONFIRMED, because=("x",), section="§2.1", tier=Audience.TIER_1
    )
    return Diagnosis(status=Status.CRITICAL, findings=(finding,))


@pytest.mark.parametrize("key", ["timestamp", "ts", "time", "@timestamp"])
@pytest.mark.parametrize("kind", ["type", "alert", "incident_type", "event"])
def test_a_line_needs_a_time_and_a_type_under_any_usual_name(key: str, kind: str) -> None:
    """Other people's tools write the ledger too."""
    line = orjson.dumps({key: "2026-11-23T15:00:00Z", kind: "health_check_failed"})

    ledger = parse_lines(line)

    assert ledger.records[0].timestamp == AT
    assert ledger.records[0].type == "health_check_failed"


@pytest.mark.parametrize("moment", [1795446000, 1795446000.0, 1795446000000, "2026-11-23T10:00:00-05:00"])
def test_epoch_and_offset_times_are_the_same_moment(moment: object) -> None:
    """Seconds, milliseconds and offsets are told apart by size and form."""
    ledger = parse_lines(orjson.dumps({"ts": moment, "type": "x"}))

    assert ledger.records[0].timestamp == AT


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[1]",
        b'{"type":"x"}',
        b'{"timestamp":"2026-11-23T15:00:00Z"}',
        b'{"timestamp":NaN,"type":"x"}',
        b"[" * 100_000,
        b'{"timestamp":"2026-11-23T15:00:00Z","type":"\xff\xfe"}',
        b'{"timestamp":1e400,"type":"x"}',
        b'{"timestamp":true,"type":"x"}',
    ],
)
def test_what_is_no_record_is_counted_and_named(line: bytes) -> None:
    """One bad line never hides the others, and is told by its number."""
    good = b'{"timestamp":"2026-11-23T15:00:00Z","type":"x"}'

    ledger = parse_lines(good + b"\n" + line + b"\n" + good + b"\n")

    assert len(ledger.records) == 2
    assert [skipped.line for skipped in ledger.skipped] == [2]
    assert ledger.read_count == 3


@given(st.binary(max_size=400))
def test_no_ledger_raises(data: bytes) -> None:
    """Whatever is in the file, reading it ends in records and named lines."""
    ledger = parse_lines(data)

    assert ledger.read_count == len(ledger.records) + len(ledger.skipped)


def test_the_fold_tells_an_incident_from_opened_to_closed() -> None:
    """The state survives every crash because it is nothing but the file."""
    records = [
        record(Event.OPENED, 0, cause="service_hung", tier="tier_1"),
        record(Event.ACTION_STARTED, 5, action=Action.RESTART_SERVICE, key="k1", owner_pid=12),
        record(Event.ACTION_FINISHED, 9, action=Action.RESTART_SERVICE, key="k1", outcome="done"),
        record(Event.ACTION_FINISHED, 40, action=Action.RESTART_SERVICE, key="k1", outcome="recovered"),
        record(Event.NOTIFIED, 41, key="INC-1/tier_1/recovered"),
        record(Event.CLOSED, 42),
    ]

    (incident,) = fold_incidents(records, SERVICE)

    assert incident.causes == (Cause.SERVICE_HUNG,)
    assert incident.tier is Audience.TIER_1
    assert [(action.key, action.outcome) for action in incident.actions] == [("k1", "recovered")]
    assert incident.messages == 1
    assert not incident.is_open


def test_an_action_without_an_end_stays_without_one() -> None:
    """A run killed midway leaves exactly this, and the next run must see it."""
    records = [
        record(Event.OPENED, cause="service_hung"),
        record(Event.ACTION_STARTED, 5, action="restart_service", key="k1"),
    ]

    assert fold_incidents(records, SERVICE)[0].actions[0].finished_at is None


def test_another_service_does_not_mix_in() -> None:
    """Two services may share a file."""
    other = record(Event.OPENED).model_copy(update={"service": "other"})

    assert fold_incidents([other], SERVICE) == ()


def test_the_start_is_the_first_unbroken_failure() -> None:
    """Since when, asks the desk; the last line of the file is not the answer."""
    records = [
        record(Event.OPENED, 0, incident_id=None),
        record(Event.RECOVERED, 10, incident_id=None),
        record(Event.DIAGNOSED, 20, incident_id=None),
        record(Event.DIAGNOSED, 30, incident_id=None),
    ]

    assert failing_since(records, SERVICE, AT + timedelta(minutes=1)) == AT + timedelta(seconds=20)


def test_a_new_cause_opens_one_incident() -> None:
    """The first run that sees it opens; it is diagnosed in the same breath."""
    changes = incident_changes(hung(), GOOD, holding(()), lambda cause: f"INC-{cause}")

    assert [change.event for change in changes] == [Event.OPENED, Event.DIAGNOSED]


def test_an_opened_incident_says_when_its_trouble_was_last_not_there() -> None:
    """How long it went unseen is told later; a run that was blind, or saw it under another word, proves nothing."""
    past = [("ok", ()), ("critical", ("gateway_failing",)), ("blind", ()), ("critical", ("service_down",))]
    looks = tuple(
        PastObservation(at=AT - timedelta(minutes=4 - number), status=status, troubles=troubles)
        for number, (status, troubles) in enumerate(past)
    )
    seen = GOOD.model_copy(update={"context": GOOD.context.model_copy(update={"history": looks})})

    opened = incident_changes(hung(), seen, holding(()), lambda _: "INC-1")[0]
    first_ever = incident_changes(hung(), GOOD, holding(()), lambda _: "INC-1")[0]

    assert opened.details["last_well_at"] == (AT - timedelta(minutes=3)).isoformat()
    assert "last_well_at" not in first_ever.details


def test_fifty_failing_runs_are_one_incident() -> None:
    """The second run observes what the first one opened."""
    opened = incident_changes(hung(), GOOD, holding(()), lambda cause: f"INC-{cause}")
    still_open = open_incidents(opened, SERVICE)

    changes = incident_changes(hung(), GOOD, holding(still_open), lambda cause: f"INC-{cause}-2")

    assert [change.event for change in changes] == [Event.OBSERVED]


def test_each_of_two_gateways_troubles_stays_in_its_own_incident() -> None:
    """One is gone, another rejects: the second one's notices would go out again each minute, from the first."""
    found = tuple(
        hung().findings[0].model_copy(update={"cause": cause})
        for cause in (Cause.DEPENDENCY_UNREACHABLE, Cause.GATEWAY_FAILING)
    )
    both = Diagnosis(status=Status.DEGRADED, findings=found)
    still_open = open_incidents(incident_changes(both, GOOD, holding(()), lambda cause: f"INC-{cause}"), SERVICE)

    changes = incident_changes(both, GOOD, holding(still_open), lambda cause: f"INC-{cause}-2")

    assert [(one.event, one.incident_id) for one in changes] == [
        (Event.OBSERVED, "INC-dependency_unreachable"),
        (Event.OBSERVED, "INC-gateway_failing"),
    ]


def test_an_incident_whose_cause_is_gone_is_closed() -> None:
    """Resolve is never forgotten."""
    still_open = open_incidents(incident_changes(hung(), GOOD, holding(()), lambda _: "INC-1"), SERVICE)

    changes = incident_changes(WELL, GOOD, holding(still_open), lambda _: "INC-2")

    assert [change.event for change in changes] == [Event.RECOVERED, Event.CLOSED]


def test_blindness_closes_nothing() -> None:
    """Rule 2: missing data is not health."""
    still_open = open_incidents(incident_changes(hung(), GOOD, holding(()), lambda _: "INC-1"), SERVICE)
    blind = Finding(
        cause=Cause.MONITOR_BLIND,
        confidence=Confidence.INCONCLUSIVE,
        because=("x",),
        section="§3",
        tier=Audience.TIER_3,
    )

    held = holding(still_open)
    changes = incident_changes(Diagnosis(status=Status.BLIND, findings=(blind,)), GOOD, held, lambda _: "INC-2")

    assert Event.CLOSED not in [change.event for change in changes]


def restarting(outcome: str | None) -> tuple[IncidentState, ...]:
    """An open incident with one restart, which ended so, or whose end was never seen."""
    begun = [
        record(Event.OPENED, cause="service_hung"),
        record(Event.ACTION_STARTED, 5, action="restart_service", key="k1"),
    ]
    ended = [record(Event.ACTION_FINISHED, 9, action="restart_service", key="k1", outcome=outcome)] if outcome else []
    return open_incidents([*begun, *ended], SERVICE)


def test_nothing_is_closed_while_somebody_acts() -> None:
    """A second run that looks between a restart and its proof must not call the incident over."""
    held = holding(restarting("done"), acting=True)

    assert incident_changes(WELL, GOOD, held, lambda _: "INC-2") == ()


@pytest.mark.parametrize("outcome", [None, "unknown"])
def test_an_incident_with_a_half_done_action_waits_for_a_person(outcome: str | None) -> None:
    """The run that acted was killed; that the service looks well does not say what became of its orders."""
    held = holding(restarting(outcome))

    assert incident_changes(WELL, GOOD, held, lambda _: "INC-2") == ()


def rearm(after_s: float) -> LedgerRecord:
    """A person's word that the automation may act again."""
    moment = AT + timedelta(seconds=after_s)
    return LedgerRecord(
        timestamp=moment, type=REARMED_TYPE, service=SERVICE, event=Event.ACKNOWLEDGED, source=Source.OPERATOR
    )


def test_a_person_who_rearms_settles_a_half_done_action() -> None:
    """After the person looked, the next healthy run closes the incident."""
    begun = [
        record(Event.OPENED, cause="service_hung"),
        record(Event.ACTION_STARTED, 5, action="restart_service", key="k1"),
    ]
    held = holding(open_incidents([*begun, rearm(60)], SERVICE))

    events = [change.event for change in incident_changes(WELL, GOOD, held, lambda _: "INC-2")]

    assert events == [Event.RECOVERED, Event.CLOSED]


def test_a_service_that_hangs_and_is_then_killed_is_one_incident() -> None:
    """People get one thread; that the first word no longer fits does not say that the service is well."""
    begun = [record(Event.OPENED, cause="service_down")]

    changes = incident_changes(hung(), GOOD, holding(open_incidents(begun, SERVICE)), lambda _: "INC-2")

    assert [change.event for change in changes] == [Event.DIAGNOSED]
    assert fold_incidents([*begun, *changes], SERVICE)[0].causes == (Cause.SERVICE_DOWN, Cause.SERVICE_HUNG)
