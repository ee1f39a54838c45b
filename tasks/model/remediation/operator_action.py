"""What a person orders through a form: which action, on what, and who asked for it, and why."""

from enum import StrEnum

from tasks.model.diagnosis.diagnosis import Diagnosis
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Action, IncidentState
from tasks.model.remediation.plan import Request, Target
from tasks.model.values import Value

# The type of what a person's own order writes into the ledger.
MANUAL_ACTION_TYPE = "by_hand"


class Paused(StrEnum):
    """How far a person may pause trading; cancels always pass."""

    HALTED = "halted"
    REDUCING = "reducing"


class Resumed(StrEnum):
    """What a person may take back."""

    TRADING = "trading"
    STRATEGY = "strategy"
    GATEWAY_MARK = "gateway_mark"
    ROUTE = "route"


class ManualAction(Value):
    """A person's order. No targets are all that there are: every class to pause, every paused class to resume."""

    service: str
    action: Action
    asked: Request
    targets: tuple[Target, ...] = ()

    @property
    def is_pause(self) -> bool:
        """Say whether it pauses and does nothing else: that waits for nothing (safety rule 8)."""
        return self.action is Action.PAUSE_STRATEGIES


class CheckedOrder(Value):
    """A person's order as by whom is proven; without one, why it is not taken."""

    order: ManualAction | None = None
    refusal: str = ""


class ManualActionStory(Value):
    """What a manual action goes by: what was asked for, what was seen before it, and the incident that it goes into.

    `is_new` says that the order opened the incident, which then ends with it.
    """

    manual_action: ManualAction
    evidence: Evidence
    diagnosis: Diagnosis
    incident: IncidentState
    is_new: bool
