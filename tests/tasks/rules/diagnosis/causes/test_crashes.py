"""Crashes: how many, how lately, and when they are the release's own."""

from datetime import timedelta
from typing import Any

import pytest

from tasks.model.diagnosis.changes import Change, ExitReason, ProcessRun
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, OrderOutcome
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.crashes import crash_loop, crashes_before, release_crashes
from tests.fakes.incident.observations import health, observation, order, process
from tests.fakes.incident.past import ago, crashed, healthy_hour, released, rounds, with_past

LOST = (order(AssetClass.EQUITY, OrderOutcome.NOT_REACHED),)
DOWN: dict[str, Any] = {"health": health(Fault.REFUSED), "process": process(ProcessState.DEAD), "orders": LOST}
CAME_MIN = 7.0


def loops(*lives: ProcessRun, **changes: Any) -> bool:
    """Say whether crashes are called a loop, in one look at a service that is down unless told otherwise."""
    seen = observation(**{**DOWN, **changes})
    return crash_loop(with_past((seen,), lives=lives)) is not None


def ended(seconds_ago: float, **changes: Any) -> ProcessRun:
    """A life that ended in a crash some seconds ago."""
    return crashed(seconds_ago / 60).model_copy(update=changes)


def test_three_crashes_are_a_loop_and_two_are_none() -> None:
    """One more restart is tried after the second."""
    assert loops(ended(300), ended(200), ended(100))
    assert not loops(ended(200), ended(100))
    assert not loops()


def test_a_start_that_runs_by_the_ledger_is_one_more_crash_where_the_service_is_gone() -> None:
    """Nobody has written its end yet; where it still serves, it has not ended."""
    running = ProcessRun(started_at=ago(0.5))

    assert loops(ended(300), ended(200), running)
    assert not loops(ended(300), ended(200), running, orders=(order(AssetClass.FX),))


@pytest.mark.parametrize("end", [ExitReason.STOPPED, ExitReason.RESTARTED])
def test_an_ordered_end_is_no_crash(end: ExitReason) -> None:
    """A deploy, and our own restart of a hung service, crash nothing."""
    assert not loops(ended(300), ended(200), ended(100, end=end))


def test_a_crash_leaves_the_count_after_the_window() -> None:
    """A quarter of an hour later it is another story."""
    limits = with_past((observation(),)).limits

    assert loops(ended(limits.crash_window_s - 0.1), ended(200), ended(100))
    assert not loops(ended(limits.crash_window_s), ended(200), ended(100))


def test_a_service_that_has_stayed_up_is_in_no_loop() -> None:
    """The last crash has to be a fresh one."""
    fresh_s = with_past((observation(),)).limits.crash_fresh_s

    assert loops(ended(fresh_s + 20), ended(fresh_s + 10), ended(fresh_s - 0.1))
    assert not loops(ended(fresh_s + 20), ended(fresh_s + 10), ended(fresh_s))


def test_one_that_is_up_again_and_fills_every_order_is_in_no_loop() -> None:
    """An order that fails, or none at all, proves nothing; one that fills for each class does."""
    lives = (ended(300), ended(200), ended(100))
    up: dict[str, Any] = {"health": health(), "process": process()}
    one_fails = (order(AssetClass.FX), order(outcome=OrderOutcome.TIMED_OUT))

    assert not loops(*lives, **up, orders=(order(), order(AssetClass.FX)))
    assert loops(*lives, **up, orders=one_fails)
    assert loops(*lives, **up, orders=())


def test_the_release_that_crashed_is_named_and_else_the_one_that_answers() -> None:
    """A roll-back goes away from what crashed, not from what serves since."""
    answering = health().model_copy(update={"release": "1.2.0"})
    lives = (ended(300, release="1.0.0"), ended(200, release="1.0.0"))

    def named(release: str | None) -> str | None:
        seen = observation(**{**DOWN, "health": answering, "process": process()})
        found = crash_loop(with_past((seen,), lives=(*lives, ended(100, release=release))))
        assert found is not None
        return found.release

    assert named("1.1.0") == "1.1.0"
    assert named(None) == "1.2.0"


