"""The triage report: the runbook page, line by line, with what was seen at each line."""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Outcome
from tasks.model.logs.findings import LogCheck
from tasks.model.messages.messages import Message
from tasks.model.remediation.plan import Plan, PlannedAction
from tasks.model.remediation.remediation import ActionResult, IncidentUpdate, RemediationResult
from tasks.model.values import Value


class Mark(StrEnum):
    """What became of one line of the runbook."""

    DONE = "done"
    NOT_NEEDED = "not needed"
    COULD_NOT = "could not"
    UNDER_WAY = "under way"


class RunState(StrEnum):
    """How the service is at the end of a triage that completed: the name of the run's state in Prefect's lists.

    The type of each is *Completed*: the runbook ran. Whatever asks whether a run went through reads the type.
    """

    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    CRITICAL = "Critical"
    RECOVERED = "Recovered"
    BLIND = "Blind"


STATE_OF = {
    Status.OK: RunState.HEALTHY,
    Status.DEGRADED: RunState.DEGRADED,
    Status.CRITICAL: RunState.CRITICAL,
    Status.BLIND: RunState.BLIND,
}


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


class OpenReport(Value):
    """The report of a run, from the diagnosis on: the artifact that grows, and where people read it."""

    artifact_id: UUID
    url: str | None = None


class UnderWay(Value):
    """What a run does at this moment, before its end: it waits for a person's answer, or takes an action and proves it.

    `results` are those of the actions that have ended; `words` say what goes on without `action` and `asked_until`.
    `form_url` leads to where a person answers.
    """

    since: AwareDatetime
    words: str = ""
    results: tuple[ActionResult, ...] = ()
    action: PlannedAction | None = None
    asked_until: AwareDatetime | None = None
    form_url: str | None = None


class TriageStory(Value):
    """Everything that one run has to report, in order; `under_way` is what it does now, and None at its end."""

    evidence: Evidence
    diagnosis: Diagnosis
    logs: LogCheck = LogCheck()
    incidents: IncidentUpdate = IncidentUpdate()
    plan: Plan | None = None
    remediation: RemediationResult | None = None
    told: tuple[Told, ...] = ()
    ended: Ended = Ended()
    report: OpenReport | None = None
    under_way: UnderWay | None = None

    @property
    def run_url(self) -> str | None:
        """Where messages lead: to the report, from when it is open; before that, to the run."""
        opened = self.report.url if self.report else None
        return opened or self.evidence.context.run_url

    def having(
        self,
        *,
        incidents: IncidentUpdate | None = None,
        plan: Plan | None = None,
        remediation: RemediationResult | None = None,
        told: tuple[Told, ...] | None = None,
        ended: Ended | None = None,
    ) -> "TriageStory":
        """Give the same story with what has come since."""
        return self.model_copy(
            update={
                "incidents": incidents or self.incidents,
                "plan": plan or self.plan,
                "remediation": remediation or self.remediation,
                "told": told or self.told,
                "ended": ended or self.ended,
            }
        )

    def open_at(self, report: OpenReport | None) -> "TriageStory":
        """Give the same story, read where its report is open; None where Prefect did not take it."""
        return self.model_copy(update={"report": report})

    def doing(self, under_way: UnderWay) -> "TriageStory":
        """Give the same story in the middle of the run, with the actions that have ended so far."""
        results = under_way.results
        so_far = RemediationResult(outcome=Outcome.DONE, detail="under way", actions=results) if results else None
        return self.model_copy(update={"under_way": under_way, "remediation": so_far})
