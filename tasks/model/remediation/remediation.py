"""What crosses between the steps of a remediation: the case, the lease, the snapshot, each result, the recovery."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Diagnosis
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import Action, IncidentState, Outcome
from tasks.model.probes.processes import ProcessCheck
from tasks.model.probes.trading import ClassStanding
from tasks.model.remediation.in_force import InForce
from tasks.model.remediation.plan import Approval, Plan, PlannedAction, Request
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.values import Value


class RemediationCase(Value):
    """What a remediation works on: the plan, and what it was made from. Units: `late_s` in seconds.

    `processes` are those of its instances, where it has several.
    `request` is what started the run; `asked` is a person's own order, `approval` a person's answer to the plan;
    `lock` says what was wrong with the service's lock, where something was; `incidents` are those that it is for.
    """

    request: TriageRequest
    diagnosis: Diagnosis
    process: ProcessCheck
    plan: Plan
    processes: dict[str, ProcessCheck] = Field(default_factory=dict)
    late_s: float = 0.0
    asked: Request | None = None
    approval: Approval | None = None
    lock: str = ""
    incidents: tuple[IncidentState, ...] = ()

    @property
    def service(self) -> str:
        return self.request.service

    def process_of(self, instance: str | None) -> ProcessCheck:
        """Give the process that a restart of one instance was planned for; without a name that of the service."""
        return self.processes.get(instance or "", self.process)


class Lease(Value):
    """The one lock of a service; `holder` names who has it when it was not to be had (safety rule 3).

    `alone` says why only this host's lock could be taken, and not the one on the Prefect server. `left_lease_id` is
    what a holder that was killed on this host had taken there.
    """

    service: str
    taken: bool
    holder: str = ""
    alone: str = ""
    left_lease_id: UUID | None = None


class EvidenceSnapshot(Value):
    """The evidence kept before an action (safety rule 9)."""

    folder: Path
    parts: tuple[str, ...]
    missing: tuple[str, ...] = ()


class Recovery(Value):
    """Whether the service is proven healthy again: effect, not exit code (safety rule 10). Units: seconds.

    `held` is what was in force in the last observation of the proof, `standings` how each class stood in it.
    """

    outcome: Outcome
    detail: str
    good_for_s: float = 0.0
    looks_count: int = 0
    ended_at: AwareDatetime | None = None
    held: InForce | None = None
    standings: tuple[ClassStanding, ...] = ()


class ActionResult(Value):
    """What became of one planned action, and of its effect where that was checked."""

    planned: PlannedAction
    outcome: Outcome
    detail: str
    code: GuardCode | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    recovery: Recovery | None = None

    @property
    def action(self) -> Action:
        return self.planned.action

    @property
    def key(self) -> str:
        return self.planned.key

    @property
    def ended_at(self) -> datetime | None:
        """The moment that the last word of it speaks of: the end of the proof, where there was one."""
        return (self.recovery.ended_at if self.recovery else None) or self.finished_at

    @property
    def proven(self) -> Outcome:
        """The effect where it was checked, else what the action itself says."""
        return self.recovery.outcome if self.recovery else self.outcome


class RemediationResult(Value):
    """The end of §2 for one run: what was done in order, what it came to, and why where nothing was done."""

    outcome: Outcome
    detail: str
    code: GuardCode | None = None
    plan: Plan | None = None
    actions: tuple[ActionResult, ...] = ()
    snapshot: EvidenceSnapshot | None = None
    approval: Approval | None = None

    @property
    def recovery(self) -> Recovery | None:
        return next((one.recovery for one in reversed(self.actions) if one.recovery), None)


class IncidentUpdate(Value):
    """What one triage changed in the ledger, and the incidents that are open after it.

    `held` are those whose trouble is over and that stay open, since something is still in force.
    `fault` says why nothing could be recorded.
    """

    fault: str = ""
    opened: tuple[IncidentState, ...] = ()
    observed: tuple[IncidentState, ...] = ()
    closed: tuple[IncidentState, ...] = ()
    half_done: tuple[IncidentState, ...] = ()
    held: tuple[IncidentState, ...] = ()

    @property
    def open(self) -> tuple[IncidentState, ...]:
        """Every incident that still runs, the new ones first."""
        return (*self.opened, *self.observed)
