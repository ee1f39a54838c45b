"""Which changes may be blamed, by which of the two counts, and what says that orders take longer since one."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.changes import Change, ChangeKind
from tasks.model.diagnosis.deploy_regression import RegressionCode, RegressionVerdict
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastObservation, PastOrder
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Seen
from tasks.rules.diagnosis.causes.regression import (
    blamable_changes,
    counter_verdict,
    error_verdict,
    latency_verdict,
    probe_verdict,
    slow_above_ms,
)
from tests.fakes.incident.observations import gateway, observation, process, slow_gateway
from tests.fakes.incident.past import STARTED_S, counted, counters, filled, past, released, rounds, with_past

CHANGE = released(10)
BEFORE = tuple(float(minutes) for minutes in range(18, 10, -1))
AFTER = tuple(float(minutes) for minutes in range(9, 0, -1))


def took(own_ms: float, *minutes: float) -> tuple[PastObservation, ...]:
    """Runs so many minutes ago whose test orders took this long in the service itself."""
    one = filled(AssetClass.EQUITY).model_copy(update={"own_ms": own_ms})
    return tuple(past(back, orders=(one,)) for back in minutes)


def verdict(*history: PastObservation, **changes: object) -> RegressionVerdict:
    """Judge the change of ten minutes ago by how long orders took."""
    return latency_verdict(with_past(rounds(**changes), history=history, changes=(CHANGE,)), CHANGE)


def test_a_release_since_which_every_order_takes_long_is_blamed() -> None:
    """The gateways answer as before; the service itself is slow."""
    found = verdict(*took(5, *BEFORE), *took(50, *AFTER))

    assert found.blames_change
    assert found.because.startswith("own_ms before=5.0 after=50.0, slow above 15.0 ms; slow windows rose")
    assert found.asset_classes == ()


def test_fewer_than_eight_windows_before_tell_nothing() -> None:
    """What was usual is not known by then."""
    assert verdict(*took(5, *BEFORE[1:]), *took(50, *AFTER)).code is RegressionCode.NOT_ENOUGH_DATA
    assert verdict(*took(5, *BEFORE)).code is RegressionCode.NOT_ENOUGH_DATA


def test_a_window_that_ends_with_the_change_is_of_the_time_after_it_alone() -> None:
    """Counted on both sides it would be what it is compared with."""
    told = verdict(*took(5, *BEFORE[1:], 10.0), *took(50, *AFTER))
    whole = verdict(*took(5, *BEFORE, 10.0), *took(50, *AFTER))

    assert told.code is RegressionCode.NOT_ENOUGH_DATA
    assert (whole.before.orders_count, whole.after.orders_count) == (len(BEFORE), len(AFTER) + 1)


def test_a_window_is_slow_only_above_the_limit() -> None:
    """Three times the usual is the limit, and ten milliseconds more where that is little."""
    at_it = verdict(*took(5, *BEFORE), *took(15, *AFTER))
    above = verdict(*took(5, *BEFORE), *took(15.1, *AFTER))
    before = verdict(*took(5, *BEFORE[:-1]), *took(15, *BEFORE[-1:]), *took(50, *AFTER))

    assert at_it.after.errors_count == 0
    assert above.after.errors_count == len(AFTER)
    assert before.before.errors_count == 0


@pytest.mark.parametrize(("usual_ms", "limit_ms"), [(1.0, 11.0), (5.0, 15.0), (20.0, 60.0)])
def test_slow_is_three_times_the_usual_and_at_least_ten_milliseconds_more(usual_ms: float, limit_ms: float) -> None:
    """A millisecond that becomes three hurts nobody."""
    assert slow_above_ms(with_past((observation(),)), [usual_ms, usual_ms, 1000.0]) == limit_ms


@pytest.mark.parametrize(("waited_s", "judged"), [(1.19, True), (1.2, False)])
def test_on_a_crowded_machine_nobody_can_say(waited_s: float, *, judged: bool) -> None:
    """A service that waits for a core for a third of the time is slow whatever its release."""
    history = (*took(5, *BEFORE), *took(50, *AFTER))
    looks = tuple(
        observation(after_s, process=process(run_wait_s=waited)) for after_s, waited in ((0.0, 0.0), (4.0, waited_s))
    )

    found = latency_verdict(with_past(looks, history=history, changes=(CHANGE,)), CHANGE)

    assert found.blames_change is judged


def blamable(*changes: Change) -> list[str | None]:
    """The changes that may be blamed now."""
    seen: Evidence = with_past((observation(),), changes=changes)
    return [one.now for one in blamable_changes(seen)]


def test_a_change_may_be_blamed_from_its_first_moment_for_an_hour() -> None:
    """One that is yet to come, by a clock that runs ahead, has done nothing."""
    assert blamable(released(0)) == ["1.1.0"]
    assert blamable(released(60)) == ["1.1.0"]
    assert blamable(released(60.1)) == []
    assert blamable(released(-0.5 / 60)) == []
    assert blamable(released(5, is_pending=True)) == []


def test_only_the_last_of_each_thing_that_was_changed_may_be_blamed() -> None:
    """What was replaced is no longer there; a route is another rule's matter."""
    feature = {"kind": ChangeKind.FEATURE, "key": "band"}
    changes = (
        released(30, now="1.1.0"),
        released(25, now="on", **feature),
        released(20, now="1.2.0"),
        released(10, now="x", kind=ChangeKind.ROUTING, key="equity"),
    )

    assert blamable(*changes) == ["1.2.0", "on"]


