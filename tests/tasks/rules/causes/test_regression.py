"""Which changes may be blamed, and what says that orders take longer since one of them."""

import pytest

from tasks.model.changes import Change, ChangeKind
from tasks.model.deploy_regression import RegressionCode, RegressionVerdict
from tasks.model.evidence import Evidence
from tasks.model.orders import AssetClass
from tasks.model.past_looks import PastLook
from tasks.rules.causes.regression import blamable_changes, latency_verdict, slow_above_ms
from tests.fakes.looks import observation, process
from tests.fakes.past import filled, past, released, rounds, with_past

CHANGE = released(10)
BEFORE = tuple(float(minutes) for minutes in range(18, 10, -1))
AFTER = tuple(float(minutes) for minutes in range(9, 0, -1))


def took(own_ms: float, *minutes: float) -> tuple[PastLook, ...]:
    """Runs so many minutes ago whose test orders took this long in the service itself."""
    one = filled(AssetClass.EQUITY).model_copy(update={"own_ms": own_ms})
    return tuple(past(back, orders=(one,)) for back in minutes)


def verdict(*history: PastLook, **changes: object) -> RegressionVerdict:
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
    assert blamable(released(-0.1)) == []
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
