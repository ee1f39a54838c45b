"""A release or a feature that broke orders: which of the two, how sure, and whether it shows at this moment."""

from typing import Any

import pytest

from tasks.model.diagnosis.changes import ChangeKind
from tasks.model.diagnosis.diagnosis import Cause, Confidence, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastObservation, PastOrder
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, OrderProbe
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.regression import error_verdict
from tasks.rules.diagnosis.causes.releases import bad_change, shows_now, suspected, weighed
from tests.fakes.incident.observations import health, observation, order, process
from tests.fakes.incident.past import (
    counted,
    counters,
    filled,
    healthy_hour,
    past,
    released,
    rounds,
    routing,
    with_past,
)

EQUITY, FX = AssetClass.EQUITY, AssetClass.FX
ERROR = "orders_total|asset_class=fx|gateway=FXALL|outcome=error"
DENIED = "orders_denied_total|asset_class=fx|code=PRICE_OUTSIDE_BAND"


FILLS = order(EQUITY)


def broken(asset_class: AssetClass, code: str = "INTERNAL_ERROR") -> OrderProbe:
    """A test order that the service failed, or denied by a feature of its own."""
    outcome = OrderOutcome.ERROR if code == "INTERNAL_ERROR" else OrderOutcome.DENIED
    return order(asset_class, outcome).model_copy(update={"code": code})


def failed_then(asset_class: AssetClass, word: str = "error:INTERNAL_ERROR") -> PastOrder:
    """The same in a run before."""
    return filled(asset_class).model_copy(update={"outcomes": {word: 1}, "filled_count": 0})


def story(*failing: AssetClass, code: str = "INTERNAL_ERROR", **new_features: bool) -> Evidence:
    """A release four and a half minutes ago, since which orders of some classes fail in every check."""
    word = "error:INTERNAL_ERROR" if code == "INTERNAL_ERROR" else f"denied:{code}"
    orders = tuple(failed_then(name, word) if name in failing else filled(name) for name in (EQUITY, FX))
    history = (*healthy_hour()[:-4], *(past(minutes, orders=orders) for minutes in (4, 3, 2, 1)))
    now = tuple(broken(name, code) if name in failing else order(name) for name in (EQUITY, FX))
    table = routing().model_copy(update={"features": {"limit_price_band": True, **new_features}})
    return with_past(rounds(orders=now, routing=table), history=history, changes=(released(4.5),))


def named(seen: Evidence) -> Finding:
    """The change that is blamed."""
    found = bad_change(seen)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("seen", "cause", "feature"),
    [
        (story(FX, netting=True), Cause.BAD_FEATURE, "netting"),
        (story(FX), Cause.BAD_RELEASE, None),
        (story(FX, netting=False), Cause.BAD_RELEASE, None),
        (story(FX, netting=True, smart=True), Cause.BAD_RELEASE, None),
        (story(EQUITY, FX, netting=True), Cause.BAD_RELEASE, None),
        (story(EQUITY, FX, code="PRICE_OUTSIDE_BAND"), Cause.BAD_FEATURE, "limit_price_band"),
        (story(EQUITY, FX, code="ORDER_RATE_EXCEEDED", netting=True), Cause.BAD_FEATURE, "order_throttle"),
    ],
    ids=["one new", "none new", "new and off", "two new", "every class", "its denials", "its denials, not the new one"],
)
def test_a_feature_is_blamed_before_its_release_only_where_the_orders_point_to_it(
    seen: Evidence, cause: Cause, feature: str | None
) -> None:
    """To switch one thing off is less than to roll all back; to switch the wrong one off fixes nothing."""
    found = named(seen)

    assert (found.cause, found.feature, found.confidence) == (cause, feature, Confidence.CONFIRMED)
    assert found.release == (None if feature else "1.1.0")
    assert found.because[0].startswith("release 1.0.0 became 1.1.0 at 2026-11-23T14:55:30")
    assert found.because[1].startswith("errors rose after the change beyond chance: ")


def test_the_words_say_by_what_a_feature_is_known() -> None:
    """The desk reads why it loses a feature."""
    assert named(story(FX, netting=True)).because[-1] == "feature netting: fx alone fails"
    denied = named(story(EQUITY, FX, code="PRICE_OUTSIDE_BAND")).because[-1]
    assert denied == "feature limit_price_band: the errors are its own denials"


def test_a_class_that_fails_where_no_other_was_tried_stands_for_no_feature() -> None:
    """That others fill is what tells the feature from the release."""
    seen = story(FX, netting=True)
    alone = tuple(one.model_copy(update={"orders": (broken(FX),)}) for one in seen.observations)

    assert named(seen.model_copy(update={"observations": alone})).cause is Cause.BAD_RELEASE


