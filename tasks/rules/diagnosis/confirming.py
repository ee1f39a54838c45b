"""Say when the confirming checks are enough: the last ones in a row must agree on how the service is gone or not."""

from enum import StrEnum

from tasks.model.probes.probes import Fault, Observation, Seen
from tasks.rules.diagnosis.causes.evidence_queries import is_gone

# A restart takes some seconds; who is between two states for longer than this flaps, and a person reads it so.
EXTRA_CHECKS_COUNT = 4
Passes = tuple[Observation, ...]


class Presence(StrEnum):
    """How the service met one pass of checks."""

    ANSWERS = "answers"
    SILENT = "silent"
    GONE = "gone"
    BLIND = "blind"


def presence(observation: Observation) -> Presence:
    """Say how the service met one round: it answers, however badly; it is silent; it is gone; or nobody could see."""
    health = observation.health
    if health.seen is Seen.BLIND:
        return Presence.BLIND
    if health.fault is Fault.REFUSED or is_gone(observation):
        return Presence.GONE
    return Presence.SILENT if health.unanswered else Presence.ANSWERS


def settled(passes: Passes, least_count: int) -> bool:
    """Say whether no more confirming checks are needed: enough in a row agree, or the service keeps changing.

    Runbook: §2.1, before anything is done (safety rule 1).
    Errors: none. A restart under way shows as one refused check between others, which confirms nothing.
    """
    return _agreed_count(passes) >= least_count or len(passes) >= least_count + EXTRA_CHECKS_COUNT


def decisive(passes: Passes, least_count: int) -> Passes:
    """Give the rounds that decide: what was seen before the service came to its present state is over."""
    agreed = _agreed_count(passes)
    return passes[-agreed:] if agreed >= least_count else passes


def _agreed_count(passes: Passes) -> int:
    last = presence(passes[-1])
    return next((count for count, one in enumerate(reversed(passes)) if presence(one) is not last), len(passes))
