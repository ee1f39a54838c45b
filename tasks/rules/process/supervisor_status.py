"""Read what a supervisor's status command says of a service; what it does not plainly say is not known."""

from enum import StrEnum

from tasks.model.values import Value
from tasks.rules.service.expression import matches


class Supervised(StrEnum):
    """How its supervisor says that a service is."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class StatusPatterns(Value):
    """What the text of a status command says while the service runs, and while it does not."""

    running_when: str | None = None
    stopped_when: str | None = None


def supervised_state(exit_code: int | None, text: str, patterns: StatusPatterns) -> Supervised:
    """Say how the service is, by how its status command ended and by what it wrote.

    Steps: 1. a command without an end says nothing 2. without patterns 0 is running, and all else stopped 3. with
    them the text decides; one that fits both, or neither of two, says nothing 4. with one pattern alone the other state
    is believed only of a command that ended with 0: one that failed may not have reached its supervisor
    """
    if exit_code is None:
        return Supervised.UNKNOWN
    running, stopped = patterns.running_when, patterns.stopped_when
    if running is None and stopped is None:
        return Supervised.RUNNING if exit_code == 0 else Supervised.STOPPED
    said = [
        state
        for state, pattern in ((Supervised.RUNNING, running), (Supervised.STOPPED, stopped))
        if pattern is not None and matches(pattern, text.strip())
    ]
    if len(said) == 1:
        return said[0]
    if said or exit_code != 0 or (running is not None and stopped is not None):
        return Supervised.UNKNOWN
    return Supervised.STOPPED if running is not None else Supervised.RUNNING