def test_a_change_is_sure_only_where_every_look_of_this_run_shows_it() -> None:
    """Errors that have ended need no roll-back."""
    seen = story(EQUITY, FX)
    first, second, _ = seen.observations
    ended = seen.model_copy(update={"observations": (first, second, observation(4.0))})
    few = seen.model_copy(update={"observations": (first, second)})

    assert named(ended).confidence is named(few).confidence is Confidence.LIKELY
    assert named(ended).because[-1] == "it showed in 2 of 3 checks of this run"


def denying(*looks: tuple[OrderProbe, ...]) -> Finding | None:
    """What is found in looks with these orders, after no change at all."""
    return bad_change(with_past(observation(2.0 * at, orders=orders) for at, orders in enumerate(looks)))


def test_a_feature_that_denies_test_orders_after_no_change_is_likely() -> None:
    """No change can be blamed; the next shift reads which feature it is."""
    band = (broken(EQUITY, "PRICE_OUTSIDE_BAND"), order(FX))
    found = denying(band, band)

    assert found is not None
    assert (found.cause, found.feature, found.confidence) == (Cause.BAD_FEATURE, "limit_price_band", Confidence.LIKELY)
    assert (found.asset_classes, found.kinds) == ((EQUITY,), (Kind.ERRORS,))
    assert found.because == ("feature limit_price_band denies test orders in 2 of 2 checks: PRICE_OUTSIDE_BAND",)
    assert found.ruled_out == ("gateways: XNAS, FXALL answer a direct probe",)


def test_a_denial_in_one_look_or_by_somebody_else_is_no_feature() -> None:
    """A person's halt, and a venue that rejects in the same words, are other matters."""
    band, well = (broken(EQUITY, "PRICE_OUTSIDE_BAND"), order(FX)), (order(EQUITY), order(FX))
    venue = (band[0].model_copy(update={"outcome": OrderOutcome.REJECTED}), order(FX))

    assert denying(band, well) is None
    assert denying(well, band) is None
    assert denying(venue, venue) is None
    assert denying((broken(EQUITY, "TRADING_HALTED"), order(FX))) is None


def test_a_service_that_is_down_is_judged_by_its_crashes_and_its_denials_are_told_all_the_same() -> None:
    """Who rolls back a service that was killed waits for its start for nothing."""
    gone: dict[str, Any] = {"health": health(Fault.REFUSED), "process": process(ProcessState.DEAD)}
    seen = story(EQUITY, FX)
    lost = (order(EQUITY, OrderOutcome.NOT_REACHED), order(FX, OrderOutcome.NOT_REACHED))
    down = seen.model_copy(update={"observations": rounds(**gone, orders=lost)})
    denied = bad_change(with_past(rounds(**gone, orders=(broken(EQUITY, "PRICE_OUTSIDE_BAND"),))))

    assert bad_change(down) is None
    assert not suspected(down)
    assert denied is not None
    assert denied.feature == "limit_price_band"


def test_errors_that_ended_minutes_ago_blame_no_change() -> None:
    """A roll-back is a second outage; somebody has put it right already."""
    bad, well = tuple(failed_then(name) for name in (EQUITY, FX)), past(1)
    failing = tuple(past(minutes, orders=bad) for minutes in (10, 9, 8, 7, 6, 5, 4, 3))
    facts: Any = {"history": (*healthy_hour()[:-11], *failing, past(2), well), "changes": (released(10.5),)}

    assert error_verdict(with_past(rounds(), **facts), released(10.5)).blames_change
    assert bad_change(with_past(rounds(), **facts)) is None


def test_the_two_newest_changes_are_told_to_whom_nobody_can_explain_it() -> None:
    """The developer begins with them; three would fill the phone."""
    band, netting = (
        released(n, kind=ChangeKind.FEATURE, key=key, by="ann") for n, key in ((8, "band"), (6, "netting"))
    )
    seen = with_past(rounds(), history=healthy_hour(), changes=(released(30), band, netting))

    assert [line.split(" set")[0] for line in weighed(seen)] == ["feature netting", "feature band"]


def test_a_denial_that_no_change_is_blamed_for_says_why_none_is() -> None:
    """The desk asks at once whether the deploy did it."""
    band = (broken(EQUITY, "PRICE_OUTSIDE_BAND"), order(FX))
    found = bad_change(with_past(rounds(orders=band), changes=(released(4.5),)))

    assert found is not None
    assert found.because[0].startswith("feature limit_price_band denies test orders")
    assert found.because[1].startswith("release 1.0.0 became 1.1.0: too few orders")


ON, OFF = ({"limit_price_band": True, "netting": is_on} for is_on in (True, False))


