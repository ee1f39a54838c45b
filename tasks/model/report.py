"""The triage report: the runbook page, line by line, with what was seen at each line."""

from enum import StrEnum

from tasks.model.diagnosis import Diagnosis
from tasks.model.evidence import Evidence
from tasks.model.log_findings import LogsLook
from tasks.model.messages import Message
from tasks.model.plan import Plan
from tasks.model.remediation import IncidentUpdate, RemediationResult
from tasks.model.values import Value


class Mark(StrEnum):
    """What became of one line of the runbook."""

    DONE = "done"
    NOT_NEEDED = "not needed"
    COULD_NOT = "could not"


class ReportLine(Value):
    """One line of the runbook: its section, what it asks, what became of it, and the evidence."""

    section: str
    step: str
    mark: Mark
    evidence: str


class Told(Value):
    """One message, and whether it arrived."""

    message: Message
    arrived: bool


class Ended(Value):
    """The incidents that were over, and whether all of them were written down."""

    incident_ids: tuple[str, ...] = ()
    written: bool = True


class TriageStory(Value):
    """Everything that one run has to tell, in order."""

    evidence: Evidence
    diagnosis: Diagnosis
    logs: LogsLook = LogsLook()
    incidents: IncidentUpdate = IncidentUpdate()
    plan: Plan | None = None
    remediation: RemediationResult | None = None
    told: tuple[Told, ...] = ()
    ended: Ended = Ended()

    def having(
        self,
        *,
        incidents: IncidentUpdate | None = None,
        plan: Plan | None = None,
        remediation: RemediationResult | None = None,
        told: tuple[Told, ...] | None = None,
        ended: Ended | None = None,
    ) -> "TriageStory":
        """Go on with the story: the same, with what has come since."""
        return self.model_copy(
            update={
                "incidents": incidents or self.incidents,
                "plan": plan or self.plan,
                "remediation": remediation or self.remediation,
                "told": told or self.told,
                "ended": ended or self.ended,
            }
        )
