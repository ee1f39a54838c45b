"""The incident ledger's words: one record a line of `incidents.jsonl`, and the state that its fold gives."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value


class Event(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    OBSERVED = "observed"
    DIAGNOSED = "diagnosed"
    ACTION_STARTED = "action_started"
    ACTION_FINISHED = "action_finished"
    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    RECOVERED = "recovered"
    CLOSED = "closed"


class Source(StrEnum):
    """Who wrote the record."""

    TRIAGE = "triage"
    WATCHDOG = "watchdog"
    ORDER_SERVICE = "order_service"
    OPERATOR = "operator"


class AlertType(StrEnum):
    """The alerts that the runbook names, and the two that start a run without one."""

    HEALTH_CHECK_FAILED = "health_check_failed"
    HEALTH_CHECK_ERROR = "health_check_error"
    ORDER_DELIVERY_FAILED = "order_delivery_failed"
    GATEWAY_UNREACHABLE = "gateway_unreachable"
    OTHER = "other"


class Action(StrEnum):
    """What the automation can do to the service."""

    RESTART_SERVICE = "restart_service"
    MARK_DEGRADED = "mark_degraded"
    REROUTE_ORDERS = "reroute_orders"
    PAUSE_STRATEGIES = "pause_strategies"
    RESTORE_ROUTING = "restore_routing"
    DISABLE_FEATURE = "disable_feature"
    ROLL_BACK_RELEASE = "roll_back_release"
    RESUME = "resume"


# These only ever tighten, for their guards refuse what would loosen (safety rule 8).
TIGHTENERS = frozenset({Action.PAUSE_STRATEGIES, Action.MARK_DEGRADED, Action.DISABLE_FEATURE})


class Outcome(StrEnum):
    """What became of an action or of a remediation; unknown is not a kind of failure, it is not knowing."""

    DONE = "done"
    REFUSED = "refused"
    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """Name it for people: what nobody knows is to be verified, and is never called a failure."""
        return "outcome unknown: verify by hand" if self is Outcome.UNKNOWN else self.value.replace("_", " ")


class LedgerRecord(BaseModel):
    """One line of `incidents.jsonl`, as both sides write it; `line` is its number when it was read from the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timestamp: AwareDatetime
    type: str
    service: str | None = None
    incident_id: str | None = None
    event: str | None = None
    source: str | None = None
    summary: str = ""
    details: dict[str, Any] = Field(default_factory=dict)
    line: int = Field(default=0, exclude=True)


class SkippedLine(Value):
    """A line that could not be read, and why."""

    line: int
    reason: str


class ActionRecord(Value):
    """One action as the ledger has it; without `finished_at` its end was never seen, `settled` by a re-arm.

    `cause` and `target` are what it was done for and on, `trouble_since` since when that trouble showed; a person's own
    order, and what was recorded before there were these words, has none.
    """

    key: str
    action: str
    started_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    outcome: str | None = None
    owner_pid: int | None = None
    settled: bool = False
    cause: str = ""
    target: str = ""
    trouble_since: AwareDatetime | None = None

    @property
    def is_half_done(self) -> bool:
        """Say whether its end is not known, so that a person must check before anything else is done.

        What tightens is never half done: where it did not arrive it is done again, or let go, and holds nothing up.
        """
        is_open = self.finished_at is None or self.outcome == Outcome.UNKNOWN
        return is_open and not self.settled and self.action not in TIGHTENERS


class IncidentState(Value):
    """One incident: the fold of its records, and so every timer of it.

    `told_at` says when each key was reported, last one last. `escalated_at` is the first page to each tier, `paged_at`
    the last one that its timer counts from; `reminders` are those to the tier in charge since it was last reset.
    `reopened` counts how often it came back after it was closed, the last time at `reopened_at`. `summary` is that of
    the last diagnosis, `gateways` are those of the first one. `recovered_at` is since when its trouble no longer shows,
    also where it stays open because something is still in force; `trading` and `not_trading` say how each class stood
    then, and are None where nobody wrote it down.
    """

    incident_id: str
    service: str
    state: str
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    causes: tuple[Cause, ...] = ()
    tier: Audience | None = None
    summary: str = ""
    asset_classes: tuple[AssetClass, ...] = ()
    gateways: tuple[str, ...] = ()
    acknowledged_by: str | None = None
    acknowledged_at: AwareDatetime | None = None
    acknowledged_until: AwareDatetime | None = None
    escalated_at: dict[Audience, AwareDatetime] = Field(default_factory=dict)
    paged_at: dict[Audience, AwareDatetime] = Field(default_factory=dict)
    told_at: dict[str, AwareDatetime] = Field(default_factory=dict)
    reminders: int = 0
    reopened: int = 0
    reopened_at: AwareDatetime | None = None
    recovered_at: AwareDatetime | None = None
    trading: tuple[AssetClass, ...] | None = None
    not_trading: dict[AssetClass, str] = Field(default_factory=dict)
    actions: tuple[ActionRecord, ...] = ()
    told: tuple[str, ...] = ()
    messages: int = 0
    observed_count: int = 0

    @property
    def is_open(self) -> bool:
        """Say whether the incident still runs."""
        return self.closed_at is None

    @property
    def trouble_since(self) -> AwareDatetime:
        """Say since when its trouble shows: since it last came back, else since it was opened."""
        return self.reopened_at or self.opened_at


class Fold(Value):
    """What a ledger says up to a line: the incidents of each service, and the records that still bear on a decision.

    `incidents` are by service; those under no name are of records that name none, which every service shares.
    """

    line_count: int = 0
    record_count: int = 0
    skipped_count: int = 0
    incidents: dict[str, tuple[IncidentState, ...]] = Field(default_factory=dict)
    records: tuple[LedgerRecord, ...] = ()

    @property
    def left_out_count(self) -> int:
        """The records that are not kept one by one."""
        return max(0, self.record_count - len(self.records))


class Ledger(Value):
    """A ledger, read leniently: what was folded `before`, and the records since.

    `records` are those of the fold that still bear on a decision, and after them every later one.
    """

    records: tuple[LedgerRecord, ...] = ()
    skipped: tuple[SkippedLine, ...] = ()
    read_count: int = 0
    before: Fold = Fold()

    @property
    def since(self) -> tuple[LedgerRecord, ...]:
        return self.records[len(self.before.records) :]

    @property
    def skipped_count(self) -> int:
        """The lines that could not be read, of the whole file."""
        return self.before.skipped_count + len(self.skipped)
