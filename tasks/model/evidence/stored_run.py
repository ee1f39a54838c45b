"""One unhealthy run as it is kept, and what naming its cause again comes to."""

from typing import Literal

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Cause, Diagnosis
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import ActionRecord
from tasks.model.incidents.modes import Mode
from tasks.model.logs.findings import LogCheck
from tasks.model.probes.order_states import OrderStates
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.values import Value


class Decided(Value):
    """What a run came to, in words that are held against those of another: causes, planned actions, those it may do."""

    causes: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class PlanningInputs(Value):
    """What the plan of a run was made from beside its evidence, and what was planned from it then.

    `done` are the actions since the last re-arm, `rejected` those that a person said no to; `incidents` name the
    incident that each cause was in.
    """

    done: tuple[ActionRecord, ...] = ()
    rejected: dict[str, str] = Field(default_factory=dict)
    capabilities: Capabilities = Capabilities()
    orders: OrderStates | None = None
    acting: str = ""
    unhealthy_neighbors: tuple[str, ...] = ()
    incidents: dict[Cause, str] = Field(default_factory=dict)
    decided: Decided = Decided()


class StoredRun(Value):
    """The whole evidence of one run, the history and limits that it used among it, and what was made of it then.

    The worst of what the logs said is kept beside it: no rule reads it to name a cause, a drafted check may.
    A run that made no plan, or is older than what is kept of it, has no `planning`.
    """

    version: Literal[1] = 1
    stored_at: AwareDatetime
    evidence: Evidence
    diagnosis: Diagnosis
    logs: LogCheck = LogCheck()
    planning: PlanningInputs | None = None


class Difference(Value):
    """One place where the diagnosis of now is not that of then."""

    place: str
    then: str
    now: str


class Replay(Value):
    """The diagnosis of then beside that of now; the same bit for bit, or where they differ."""

    then: Diagnosis
    now: Diagnosis
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        """Say whether the rules of now name the same cause with the same words."""
        return not self.differences


class ReplaySettings(Value):
    """What a diagnosis and a plan read of the settings of one service; `mode` only where it is to be another."""

    limits: DiagnosisLimits
    capabilities: Capabilities
    mode: Mode | None = None


class PlanReplay(Value):
    """One stored run, decided twice: as it was, or by the present settings, and by the rules and settings asked about.

    `not_compared` says of what nothing is concluded; `unreadable` why the run could not be read.
    """

    file: str
    service: str
    looked_at: AwareDatetime | None = None
    before: Decided = Decided()
    after: Decided = Decided()
    not_compared: tuple[str, ...] = ()
    unreadable: str = ""

    @property
    def same(self) -> bool:
        return self.before == self.after