@pytest.mark.parametrize(
    ("earlier", "before", "at_change", "after", "is_new"),
    [(ON, OFF, None, ON, True), (OFF, ON, None, OFF, False), (OFF, OFF, ON, ON, True), (ON, {}, None, OFF, False)],
    ids=["off just before", "on just before", "on with the change", "not read just before"],
)
def test_a_feature_is_new_where_the_last_run_before_the_change_that_read_it_saw_it_off(
    earlier: dict[str, bool],
    before: dict[str, bool],
    at_change: dict[str, bool] | None,
    after: dict[str, bool],
    *,
    is_new: bool,
) -> None:
    """What was on all the time did not come with the release."""
    seen = story(FX, netting=True)
    history = [one.model_copy(update={"features": earlier}) for one in seen.context.history]
    history[-5] = history[-5].model_copy(update={"features": before})
    history[-4:] = [one.model_copy(update={"features": after}) for one in history[-4:]]
    if at_change is not None:
        history.insert(-4, past(4.5, features=at_change))
    found = named(seen.model_copy(update={"context": seen.context.model_copy(update={"history": tuple(history)})}))

    assert found.feature == ("netting" if is_new else None)


def lately(*history: PastObservation, **facts: Any) -> bool:
    """Say whether more checks are worth it, after runs before a healthy one."""
    return suspected(with_past((observation(),), **{"history": history, "changes": (released(4.5),), **facts}))


def test_an_order_that_failed_in_the_last_two_minutes_is_worth_more_looks_after_a_change() -> None:
    """What failed before is over; without a change there is none to blame."""
    bad = (filled(EQUITY), failed_then(FX))

    assert lately(past(1.9, orders=bad))
    assert not lately(past(2, orders=bad))
    assert not lately(past(1))
    began = with_past((observation(orders=(broken(FX),)), observation(2.0)), changes=(released(4.5),))
    assert suspected(began)
    assert not lately(past(1, orders=bad), changes=())
    assert lately(past(1, orders=(failed_then(FX, "denied:PRICE_OUTSIDE_BAND"),)))
    assert not lately(past(1, orders=(failed_then(FX, "denied:TRADING_HALTED"),)))
    assert not lately(past(1, orders=(failed_then(FX, "rejected"),)))


def test_orders_that_take_longer_than_usual_are_worth_more_looks_after_a_change() -> None:
    """One measure alone has nothing to be compared with."""
    slow = (filled(EQUITY).model_copy(update={"own_ms": 15.1}),)
    at_limit = (filled(EQUITY).model_copy(update={"own_ms": 15.0}),)

    assert lately(past(2), past(1, orders=slow))
    assert not lately(past(2), past(1, orders=at_limit))
    assert not lately(past(1, orders=slow))
    assert not lately(past(2), past(1, orders=slow), changes=())


def look(after_s: float, key: str = ERROR, count: float = 0.0, first: OrderProbe = FILLS) -> Observation:
    """A pass of checks with one of the service's counters, and the test order of equity."""
    return observation(after_s, orders=(first, order(FX)), metrics=counted(counters() | {key: count}))


@pytest.mark.parametrize("key", [ERROR, DENIED])
def test_what_the_service_counted_since_the_run_before_shows_too(key: str) -> None:
    """Our own two orders may fill while every tenth of the desk's fails."""
    before = past(1, counters=counters() | {key: 5.0})

    assert not suspected(with_past((look(0, key, 5),), history=(before,), changes=(released(4.5),)))
    assert suspected(with_past((look(0, key, 6),), history=(before,), changes=(released(4.5),)))
    earlier = past(1.5, counters=counters() | {key: 4.0})
    assert not suspected(with_past((look(0, key, 5),), history=(earlier, before), changes=(released(4.5),)))
    old = before.model_copy(update={"at": past(2).at})
    assert not suspected(with_past((look(0, key, 6),), history=(old,), changes=(released(4.5),)))


def test_errors_show_now_only_in_the_last_two_looks_or_between_them() -> None:
    """A roll-back for errors that have ended is a second outage for nothing."""
    bad = broken(EQUITY)
    before = (past(1, counters=counters() | {ERROR: 0.0}),)

    def shows(*looks: Observation) -> bool:
        return shows_now(with_past(looks, history=before, changes=(released(4.5),)), {Kind.ERRORS})

    assert shows(look(0), look(2), look(4, first=bad))
    assert shows(look(0), look(2, first=bad), look(4))
    assert not shows(look(0, first=bad), look(2), look(4))
    assert not shows(look(0, ERROR, 5), look(2, ERROR, 5))


def test_a_crash_shows_by_its_own_rule_and_slowness_by_the_last_look() -> None:
    """Each kind of harm is proven once more right before what it is to be fixed by."""
    well = with_past(rounds(), history=healthy_hour(), changes=(released(4.5),))

    assert shows_now(well, {Kind.CRASHES})
    assert not shows_now(well, {Kind.LATENCY})
    assert not shows_now(well, {Kind.ERRORS})


def test_a_feature_that_was_set_is_blamed_itself_and_by_name() -> None:
    """The release stays; who set the feature is asked first."""
    seen = story(FX)
    change = released(4.5, kind=ChangeKind.FEATURE, key="netting", now="true", by="ann")
    found = named(seen.model_copy(update={"context": seen.context.model_copy(update={"changes": (change,)})}))

    assert (found.cause, found.feature) == (Cause.BAD_FEATURE, "netting")
    assert found.because[0].startswith("feature netting set to true by ann at ")
