"""Actions that were done before for a cause, as the ledger has them, and inputs under which nothing else holds back."""

from datetime import timedelta

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.diagnosis.limits import RemediationLimits, RestartLimits
from tasks.model.incidents.incident import Action, ActionRecord, Outcome
from tasks.model.remediation.capabilities import Capabilities
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tests.fakes.incident.cases import INCIDENT, inputs
from tests.fakes.incident.observations import NOW

# So that only this guard can hold a restart back.
PLENTY = RestartLimits(per_window_count=10, per_day_count=50)
LIMITS = RemediationLimits(back_off_s=900, back_off_longest_s=3600)
ROOM = Capabilities(restart=PLENTY, remediation=LIMITS)


def before(
    minutes_ago: float,
    *,
    outcome: Outcome | None = Outcome.RECOVERED,
    cause: Cause = Cause.SERVICE_HUNG,
    action: Action = Action.RESTART_SERVICE,
    target: str = "",
) -> ActionRecord:
    """An action that began then for trouble that had begun a minute before; it took a minute, as its proof did."""
    began_at = NOW - timedelta(minutes=minutes_ago)
    return ActionRecord(
        key=f"{INCIDENT}/{minutes_ago}",
        action=action,
        started_at=began_at,
        finished_at=began_at + timedelta(minutes=1) if outcome else None,
        outcome=outcome,
        cause=cause,
        target=target,
        trouble_since=began_at - timedelta(minutes=1),
    )


def room(*done: ActionRecord, limits: RemediationLimits = LIMITS, **changes: object) -> GuardInputs:
    """Inputs under which the restart budget is no bound."""
    capabilities = ROOM.model_copy(update={"remediation": limits})
    return inputs(*done, **{"capabilities": capabilities, **changes})
