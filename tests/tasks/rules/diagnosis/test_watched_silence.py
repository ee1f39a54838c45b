"""What the hang watch saw counts among the confirming checks: where it is of now, as long and as far apart as ours."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Cause, Confidence
from tasks.model.diagnosis.limits import ProbeLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.liveness import OpenQuestion, Silence
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.model.service.health_settings import HealthSettings
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.diagnosis.watched_silence import checks_before, is_hang_alone, is_of_now, long_probe
from tests.fakes.incident.observations import NOW, evidence, gateway, health, observation, order, process

LIMITS, HEALTH = ProbeLimits(), HealthSettings()
# The first pass began at this time of the steady clock.
FIRST_S = 1000.0


def silence(*questions: tuple[float, float]) -> Silence:
    """Ask so many seconds before the first pass, and wait for so long."""
    return Silence(
        url="http://service/health",
        questions=tuple(
            OpenQuestion(asked_at=NOW - timedelta(seconds=before_s), steady_s=FIRST_S - before_s, waited_s=waited_s)
            for before_s, waited_s in questions
        ),
    )


def hung(state: ProcessState = ProcessState.STOPPED, after_s: float = 0.0, **more: object) -> Observation:
    """One pass over a service that hangs, so many seconds after the first one."""
    at = {"looked_at": NOW + timedelta(seconds=after_s), "steady_s": FIRST_S + after_s}
    silent = health(Fault.TIMED_OUT)
    assert silent.exchange
    silent = silent.model_copy(update={"exchange": silent.exchange.model_copy(update={"seconds_s": 1.5}), **at})
    orders = (order(outcome=OrderOutcome.TIMED_OUT),)
    return observation(health=silent, process=process(state, **at), orders=orders).model_copy(update={**at, **more})


TWO = silence((2.2, 3.9), (1.1, 2.8))


def with_before(*passes: Observation, seen: Silence = TWO) -> tuple[Observation, ...]:
    """Put what the watch saw before the first pass."""
    before = checks_before(seen, passes[0], LIMITS, HEALTH)
    return (passes[0].model_copy(update={"checked_before": before}), *passes[1:])


def named(*passes: Observation) -> list[tuple[Cause, Confidence]]:
    """Name the causes of these passes."""
    found = name_cause(Evidence(context=evidence(passes[0]).context, observations=passes)).findings
    return [(one.cause, one.confidence) for one in found]


def test_two_questions_of_the_watch_and_one_pass_over_a_stopped_process_confirm_a_hang() -> None:
    """Three failed checks a second apart, and two signals: that is rule 1, whoever asked."""
    passes = with_before(hung())
    assert named(*passes) == [(Cause.SERVICE_HUNG, Confidence.CONFIRMED)]
    assert is_hang_alone(evidence(passes[0]).context, passes)
    because = name_cause(Evidence(context=evidence(passes[0]).context, observations=passes)).findings[0].because
    assert because[0] == "health did not answer in 3 of 3 checks (2 of the hang watch), for 3.7 s"

    assert named(hung()) == [(Cause.SERVICE_HUNG, Confidence.LIKELY)]
    assert not is_hang_alone(evidence(hung()).context, (hung(),))


def test_a_process_that_runs_is_looked_at_twice() -> None:
    """That it makes no progress shows between two looks only, and over the whole silence that is asked for."""
    running = (hung(ProcessState.RUNNING), hung(ProcessState.RUNNING, after_s=1.5))

    assert not is_hang_alone(evidence(running[0]).context, with_before(running[0]))
    assert is_hang_alone(evidence(running[0]).context, with_before(*running))


@pytest.mark.parametrize(
    "seen",
    [
        silence(),
        silence((1.1, 2.8)),
        silence((2.2, 1.4), (1.1, 1.4)),
        silence((1.1, 2.8), (1.05, 2.7)),
        silence((0.9, 2.6), (0.5, 2.2)),
    ],
    ids=["nothing", "one alone", "not waited for", "at once", "with the first pass"],
)
def test_less_than_that_confirms_nothing(seen: Silence) -> None:
    """The triage then checks three times itself."""
    assert not is_hang_alone(evidence(hung()).context, with_before(hung(), seen=seen))


def test_a_first_pass_that_was_answered_or_has_no_time_counts_nothing_before_it() -> None:
    """What is over is over."""
    answered = observation(health=health()).model_copy(update={"steady_s": FIRST_S})
    assert checks_before(TWO, answered, LIMITS, HEALTH) == ()
    assert checks_before(TWO, hung().model_copy(update={"steady_s": None}), LIMITS, HEALTH) == ()


def test_where_anything_else_is_wrong_the_triage_makes_all_checks_itself() -> None:
    """A gateway that does not answer either may be what the service hangs on."""
    sick = hung(gateways=(gateway("XNAS", Seen.FAILED), gateway("FXALL")))
    assert not is_hang_alone(evidence(sick).context, with_before(sick))


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20)), max_size=8))
def test_whatever_is_counted_was_as_long_and_as_far_apart_as_a_check_of_ours(asked: list[tuple[float, float]]) -> None:
    """By the times alone, in whatever order and number they come."""
    found = checks_before(silence(*sorted(asked, reverse=True)), hung(), LIMITS, HEALTH)
    times = [one.steady_s for one in found if one.steady_s is not None]

    assert len(times) == len(found)
    assert all(one.silent and one.exchange and one.exchange.seconds_s >= 1.499 for one in found)
    assert all(after - before >= LIMITS.confirm_interval_s for before, after in pairwise([*times, FIRST_S]))


@pytest.mark.parametrize(
    ("wall_s", "steady_s", "is_it"),
    [(1.7, 1.7, True), (4.0, 4.0, False), (1.7, -900, False), (900, 1.7, False), (-5, 1.7, False)],
    ids=["just now", "the watch stands still", "of an earlier start", "of an earlier day", "the clock was set back"],
)
def test_only_what_was_seen_a_moment_ago_by_both_clocks_counts(wall_s: float, steady_s: float, *, is_it: bool) -> None:
    """A file is read long after it was written, too."""
    assert is_of_now(TWO, NOW + timedelta(seconds=wall_s), FIRST_S + steady_s) is is_it
    assert not is_of_now(silence(), NOW, FIRST_S)


def test_a_question_that_waited_longer_than_any_client_is_the_long_probe() -> None:
    """It ends when it was last seen open, which is the end of the silence that is known."""
    found = long_probe(silence((5.0, 6.0), (1.0, 2.0)), LIMITS.patience_s, HEALTH)
    assert found
    assert (found.silent, found.steady_s) == (True, FIRST_S + 1.0)
    assert long_probe(TWO, LIMITS.patience_s, HEALTH) is None
    assert long_probe(silence(), LIMITS.patience_s, HEALTH) is None
