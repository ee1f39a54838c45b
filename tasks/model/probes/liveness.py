"""What a bare request each second shows of a service: whether anybody answers. It says nothing of its orders."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from tasks.model.values import Value

CANNOT_SERVE = "HTTP 503"
# One missed answer is a busy machine; a restart in order is over sooner.
KNOWN_AFTER = timedelta(seconds=10)
# What was seen longer ago says nothing of now: the machine slept, or the asking hangs.
SEEN_WITHIN = timedelta(seconds=10)


class Liveness(StrEnum):
    """How one request ended."""

    ANSWERS = "answers"
    FAILS = "fails"
    SILENT = "silent"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


class Answered(Value):
    """One request and how it ended; `detail` is the HTTP status, or why the service cannot be reached from here."""

    liveness: Liveness
    detail: str = ""


class OpenQuestion(Value):
    """One `GET /health` that is still open, and has no answer yet.

    Units: `steady_s` of a clock that nobody sets, when it was asked; `waited_s` until it was last seen without one.
    """

    asked_at: AwareDatetime
    steady_s: float
    waited_s: float

    @property
    def until_s(self) -> float:
        """When it was last seen without an answer. Units: seconds of that clock."""
        return self.steady_s + self.waited_s


class Silence(Value):
    """What the hang watch sees of a service that says nothing: where it asks, and its open questions, oldest first."""

    url: str
    questions: tuple[OpenQuestion, ...]


class SeenAlive(Value):
    """What the requests have shown without a break `since` then, the last of them at `asked_at`."""

    answered: Answered
    since: AwareDatetime
    asked_at: AwareDatetime

    def cannot_trade(self, now: datetime) -> bool:
        """Say whether it is known that the service takes no orders: for long enough, and until now."""
        known = self.asked_at - self.since >= KNOWN_AFTER and now - self.asked_at <= SEEN_WITHIN
        match self.answered.liveness:
            case Liveness.SILENT | Liveness.REFUSED:
                return known
            case Liveness.FAILS:
                return known and self.answered.detail == CANNOT_SERVE
            case Liveness.ANSWERS | Liveness.UNREACHABLE:
                return False
