"""What crosses between the steps of a remediation: the lease, the snapshot, the action's result, the recovery."""

from pathlib import Path

from pydantic import AwareDatetime

from tasks.model.diagnosis import Diagnosis, Finding
from tasks.model.incident import Action, IncidentState, Outcome
from tasks.model.modes import Mode
from tasks.model.processes import ProcessLook
from tasks.model.values import Value
from tasks.model.verdicts import GuardCode


class RemediationCase(Value):
    """What a remediation acts on: one confirmed finding of one incident. Units: `late_s` in seconds."""

    service: str
    incident_id: str
    finding: Finding
    diagnosis: Diagnosis
    process: ProcessLook
    mode: Mode
    late_s: float = 0.0
    approved: bool = False


class Lease(Value):
    """The one lock of a service; `holder` names who has it when it was not to be had (safety rule 3)."""

    service: str
    taken: bool
    holder: str = ""


class Snapshot(Value):
    """The evidence kept before an action (safety rule 9)."""

    folder: Path
    parts: tuple[str, ...]
    missing: tuple[str, ...] = ()


class ActionResult(Value):
    """What became of one action; `key` finds it in the ledger."""

    action: Action
    outcome: Outcome
    detail: str
    code: GuardCode | None = None
    key: str = ""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None


class Recovery(Value):
    """Whether the service is proven well again: effect, not exit code (safety rule 10). Units: seconds."""

    outcome: Outcome
    detail: str
    good_for_s: float = 0.0
    looks_count: int = 0


class RemediationResult(Value):
    """The end of §2 for one run."""

    outcome: Outcome
    detail: str
    code: GuardCode | None = None
    action: ActionResult | None = None
    snapshot: Snapshot | None = None
    recovery: Recovery | None = None


class IncidentUpdate(Value):
    """What one triage changed in the ledger, and the incidents that are open after it."""

    opened: tuple[IncidentState, ...] = ()
    observed: tuple[IncidentState, ...] = ()
    closed: tuple[IncidentState, ...] = ()
    half_done: tuple[IncidentState, ...] = ()

    @property
    def open(self) -> tuple[IncidentState, ...]:
        """Every incident that still runs, the new ones first."""
        return (*self.opened, *self.observed)
