"""How far a long step has come: one value that the step reports; shown as an artifact of its run, or as a bar."""

from collections.abc import Callable
from enum import StrEnum

from tasks.model.values import Value


class LongStep(StrEnum):
    """What takes long; the words are all that is ever shown of it, so that no secret can be among them."""

    CONFIRM_FAILURE = "checking again before any action"
    STOP = "waiting for the old process to end"
    START = "waiting for the new process to answer"
    NOT_HEALTHY_YET = "not healthy yet, waiting for a first good check"
    STAYS_HEALTHY = "healthy again, proving that it stays so"
    ENDS_FIRST = "interrupted: what was begun ends first; interrupted again, it is left half done"
    APPROVAL = "waiting for a person's answer; without one only what pauses trading is done"
    READ_LOGS = "reading logs"
    DRILL_BEGIN = "drill: breaking it while orders flow"
    DRILL_FIND = "drill: triages find it and act"
    DRILL_UNDO = "drill: undoing what was broken"
    DRILL_CLOSE = "drill: waiting until the incident is closed"
    DRILL_SCORE = "drill: scoring what was done"


class Unit(StrEnum):
    SECONDS = "s"
    CHECKS = "checks"
    BYTES = "bytes"
    PARTS = "parts"


class Progress(Value):
    """What is done of how much; what `ticks` grows with the clock by itself.

    Units: by `unit`; `of` is 0 where nobody knows.
    """

    step: LongStep
    done: float = 0.0
    of: float = 0.0
    unit: Unit = Unit.SECONDS
    ticks: bool = False

    @property
    def ratio(self) -> float | None:
        """Say how much of the whole is done, from 0 to 1; None where the whole is not known."""
        return min(1.0, max(0.0, self.done / self.of)) if self.of > 0 else None

    def after(self, elapsed_s: float) -> "Progress":
        """Let the time that has passed count, where it is time that is counted; never past the whole."""
        if not self.ticks:
            return self
        done = self.done + elapsed_s
        return self.model_copy(update={"done": min(done, self.of) if self.of > 0 else done})


Report = Callable[[Progress], None]


def unheard(progress: Progress) -> None:
    """Show it nowhere."""
