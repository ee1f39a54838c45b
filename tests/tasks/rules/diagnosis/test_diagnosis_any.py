"""Whatever is seen: the rule gives an answer, the same one twice, and never restarts what works."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.model.diagnosis.changes import Change, ChangeKind, ExitReason, GatewayTransition, ProcessRun
from tasks.model.diagnosis.diagnosis import Cause, Confidence, Status
from tasks.model.evidence.evidence import Evidence, KnownGateway
from tasks.model.probes.history import PastObservation
from tasks.model.probes.metrics import Sample
from tasks.model.probes.orders import WELL_KNOWN, AssetClass
from tasks.model.probes.probes import (
    DependencyStatus,
    Exchange,
    Fault,
    GatewayProbe,
    HealthProbe,
    MetricsProbe,
    Observation,
    OrderOutcome,
    OrderProbe,
    RouteStatus,
    RoutingProbe,
    Seen,
)
from tasks.model.probes.processes import MachineCheck, ProcessCheck, ProcessState
from tasks.rules.diagnosis.name_causes import name_cause, worth_confirming
from tasks.rules.probes.history import past_observation, snapshot_of
from tasks.rules.probes.past_counters import START as START_TIME
from tests.fakes.incident.observations import NOW
from tests.fakes.incident.past import with_past

NAMES = st.sampled_from(["XNAS", "FXALL", "storage", "", "none"])
CODES = st.sampled_from([None, "NO_ROUTE", "INTERNAL_ERROR", "PRICE_OUTSIDE_BAND", "TRADING_HALTED", "X"])
NUMBERS = st.one_of(st.none(), st.floats(0, 1e12, allow_nan=False))
TIMES = st.integers(-7200, 10).map(lambda s: NOW + timedelta(seconds=s))
SERVICE = {Cause.SERVICE_DOWN, Cause.SERVICE_HUNG}
HEALTH = st.builds(
    HealthProbe,
    seen=st.sampled_from(Seen),
    detail=st.just(""),
    looked_at=st.just(NOW),
    status=st.sampled_from([None, "ok", "degraded", "error"]),
    exchange=st.one_of(
        st.none(),
        st.builds(
            Exchange,
            method=st.just("GET"),
            url=st.just("u"),
            fault=st.sampled_from(Fault),
            http_status=st.sampled_from([None, 200, 503]),
            seconds_s=st.floats(0, 5),
        ),
    ),
    dependencies=st.lists(
        st.builds(
            DependencyStatus,
            name=NAMES,
            status=st.sampled_from(["ok", "error", "degraded"]),
            latency_ms=NUMBERS,
            set_to=st.sampled_from([None, "degraded"]),
        ),
        max_size=3,
    ).map(tuple),
)
ORDERS = st.lists(
    st.builds(
        OrderProbe,
        asset_class=st.sampled_from(WELL_KNOWN),
        client_order_id=st.just("i"),
        outcome=st.sampled_from(OrderOutcome),
        detail=st.just(""),
        looked_at=st.just(NOW),
        gateway=st.one_of(st.none(), NAMES),
        code=CODES,
        ord_status=st.sampled_from([None, "new", "filled"]),
        latency_ms=NUMBERS,
        gateway_latency_ms=NUMBERS,
    ),
    max_size=4,
).map(tuple)
# A start time in milliseconds, or none that any calendar knows, is a number too.
VALUES = st.one_of(st.floats(0, 1e9, allow_nan=False), st.sampled_from([1.7e9, 1.7e12, 1e18, 1e300, -1.0]))
SAMPLES = st.lists(
    st.builds(
        Sample,
        name=st.sampled_from(
            ["orders_total", "orders_denied_total", "strategy_orders_total", "order_seconds_count", START_TIME]
        ),
        labels=st.sampled_from([(), (("asset_class", "fx"), ("outcome", "error")), (("strategy", "a"),)]),
        value=VALUES,
    ),
    max_size=4,
).map(tuple)
COUNTERS = st.dictionaries(
    st.sampled_from(
        [
            "orders_total|asset_class=fx|outcome=error",
            "strategy_orders_total|strategy=a",
            "x",
            "order_seconds_count",
            START_TIME,
        ]
    ),
    VALUES,
    max_size=4,
)
COUNTS = st.one_of(st.none(), st.integers(0, 10**12))
PROCESS = st.builds(
    ProcessCheck,
    state=st.sampled_from(ProcessState),
    detail=st.just(""),
    looked_at=TIMES,
    pid=st.sampled_from([None, 1, 2]),
    started_at=st.one_of(st.none(), TIMES),
    memory_bytes=COUNTS,
    memory_limit_bytes=COUNTS,
    cpu_time_s=NUMBERS,
    run_wait_s=NUMBERS,
    open_files_count=COUNTS,
    open_files_limit=st.one_of(st.none(), st.integers(-1, 10**6)),
    port_owner_pid=st.sampled_from([None, 7]),
    machine=st.one_of(st.none(), st.just(MachineCheck())),
)
ROUTING = st.one_of(
    st.none(),
    st.builds(
        RoutingProbe,
        seen=st.sampled_from(Seen),
        detail=st.just(""),
        looked_at=st.just(NOW),
        file_error=st.sampled_from([None, "broken"]),
        routes=st.lists(
            st.builds(
                RouteStatus,
                asset_class=st.sampled_from(WELL_KNOWN),
                gateway=st.one_of(st.none(), NAMES),
                table_gateway=st.one_of(st.none(), NAMES),
                shipped_gateway=st.one_of(st.none(), NAMES),
                trading_state=st.sampled_from([None, "active", "halted"]),
            ),
            max_size=3,
        ).map(tuple),
    ),
)
PROBES = st.lists(
    st.builds(
        GatewayProbe,
        gateway=NAMES,
        seen=st.sampled_from(Seen),
        detail=st.just(""),
        looked_at=st.just(NOW),
        fault=st.sampled_from(Fault),
        latency_ms=NUMBERS,
        clock_skew_s=st.one_of(st.none(), st.floats(-1e6, 1e6)),
    ),
    max_size=3,
).map(tuple)
ROUNDS = st.lists(
    st.builds(
        Observation,
        looked_at=TIMES,
        health=HEALTH,
        process=PROCESS,
        metrics=st.builds(
            MetricsProbe, seen=st.sampled_from(Seen), detail=st.just(""), looked_at=TIMES, samples=SAMPLES
        ),
        orders=ORDERS,
        gateways=PROBES,
        routing=ROUTING,
    ),
    min_size=1,
    max_size=3,
).map(tuple)
BEFORE = st.fixed_dictionaries(
    {
        "history": st.lists(
            st.builds(
                PastObservation,
                at=TIMES,
                status=st.sampled_from(["ok", "degraded", "blind"]),
                pid=st.sampled_from([None, 1]),
                started_at=st.one_of(st.none(), TIMES),
                memory_bytes=COUNTS,
                counters=COUNTERS,
                troubles=st.sampled_from([(), ("gateway_failing",)]),
            ),
            max_size=6,
        ).map(tuple),
        "changes": st.lists(
            st.builds(
                Change,
                kind=st.sampled_from(ChangeKind),
                at=TIMES,
                key=NAMES,
                is_pending=st.booleans(),
                now=st.just("2"),
            ),
            max_size=3,
        ).map(tuple),
        "lives": st.lists(
            st.builds(
                ProcessRun, started_at=TIMES, ended_at=st.one_of(st.none(), TIMES), end=st.sampled_from(ExitReason)
            ),
            max_size=4,
        ).map(tuple),
        "gateway_turns": st.lists(
            st.builds(GatewayTransition, at=TIMES, gateway=NAMES, up=st.booleans()), max_size=8
        ).map(tuple),
        "known_gateways": st.just((KnownGateway(name="XNAS", asset_classes=(AssetClass.EQUITY,)),)),
    }
)


@settings(max_examples=150, deadline=None)
@given(rounds=ROUNDS, before=BEFORE)
def test_any_evidence_gets_an_answer_the_same_one_twice(
    rounds: tuple[Observation, ...], before: dict[str, Any]
) -> None:
    """A rule that raises leaves the person paged with nothing; one that wavers cannot be replayed."""
    evidence = with_past(rounds, **before)
    diagnosis = name_cause(evidence)
    stored = Evidence.model_validate_json(evidence.model_dump_json())
    kept = past_observation(evidence, diagnosis)

    assert name_cause(stored) == diagnosis
    assert (diagnosis.status is Status.OK) == (not diagnosis.findings)
    assert PastObservation.model_validate_json(kept.model_dump_json(exclude_defaults=True)) == kept
    snapshot_of(kept)
    worth_confirming(evidence.context, rounds[-1])


@settings(max_examples=150, deadline=None)
@given(rounds=ROUNDS, before=BEFORE)
def test_a_service_that_answers_and_fills_is_never_surely_down_or_hung(
    rounds: tuple[Observation, ...], before: dict[str, Any]
) -> None:
    """Only these two causes lead to a restart, so neither may be sure of a service that works."""
    fine = [
        one.model_copy(
            update={
                "health": HealthProbe(
                    seen=Seen.PASSED,
                    detail="",
                    looked_at=NOW,
                    status="ok",
                    exchange=Exchange(method="GET", url="u", http_status=200),
                ),
                "orders": tuple(order.model_copy(update={"outcome": OrderOutcome.EXECUTED}) for order in one.orders),
            }
        )
        for one in rounds
    ]
    findings = name_cause(with_past(fine, **before)).findings

    assert not [one for one in findings if one.cause in SERVICE and one.confidence is Confidence.CONFIRMED]
