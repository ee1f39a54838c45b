"""What crosses between an action and the order service's control plane."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from tasks.model.values import Value

REASON_LIMIT_COUNT = 500
SET_BY_LIMIT_COUNT = 100


class ControlOutcome(StrEnum):
    """What became of one change: it is in force, it provably is not, nobody knows, or there is no such door."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_AVAILABLE = "not_available"


class ControlCode(StrEnum):
    """Why a change is not simply done, where the service itself gave no code; what tests assert."""

    NO_CONTROL_TOKEN = "NO_CONTROL_TOKEN"  # noqa: S105 - a code, no token
    BAD_CONTROL_TOKEN = "BAD_CONTROL_TOKEN"  # noqa: S105 - a code, no token
    BAD_NAME = "BAD_NAME"
    NOT_OUR_SERVICE = "NOT_OUR_SERVICE"
    NOT_REACHED = "NOT_REACHED"
    NOT_ANSWERED = "NOT_ANSWERED"
    UNREADABLE_ANSWER = "UNREADABLE_ANSWER"
    REDIRECTED = "REDIRECTED"
    SERVER_ERROR = "SERVER_ERROR"
    UNAUTHORIZED = "UNAUTHORIZED"
    REQUEST_REFUSED = "REQUEST_REFUSED"
    NO_SUCH_CONTROL = "NO_SUCH_CONTROL"
    NOT_DESCRIBED = "NOT_DESCRIBED"
    NOT_PROVEN = "NOT_PROVEN"


class GatewayState(StrEnum):
    """How far a gateway may be used; a degraded one still takes orders."""

    ENABLED = "enabled"
    DEGRADED = "degraded"
    DISABLED = "disabled"


# What somebody, or the automation, has set; a gateway may be sick without it.
MARKED = frozenset({GatewayState.DEGRADED, GatewayState.DISABLED})


class TradingState(StrEnum):
    """Which new orders are taken; cancels always pass."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class StrategyState(StrEnum):
    """Whether a strategy's new orders are taken; cancels always pass."""

    ACTIVE = "active"
    HALTED = "halted"


class RouteScope(StrEnum):
    """Which new orders of a class follow a route: the test orders alone, or all of them."""

    SYNTHETIC = "synthetic"
    ALL = "all"


# These count as printable, and nobody can see them.
_UNSEEN = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def printable_line(text: str) -> str:
    """Make one line of a text out of what a person can see of it, and of nothing that acts on what shows it."""
    if text.isprintable() and text.isascii():
        return " ".join(text.split())
    seen = ("" if one in _UNSEEN else one if one.isprintable() else " " for one in text)
    return " ".join("".join(seen).split())


def visible_line(text: str) -> str:
    """Make one line of a text out of what a person can see of it.

    Errors: `ValueError` where nothing of it can be seen, which a form shows.
    """
    words = printable_line(text)
    if not words:
        raise ValueError("words are expected; an unexplained change costs the next shift an hour")
    return words


Words = Annotated[str, AfterValidator(visible_line)]


class ControlReason(Value):
    """Who changes something, and why; made one printable line, as the control plane asks for it."""

    reason: Annotated[Words, AfterValidator(lambda text: text[:REASON_LIMIT_COUNT].rstrip())]
    set_by: Annotated[Words, AfterValidator(lambda text: text[:SET_BY_LIMIT_COUNT].rstrip())] = Field(default="triage")


class ControlAnswer(Value):
    """What became of one change. `code` is the service's own where it gave one, else a `ControlCode`.

    `is_proven`: what the service's description names as proof shows it.
    """

    outcome: ControlOutcome
    detail: str
    code: str | None = None
    http_status: int | None = None
    is_proven: bool = False

    @property
    def is_done(self) -> bool:
        """Say whether the change is in force."""
        return self.outcome is ControlOutcome.DONE