def blamed(*lives: ProcessRun, **changes: Any) -> bool:
    """Say whether a release of seven minutes ago is blamed for crashes."""
    change = released(CAME_MIN, **changes)
    seen = with_past(rounds(**DOWN), history=healthy_hour()[:-8], lives=lives, changes=(change,))
    return release_crashes(seen) is not None


def began(after_s: float, lived_s: float = 20.0) -> ProcessRun:
    """A life that began some seconds after the release came, and crashed."""
    at = ago(CAME_MIN) + timedelta(seconds=after_s)
    return ProcessRun(started_at=at, ended_at=at + timedelta(seconds=lived_s), end=ExitReason.CRASHED, release="1.1.0")


LATELY_S = CAME_MIN * 60 - 40


def test_a_release_is_blamed_for_two_crashes_and_one_that_never_came_up_for_the_first() -> None:
    """One crash may be anybody's; of a release that has answered nobody yet there is nothing else to see."""
    assert blamed(began(0), began(LATELY_S))
    assert not blamed(began(LATELY_S))
    assert blamed(began(LATELY_S), is_pending=True)


def test_a_release_is_not_blamed_for_what_crashed_before_it_came() -> None:
    """A second between its start and the note of it is no other release."""
    assert blamed(began(-1), began(LATELY_S))
    assert not blamed(began(-1.5), began(LATELY_S))
    assert not blamed(began(-1.5), began(100), began(LATELY_S))


def test_a_release_that_lived_for_long_before_it_crashed_is_not_blamed_for_its_start() -> None:
    """It came up well; the loop is reported as a loop."""
    life_s = with_past((observation(),)).limits.crash_release_life_s

    assert blamed(began(0, life_s), began(LATELY_S))
    assert not blamed(began(0, life_s + 0.5), began(LATELY_S))


def test_a_release_that_a_roll_back_brought_is_not_blamed() -> None:
    """It is the good one."""
    assert not blamed(began(0), began(LATELY_S), is_roll_back=True)


def test_a_release_is_not_blamed_for_crashes_while_its_process_is_up() -> None:
    """Its orders fail, and that is another rule's matter."""
    up: dict[str, Any] = {"health": health(), "process": process(), "orders": (order(outcome=OrderOutcome.TIMED_OUT),)}
    facts: Any = {"history": healthy_hour()[:-8], "changes": (released(CAME_MIN),)}
    lives = (began(0), began(LATELY_S))

    assert crashes_before(with_past(rounds(**up), lives=lives, **facts))
    assert release_crashes(with_past(rounds(**up), lives=lives, **facts)) is None
    assert release_crashes(with_past(rounds(**DOWN), lives=lives, **facts)) is not None


def test_of_several_releases_the_last_one_is_judged() -> None:
    """A bad release that came after a rollback is rolled back too; one that a rollback took away is gone."""
    bad, good = released(CAME_MIN), released(CAME_MIN + 30, now="1.0.0", before="0.9.0", is_roll_back=True)
    lives = (began(0), began(LATELY_S))
    seen = with_past(rounds(**DOWN), history=healthy_hour()[:-8], lives=lives)

    def blamed_of(*changes: Change) -> bool:
        context = seen.context.model_copy(update={"changes": changes})
        return release_crashes(seen.model_copy(update={"context": context})) is not None

    assert blamed_of(good, bad)
    assert not blamed_of(bad, released(CAME_MIN - 1, now="1.0.0", before="1.1.0", is_roll_back=True))
    assert not blamed_of(bad, released(CAME_MIN - 1, now="1.2.0", before="1.1.0"))


def test_a_process_that_changed_under_our_looks_crashed_each_time() -> None:
    """A service without a ledger tells of no start; the checks saw other processes."""
    history = tuple(
        one.model_copy(update={"started_at": ago(minutes)})
        for one, minutes in zip(healthy_hour()[-4:], (4.5, 3.5, 2.5, 1.5), strict=True)
    )

    found = crashes_before(with_past((observation(**DOWN),), history=history))

    assert found is not None
    assert [one.started_at for one in found] == [ago(4.5), ago(3.5), ago(2.5), ago(1.5)]
    assert [one.ended_at for one in found] == [ago(3.5), ago(2.5), ago(1.5), ago(0)]
