"""What changed lately, and how the service lived: facts that the ledger and the releases' history tell."""

from enum import StrEnum

from pydantic import AwareDatetime

from tasks.model.values import Value


class ChangeKind(StrEnum):
    """What was changed; only a release or a feature is ever blamed for raised errors."""

    RELEASE = "release"
    FEATURE = "feature"
    ROUTING = "routing"
    TRADING = "trading"
    GATEWAY = "gateway"
    SERVICE = "service"


class Change(Value):
    """One change: what, from what to what, when it took effect, by whom and why.

    `at` of a release is when the service first ran it. One that is pending was made current and has not come up yet:
    it has changed nothing while the release before still runs.
    """

    kind: ChangeKind
    at: AwareDatetime
    key: str = ""
    before: str | None = None
    now: str | None = None
    by: str | None = None
    reason: str | None = None
    is_roll_back: bool = False
    is_pending: bool = False


class ExitReason(StrEnum):
    """How one life of the service's process ended."""

    RUNNING = "running"
    STOPPED = "stopped"
    RESTARTED = "restarted"
    CRASHED = "crashed"


class ProcessRun(Value):
    """One life of the service's process, from its start to its end; a start that never came up is a crash at once."""

    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    end: ExitReason = ExitReason.RUNNING
    release: str | None = None


class GatewayTransition(Value):
    """A gateway went down or came back, as the service told the ledger."""

    at: AwareDatetime
    gateway: str
    up: bool
