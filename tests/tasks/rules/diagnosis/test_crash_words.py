"""What is said of crashes and releases derives from what is known: never more, and the same a minute later."""

import pytest

from tasks.model.diagnosis.changes import ProcessRun
from tasks.model.diagnosis.diagnosis import Finding
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.crashes import _last, crash_loop, release_crashes
from tests.fakes.incident.observations import NOW, health, observation, order, process
from tests.fakes.incident.past import ago, crashed, healthy_hour, past, released, rounds, with_past

LOST = (order(AssetClass.EQUITY, OrderOutcome.NOT_REACHED),)
DOWN = {"health": health(Fault.REFUSED), "process": process(ProcessState.DEAD), "orders": LOST}
GONE = {"pid": None, "started_at": None, "health": Seen.FAILED, "release": None, "status": "critical"}


def crashing(last_start: float, seen_gone: tuple[float, ...] = (), **facts: object) -> Evidence:
    """Three crashes, the last start some minutes ago, and the runs that saw it gone."""
    lives = (crashed(6), crashed(4), ProcessRun(started_at=ago(last_start), release="1.0.0"))
    history = (*healthy_hour()[:-8], *(past(minutes, **GONE) for minutes in seen_gone))
    return with_past(rounds(**DOWN), **{"history": history, "lives": lives, **facts})


def loop(evidence: Evidence) -> Finding:
    """The crash loop that is found."""
    found = crash_loop(evidence)
    assert found is not None
    return found


def test_a_crash_is_told_by_when_it_was_first_seen_gone_and_so_again_later() -> None:
    """The page of a minute later must not say that it lived a minute longer."""
    first = loop(crashing(16 / 60)).because[0]
    later = loop(crashing(92 / 60, seen_gone=(76 / 60, 30 / 60))).because[0]

    assert first == later == "3 crashes in 900 s, the last one within 16 s of its start"


def test_a_run_that_could_not_see_the_process_does_not_say_that_it_was_gone() -> None:
    """Only who saw health fail without a process saw it gone; and nothing from before its start counts."""
    blind = past(76 / 60, pid=None, started_at=None)
    earlier = past(3, **GONE)
    at_its_start = past(92 / 60, **GONE)
    seen = crashing(92 / 60).model_copy()
    context = seen.context.model_copy(update={"history": (*seen.context.history, earlier, at_its_start, blind)})

    assert "within 92 s" in loop(seen.model_copy(update={"context": context})).because[0]


def test_a_process_that_hangs_before_it_dies_is_gone_only_when_it_is_dead() -> None:
    """A run that saw it fail with its process there saw it live."""
    hung = observation(health=health(Fault.TIMED_OUT), orders=LOST)
    dead = tuple(observation(at_s, **DOWN) for at_s in (2.0, 4.0))
    seen = crashing(16 / 60).model_copy(update={"observations": (hung, *dead)})

    assert "within 18 s of its start" in loop(seen).because[0]


def test_a_loop_is_told_with_how_it_is_now_and_with_the_gateways_that_answer() -> None:
    """Who is paged for a service that is up for the moment must not find "down" and a green page."""
    up = crashing(1, lives=(crashed(3), crashed(2), crashed(1)))
    up = up.model_copy(update={"observations": rounds(orders=LOST)})

    assert loop(crashing(1)).because[1] == "it is down now: pid=4321 is dead"
    assert loop(up).because[1] == "it is up for the moment: pid=4321 is running"
    assert loop(crashing(1)).ruled_out[1:] == ("gateways: XNAS, FXALL answer a direct probe",)


def test_a_start_that_never_came_up_has_no_life_to_tell() -> None:
    """There was none."""
    lives = (crashed(6), crashed(4), crashed(0.5, lived_s=0.0))

    assert "the last start never came up" in loop(crashing(1, lives=lives)).because[0]


def test_a_release_that_is_seen_gone_early_is_judged_by_that_and_not_by_its_next_start() -> None:
    """Ten minutes without a supervisor are no ten minutes of life."""
    lives = (
        crashed(1.5, lived_s=600.0, release="1.1.0"),
        ProcessRun(started_at=ago(1), release="1.1.0"),
    )
    began = lives[0].started_at
    gone = past((NOW - began).total_seconds() / 60 - 0.2, **GONE)
    changes = (released((NOW - began).total_seconds() / 60),)
    without = with_past(rounds(**DOWN), history=healthy_hour()[:-12], lives=lives, changes=changes)
    seen = with_past(rounds(**DOWN), history=(*healthy_hour()[:-12], gone), lives=lives, changes=changes)

    found = release_crashes(seen)
    assert release_crashes(without) is None
    assert found is not None
    assert found.because[1].startswith("its orders: errors rose after the change beyond chance")


def test_a_release_that_came_ten_minutes_ago_is_never_said_not_to_have_come() -> None:
    """Also where a rollback brought it, which is not blamed."""
    back = released(10, now="1.0.0", before="1.1.0", is_roll_back=True)
    new = released(10, now="1.0.0", before="0.9.0")

    assert loop(crashing(1, changes=(back,))).ruled_out[0] == "bad release: 1.0.0 came at 14:50:00Z by a rollback"
    assert loop(crashing(1, changes=(new,))).ruled_out[0].startswith("bad release: 1.0.0 came at 14:50:00Z, ")
    older = released(40, now="0.9.0", before="0.8.0")
    assert loop(crashing(1, changes=(older, new))).ruled_out[0].startswith("bad release: 1.0.0 came at 14:50:00Z, ")


def test_that_no_release_came_is_said_for_the_time_that_somebody_looked() -> None:
    """Two hours that nobody remembers are not two hours without a deploy."""
    young = crashing(1, history=(past(7), past(6.5)))
    without = crashing(1, history=(), lives=(*(crashed(n).model_copy(update={"release": None}) for n in (6, 4, 1)),))

    assert "since 14:00:00Z, 1.0.0 ran then already" in loop(crashing(1)).ruled_out[0]
    assert "since 14:53:00Z, 1.0.0 ran then already" in loop(young).ruled_out[0]
    assert loop(without).ruled_out[0] == "bad release: nothing is known of its releases"


@pytest.mark.parametrize(
    ("lived_s", "words"),
    [(0.9, "the last start never came up"), (1.0, "the last one within 1 s of its start")],
)
def test_a_start_that_lasted_no_second_never_came_up(lived_s: float, words: str) -> None:
    """*Within 0 s of its start* says nothing to a person."""
    assert _last(crashed(5, lived_s)) == words
