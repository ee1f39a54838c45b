"""Count what the hang watch saw before a triage began: each of its questions that is still open is a failed check."""

from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Cause, Confidence
from tasks.model.diagnosis.limits import ProbeLimits
from tasks.model.evidence.evidence import Context, Evidence
from tasks.model.probes.liveness import OpenQuestion, Silence
from tasks.model.probes.probes import Exchange, Fault, HealthProbe, Observation
from tasks.model.service.health_settings import HealthSettings
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.probes.health import judge_health

# What was seen longer ago says nothing of now: the watch stands still, or is gone.
SEEN_WITHIN_S = 2.0


def is_of_now(silence: Silence, now: datetime, now_s: float) -> bool:
    """Say whether the questions were seen open a moment ago, by both clocks: one alone may be of another start."""
    if not silence.questions:
        return False
    last = silence.questions[-1]
    by_wall_s = (now - last.asked_at - timedelta(seconds=last.waited_s)).total_seconds()
    return all(-1.0 <= ago_s <= SEEN_WITHIN_S for ago_s in (now_s - last.until_s, by_wall_s))


def checks_before(
    silence: Silence, first: Observation, limits: ProbeLimits, health: HealthSettings
) -> tuple[HealthProbe, ...]:
    """Give the failed checks before the first pass, oldest first: as long without an answer and as far apart as ours.

    Runbook: §2.1, before anything is done (safety rule 1).
    Errors: none; where the first pass was answered, or cannot be placed in time, there are none.
    """
    found: list[OpenQuestion] = []
    next_s = first.steady_s if first.health.silent else None
    for one in reversed(silence.questions):
        is_apart = next_s is not None and next_s - one.steady_s >= limits.confirm_interval_s
        if is_apart and one.waited_s >= limits.health_timeout_s:
            found.insert(0, one)
            next_s = one.steady_s
    return tuple(as_check(silence, one, health).model_copy(update={"steady_s": one.steady_s}) for one in found)


def long_probe(silence: Silence, patience_s: float, health: HealthSettings) -> HealthProbe | None:
    """Give the question that has waited for longer than any client would, if one has."""
    longest = max(silence.questions, key=lambda one: one.waited_s, default=None)
    if longest is None or longest.waited_s < patience_s:
        return None
    return as_check(silence, longest, health).model_copy(update={"steady_s": longest.until_s})


def as_check(silence: Silence, question: OpenQuestion, health: HealthSettings) -> HealthProbe:
    """Write an open question as the check of health that it is."""
    waited = f"no answer in {question.waited_s:.1f} s, asked by the hang watch"
    asked = Exchange(
        method="GET", url=silence.url, fault=Fault.TIMED_OUT, detail=waited, seconds_s=round(question.waited_s, 3)
    )
    return judge_health(asked, question.asked_at, health)


def is_hang_alone(context: Context | None, passes: tuple[Observation, ...]) -> bool:
    """Say whether the checks so far, with those before them, show a hang for sure and nothing else.

    Where anything else is wrong, too, the triage makes all of its confirming checks itself.
    """
    if context is None or not passes[0].checked_before:
        return False
    found = name_cause(Evidence(context=context, observations=passes)).findings
    return [(one.cause, one.confidence) for one in found] == [(Cause.SERVICE_HUNG, Confidence.CONFIRMED)]
