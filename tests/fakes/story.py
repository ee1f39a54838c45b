"""A whole incident with the files that it leaves: looks, evidence, a real ledger, messages; the clock is passed in."""

from datetime import datetime, timedelta
from pathlib import Path

from tasks.clients.evidence_store import save_run
from tasks.clients.incident_ledger import append, read_ledger
from tasks.clients.look_history import history_path, remember_look
from tasks.clients.notifications import LOCAL, LocalSink
from tasks.model.diagnosis import Audience, Diagnosis, Status
from tasks.model.evidence import Evidence
from tasks.model.incident import Event, IncidentState, LedgerRecord, Source
from tasks.model.log_findings import LogsLook
from tasks.model.messages import Message
from tasks.model.past_looks import PastLook
from tasks.model.stored_run import StoredRun
from tasks.rules.diagnosis import name_cause
from tasks.rules.incident_changes import OpenLedger, closing_records, incident_changes, record_of, told_records
from tasks.rules.incident_state import fold_incidents, open_incidents
from tasks.rules.past_looks import past_look
from tasks.settings import RunbookSettings, ServiceSettings
from tests.fakes.looks import NOW
from tests.fakes.past import past

SERVICE = "order-service"
INCIDENT = "INC-20261123T150004Z-gateway_failing-ab12"


class Story:
    """One service's story under a state directory of its own, told from `NOW` on."""

    def __init__(self, folder: Path, incident_id: str = INCIDENT) -> None:
        self.settings = RunbookSettings(state_dir=folder, services={SERVICE: ServiceSettings()})
        self.incident_id = incident_id
        self.ledger = self.settings.ledger_path(SERVICE)
        self.looks: tuple[PastLook, ...] = ()

    @property
    def incident(self) -> IncidentState:
        """The incident as the ledger tells it."""
        states = fold_incidents(read_ledger(self.ledger).records, SERVICE)
        return next(one for one in states if one.incident_id == self.incident_id)

    def looked(self, *looks: PastLook) -> None:
        """Remember runs, oldest first."""
        self.looks = (*self.looks, *looks)
        for look in looks:
            assert remember_look(history_path(self.settings, SERVICE), look)

    def healthy_hour(self, **changes: object) -> None:
        """Sixty healthy runs before it."""
        self.looked(*(past(minutes, **changes) for minutes in range(60, 0, -1)))

    def told(self, kind: str, after_s: float, summary: str = "", **details: object) -> None:
        """Let the service itself, or an operator, write a fact."""
        source = str(details.pop("source", Source.ORDER_SERVICE))
        fact = {"timestamp": at(after_s), "type": kind, "service": SERVICE, "event": "observed", "source": source}
        self.write(LedgerRecord.model_validate({**fact, "summary": summary or kind, "details": details}))

    def fails(self, evidence: Evidence, after_s: float = 4.0, logs: LogsLook | None = None) -> Diagnosis:
        """Let one run find it: the looks remembered, the evidence kept, the incident opened."""
        context = evidence.context.model_copy(update={"history": self.looks})
        seen = evidence.model_copy(update={"context": context})
        diagnosis = name_cause(seen)
        self.looked(past_look(seen, diagnosis))
        run = StoredRun(stored_at=at(after_s), evidence=seen, diagnosis=diagnosis, logs=logs or LogsLook())
        save_run(self.settings.state_dir, run)
        self._decide(diagnosis, seen, after_s)
        return diagnosis

    def passes(self, evidence: Evidence, after_s: float) -> None:
        """Let one run find nothing."""
        self.looked(past_look(evidence, Diagnosis(status=Status.OK)).model_copy(update={"at": at(after_s)}))

    def acts(self, action: str, outcome: str | None, after_s: float, took_s: float = 3.0, detail: str = "") -> None:
        """Record an action, and how it ended."""
        key = f"{self.incident_id}/{action}/{after_s:g}"
        facts: dict[str, object] = {"action": action, "key": key}
        self.write(self._record(Event.ACTION_STARTED, after_s, f"{action} action_started", facts))
        if outcome is not None:
            ended = {**facts, "outcome": outcome, "detail": detail or f"{action} {outcome}"}
            self.write(self._record(Event.ACTION_FINISHED, after_s + took_s, f"{action} action_finished", ended))

    def says(self, audience: Audience, about: str, text: str, after_s: float) -> None:
        """Deliver a message, and record that it was."""
        message = Message(
            key=f"{self.incident_id}/{audience}/{about}", incident_id=self.incident_id, audience=audience, text=text
        )
        LocalSink(self.settings.notifications_path).keep(message, LOCAL, at(after_s), delivered=True)
        self.write(*told_records(self.incident, message, {"key": message.key, "audience": audience}, at(after_s)))

    def acknowledged(self, by: str, after_s: float) -> None:
        """Let a person take it."""
        record = self._record(Event.ACKNOWLEDGED, after_s, "acknowledged", {"by": by})
        self.write(record.model_copy(update={"source": Source.OPERATOR}))

    def ends(self, after_s: float) -> None:
        """Close it."""
        self.write(*closing_records(self.incident, at(after_s), "its trouble no longer shows"))

    def write(self, *records: LedgerRecord) -> None:
        """Append to the ledger."""
        append(self.ledger, records)

    def _decide(self, diagnosis: Diagnosis, evidence: Evidence, after_s: float) -> None:
        held = OpenLedger(
            service=SERVICE, now=at(after_s), incidents=open_incidents(read_ledger(self.ledger).records, SERVICE)
        )
        self.write(*incident_changes(diagnosis, evidence, held, lambda _: self.incident_id))

    def _record(self, event: Event, after_s: float, summary: str, details: dict[str, object]) -> LedgerRecord:
        return record_of(self.incident, event, at(after_s), summary, details)


def at(after_s: float) -> datetime:
    """A time so many seconds after `NOW`."""
    return NOW + timedelta(seconds=after_s)
