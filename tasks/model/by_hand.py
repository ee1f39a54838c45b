"""What a person orders through a form: which action, on what, and who asked for it, and why."""

from enum import StrEnum

from tasks.model.diagnosis import Diagnosis
from tasks.model.evidence import Evidence
from tasks.model.incident import Action, IncidentState
from tasks.model.plan import Request, Target
from tasks.model.values import Value

# The type of what a person's own order writes into the ledger.
BY_HAND_TYPE = "by_hand"


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


class Instruction(Value):
    """A person's order. No targets are all that there are: every class to pause, every paused class to resume."""

    service: str
    action: Action
    asked: Request
    targets: tuple[Target, ...] = ()

    @property
    def is_pause(self) -> bool:
        """Say whether it pauses and does nothing else: that waits for nothing (safety rule 8)."""
        return self.action is Action.PAUSE_STRATEGIES


class HandStory(Value):
    """What one order by hand has to go by: the order, what was seen before it, and the incident that it goes into.

    `is_new` says that the order opened the incident, which then ends with it.
    """

    instruction: Instruction
    evidence: Evidence
    diagnosis: Diagnosis
    incident: IncidentState
    is_new: bool
