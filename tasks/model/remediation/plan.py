"""What a run means to do: actions in order, each with the guard that allows it or the reason that forbids it."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Finding
from tasks.model.incidents.incident import Action
from tasks.model.probes.control import TradingState
from tasks.model.probes.order_states import OrderStates
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.in_force import Restriction
from tasks.model.remediation.trust import Trust
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.model.values import Value


class Due(StrEnum):
    """When a planned action is due: always, or by how another one before it ended."""

    ALWAYS = "always"
    IF_NOT_DONE = "if_not_done"
    IF_INEFFECTIVE = "if_in_vain"
    IF_EXPIRED = "if_expired"


class Target(Value):
    """What one action touches; only what its action needs is filled. `routes` are the gateways a table should give."""

    asset_class: AssetClass | None = None
    gateway: str | None = None
    trading_state: TradingState | None = None
    release: str | None = None
    feature: str | None = None
    strategy: str | None = None
    table_hash: str | None = None
    instance: str | None = None
    routes: dict[AssetClass, str] = Field(default_factory=dict)

    @property
    def words(self) -> str:
        table = f"table {self.table_hash[:12]}" if self.table_hash else None
        what = (self.instance, self.strategy, self.feature, self.release, table)
        named = (*what, self.asset_class, self.gateway, self.trading_state)
        return " ".join(str(one) for one in named if one)


class PlannedAction(Value):
    """One action. `key` finds it in the ledger; `other` is the key of the action that `due` speaks of.

    Without a finding a person asked for it; `about` is what was in force on its target then.
    """

    key: str
    action: Action
    incident_id: str
    why: str
    target: Target = Target()
    finding: Finding | None = None
    about: tuple[Restriction, ...] | None = None
    due: Due = Due.ALWAYS
    other: str = ""
    verdict: Verdict = Verdict(allowed=False, code=GuardCode.NOT_CONFIRMED, detail="not evaluated yet")

    @property
    def words(self) -> str:
        return f"{self.action.replace('_', ' ')} {self.target.words}".strip()


class Plan(Value):
    """The actions of one run, in order, as they were evaluated before anything was done.

    `restarts_before_count` are the restarts that count against the budget already, `trust` is what its actions have
    earned.
    """

    written_at: AwareDatetime
    actions: tuple[PlannedAction, ...] = ()
    orders: OrderStates | None = None
    restarts_before_count: int = 0
    trust: tuple[Trust, ...] = ()

    @property
    def asks(self) -> bool:
        return any(one.verdict.code is GuardCode.APPROVAL_NEEDED for one in self.actions)


class ApprovalAnswer(StrEnum):
    """What a person said to a plan; no answer in time is *expired*."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Approval(Value):
    """A person's answer, or that none came; `observe` where the person takes the automation's hands off, too.

    `first` approved before, where two people must.
    """

    answer: ApprovalAnswer
    by: str = ""
    note: str = ""
    observe: bool = False
    first: str = ""

    @property
    def words(self) -> str:
        who = " and ".join(one for one in (self.first, self.by) if one) or "a person"
        note = f": {self.note}" if self.note else ""
        match self.answer:
            case ApprovalAnswer.APPROVED:
                return f"approved by {who}{note}"
            case ApprovalAnswer.REJECTED:
                return f"rejected by {who}{', who set the mode to observe' if self.observe else ''}{note}"
            case ApprovalAnswer.EXPIRED:
                return f"nobody answered in time{note}"


class Request(Value):
    """A person's own order to act. `overrides` are the guards that it passes by, each by its name.

    `at` is when it was asked for, which may be long before it is carried out.
    """

    by: str
    reason: str
    at: AwareDatetime | None = None
    overrides: tuple[GuardCode, ...] = ()
