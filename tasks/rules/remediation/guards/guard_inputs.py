"""All that a guard may read, as it was at one moment."""

from pydantic import AwareDatetime

from tasks.model.diagnosis.diagnosis import DEAD_ENDS, Diagnosis, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.order_states import OrderStates
from tasks.model.probes.probes import Observation
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import Approval, PlannedAction, Request
from tasks.model.values import Value
from tasks.rules.incidents.action_history import ActionHistory

IN_FLIGHT = "in_flight"


class GuardInputs(Value):
    """What was seen, what was done before, what the settings allow, and what a person said.

    `acting` names who acts on the service at this moment, where another run does. `unhealthy_neighbors` are the other
    services of the same host that became unhealthy lately. `planned_at` is when the plan that is executed was written.
    """

    now: AwareDatetime
    evidence: Evidence
    diagnosis: Diagnosis
    history: ActionHistory
    capabilities: Capabilities
    orders: OrderStates | None = None
    asked: Request | None = None
    approval: Approval | None = None
    acting: str = ""
    unhealthy_neighbors: tuple[str, ...] = ()
    planned_at: AwareDatetime | None = None

    @property
    def latest(self) -> Observation:
        return self.evidence.latest

    def is_for_a_dead_end(self, planned: PlannedAction) -> bool:
        """Say whether the action is for a service that is hung or down, and so cannot answer for its orders.

        A person's order names no cause; for it the last check decides.
        """
        return any(is_dead_end(one) for one in ((planned.finding,) if planned.finding else self.diagnosis.findings))


def is_dead_end(finding: Finding) -> bool:
    """Say whether nobody is answered under this cause: also where a release crashes, or can take no connection."""
    return finding.cause in DEAD_ENDS or bool({Kind.CRASHES, Kind.DESCRIPTORS} & set(finding.kinds))


def hang_with_it(orders: OrderStates | None) -> bool:
    """Say whether all that is not proven is in flight in the service itself, as far as anybody knows."""
    return orders is None or all(one.status == IN_FLIGHT for one in orders.unproven)
