"""All that a guard may look at, as it was at one moment."""

from pydantic import AwareDatetime

from tasks.model.diagnosis import DEAD_ENDS, Diagnosis
from tasks.model.evidence import Evidence
from tasks.model.looks import Observation
from tasks.model.order_states import OrderStates
from tasks.model.plan import Approval, PlannedAction, Request
from tasks.model.setup import Setup
from tasks.model.values import Value
from tasks.rules.action_history import ActionHistory


class Facts(Value):
    """What was seen, what was done before, what the settings allow, and what a person said.

    `acting` names who acts on the service at this moment, where that is another run.
    """

    now: AwareDatetime
    evidence: Evidence
    diagnosis: Diagnosis
    history: ActionHistory
    setup: Setup
    orders: OrderStates | None = None
    asked: Request | None = None
    approval: Approval | None = None
    acting: str = ""

    @property
    def latest(self) -> Observation:
        """The last round of looks."""
        return self.evidence.latest

    def is_for_a_dead_end(self, planned: PlannedAction) -> bool:
        """Say whether the action is for a service that is hung or down, and so cannot answer for its orders.

        A person's order names no cause; for it the last look decides.
        """
        causes = {planned.finding.cause} if planned.finding else {one.cause for one in self.diagnosis.findings}
        return bool(causes & DEAD_ENDS)