def test_each_feature_is_a_thing_of_its_own_and_so_is_one_that_is_called_like_a_release() -> None:
    """Two features that were switched on one after the other are both still on."""
    band = released(30, now="band on", kind=ChangeKind.FEATURE, key="band")
    netting = released(20, now="netting on", kind=ChangeKind.FEATURE, key="netting")
    namesake = released(10, now="release on", kind=ChangeKind.FEATURE, key="release")

    assert blamable(band, netting) == ["netting on", "band on"]
    assert blamable(released(15), namesake) == ["release on", "1.1.0"]


ERRORS = "orders_total|asset_class=fx|gateway=FXALL|outcome=error"
FILLS = "orders_total|asset_class=fx|gateway=FXALL|outcome=executed"


def failed_order(asset_class: AssetClass, word: str = "error:INTERNAL_ERROR") -> PastOrder:
    """One test order that was not filled."""
    return filled(asset_class).model_copy(update={"outcomes": {word: 1}, "filled_count": 0})


def serving(since_min: float, *, counted_since_min: float | None = None, equity_rejected: bool = False) -> Evidence:
    """An hour of a hundred orders a minute, of which fx ones fail since then: our own, and by the counters since.

    Where the counters say nothing of their own, they count no errors at all.
    """
    history = []
    for minutes in range(60, 0, -1):
        failed = 30.0 * max(0, (counted_since_min or 0) - minutes)
        table = counters() | {ERRORS: failed, FILLS: 100.0 * (60 - minutes)}
        equity = (
            failed_order(AssetClass.EQUITY, "rejected")
            if equity_rejected and minutes < 10
            else filled(AssetClass.EQUITY)
        )
        fx = failed_order(AssetClass.FX) if minutes <= since_min else filled(AssetClass.FX)
        history.append(past(minutes, counters=table, orders=(equity, fx)))
    last = counters() | {ERRORS: 30.0 * (counted_since_min or 0), FILLS: 6000.0}
    return with_past(rounds(metrics=counted(last)), history=tuple(history), changes=(CHANGE,))


def test_a_count_that_says_that_errors_began_before_the_change_decides_against_the_other() -> None:
    """A roll-back for what was there before is an outage for nothing."""
    seen = serving(20, counted_since_min=10)

    assert counter_verdict(seen, CHANGE).blames_change
    assert error_verdict(seen, CHANGE).code is RegressionCode.BEGAN_BEFORE


def test_a_count_that_says_that_a_gateway_is_sick_decides_against_the_other() -> None:
    """The venue is asked first, while its orders fail as well."""
    seen = serving(0, counted_since_min=10, equity_rejected=True)
    probes = (gateway("XNAS", Seen.FAILED), gateway("FXALL"))
    sick = seen.model_copy(update={"observations": rounds(gateways=probes, metrics=seen.latest.metrics)})

    assert error_verdict(seen, CHANGE).blames_change
    assert counter_verdict(sick, CHANGE).blames_change
    assert error_verdict(sick, CHANGE).code is RegressionCode.GATEWAYS_NOT_HEALTHY


def test_where_neither_count_decides_the_services_own_is_told() -> None:
    """It counts all orders, and ours are two a minute."""
    seen = serving(0)

    assert counter_verdict(seen, CHANGE) != probe_verdict(seen, CHANGE)
    assert error_verdict(seen, CHANGE) == counter_verdict(seen, CHANGE)


def test_errors_at_a_gateway_that_is_slow_are_not_the_releases() -> None:
    """It answers a probe, and its orders fail all the same: that is no proof of health."""
    seen = serving(10)
    slow = (gateway("XNAS"), slow_gateway("FXALL"))
    sick = seen.model_copy(update={"observations": rounds(gateways=slow, metrics=seen.latest.metrics)})

    assert probe_verdict(seen, CHANGE).blames_change
    assert probe_verdict(sick, CHANGE).code is RegressionCode.GATEWAYS_NOT_HEALTHY
    assert error_verdict(sick, CHANGE).code is RegressionCode.GATEWAYS_NOT_HEALTHY


def test_what_was_usual_is_that_of_the_hour_before_the_change() -> None:
    """Last night's quiet is no measure for the open."""
    assert verdict(*took(5, 70.0, *BEFORE), *took(50, *AFTER)).before.orders_count == len(BEFORE)
    assert verdict(*took(5, 69.9, *BEFORE), *took(50, *AFTER)).before.orders_count == len(BEFORE) + 1


@pytest.mark.parametrize(("early_s", "judged"), [(60.0, True), (60.5, False)])
def test_a_process_that_started_a_minute_before_its_release_was_noted_is_the_releases(
    early_s: float, *, judged: bool
) -> None:
    """The service tells the ledger of its start a little after its process did."""

    def read(minutes: float, orders: float, started_s: float) -> PastObservation:
        table = {"process_start_time_seconds": started_s, "order_seconds_count": orders, "order_seconds_sum": orders}
        return past(minutes, counters=table)

    old = [read(20 - count, 10.0 * (count + 1), STARTED_S) for count in range(10)]
    new = read(9.5, 10.0, (CHANGE.at - timedelta(seconds=early_s)).timestamp())

    found = verdict(*old[:-1], new)

    assert found.after.orders_count == (1 if judged else 0)
