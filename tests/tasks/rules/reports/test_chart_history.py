"""The last hour, out of what the triage kept."""

from datetime import timedelta

from tasks.model.diagnosis.changes import Change, ChangeKind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastObservation, PastOrder
from tasks.model.probes.metrics import Sample
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, Seen
from tasks.rules.reports.chart import chart_of
from tests.fakes.incident import observations
from tests.fakes.incident.observations import NOW


def past(
    minutes_ago: float, health: Seen = Seen.PASSED, outcomes: dict[str, int] | None = None, **facts: object
) -> PastObservation:
    """One earlier run."""
    orders = (PastOrder(asset_class=AssetClass.EQUITY, outcomes=outcomes or {"executed": 1}),)
    at = NOW - timedelta(minutes=minutes_ago)
    return PastObservation.model_validate({"at": at, "status": "ok", "health": health, "orders": orders, **facts})


def hour(*history: PastObservation, changes: tuple[Change, ...] = (), seen: Observation | None = None) -> Evidence:
    """The evidence of a run at 15:00 with a history."""
    evidence = observations.evidence(seen or observations.observation())
    context = evidence.context.model_copy(update={"history": history, "changes": changes})
    return evidence.model_copy(update={"context": context})


def counted(**outcomes: float) -> dict[str, float]:
    """The service's counters as a run keeps them."""
    return {f"orders_total|outcome={name}": value for name, value in outcomes.items()}


def test_runs_before_and_rounds_of_this_run_are_points() -> None:
    """When did it start is seen at a glance."""
    chart = chart_of(
        hour(past(2), past(1, Seen.FAILED), seen=observations.observation(health=observations.health(Fault.TIMED_OUT)))
    )

    assert [point.health for point in chart.points] == [Seen.PASSED, Seen.FAILED, Seen.FAILED]
    assert chart.until == NOW
    assert chart.service == "order-service"


def test_outcomes_are_told_with_or_without_their_code() -> None:
    """A denial is kept with its code, and is a denial; a word nobody knows is left out."""
    chart = chart_of(hour(past(1, outcomes={"executed": 2, "denied:NO_ROUTE": 3, "sideways": 4})))

    assert chart.points[0].orders == {OrderOutcome.EXECUTED: 2, OrderOutcome.DENIED: 3}
    assert chart.points[1].orders == {OrderOutcome.EXECUTED: 2}


def test_errors_are_the_failed_orders_of_every_client() -> None:
    """The increase since the run before; what filled is no error, and a restart begins at zero."""
    history = (
        past(3, counters=counted(filled=100, rejected=5)),
        past(2, counters=counted(filled=900, rejected=7, error=0)),
        past(1, counters=counted(filled=10, rejected=4)),
    )

    assert [point.errors_count for point in chart_of(hour(*history)).points] == [0, 2, 4, 0]


def test_the_counters_of_this_run_count_on() -> None:
    """The newest minute is the one that people ask about."""
    samples = (Sample(name="orders_total", labels=(("outcome", "rejected"),), value=9),)
    metrics = observations.metrics().model_copy(update={"samples": samples})
    chart = chart_of(hour(past(1, counters=counted(rejected=4)), seen=observations.observation(metrics=metrics)))

    assert chart.points[-1].errors_count == 5


def test_a_run_that_was_remembered_already_is_drawn_once() -> None:
    """Whether the run is kept before or after the report does not change the picture."""
    assert len(chart_of(hour(past(1), past(0))).points) == 2


def test_what_may_have_caused_it_is_marked() -> None:
    """Releases, features and routes; a release that has not come up yet has changed nothing."""
    changes = tuple(
        Change.model_validate({"at": NOW - timedelta(minutes=5), **facts})
        for facts in (
            {"kind": ChangeKind.RELEASE, "now": "1.1.0"},
            {"kind": ChangeKind.RELEASE, "now": "1.0.0", "is_roll_back": True},
            {"kind": ChangeKind.RELEASE, "now": "1.2.0", "is_pending": True},
            {"kind": ChangeKind.FEATURE, "key": "limit_price_band", "now": "false"},
            {"kind": ChangeKind.ROUTING, "key": "equity", "now": "XNYS"},
            {"kind": ChangeKind.TRADING, "key": "equity", "now": "halted"},
        )
    )
    marks = chart_of(hour(changes=changes)).releases

    assert [mark.label for mark in marks] == ["1.1.0", "back to 1.0.0", "limit_price_band off", "routes equity"]
