"""A whole incident with the files that it leaves: observations, evidence, a real ledger, messages; its own clock."""

from datetime import datetime, timedelta
from pathlib import Path

from tasks.clients.evidence.history import history_path, remember_observation
from tasks.clients.evidence.store import save_run
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.messages.local_file import LOCAL, LocalSink
from tasks.model.diagnosis.diagnosis import Audience, Diagnosis, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import Action, Event, IncidentState, LedgerRecord, Outcome, Source
from tasks.model.logs.findings import LogCheck
from tasks.model.messages.messages import Message
from tasks.model.postmortem.postmortem import PostmortemCase
from tasks.model.probes.history import PastObservation
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.incidents.fold import fold_incidents, open_incidents
from tasks.rules.incidents.transitions import End, OpenLedger, ending_records, incident_changes, record_of, told_records
from tasks.rules.postmortem.template import postmortem_blocks
from tasks.rules.probes.history import past_observation
from tasks.settings import RunbookSettings, ServiceSettings
from tests.fakes.incident import observations
from tests.fakes.incident.observations import NOW, three
from tests.fakes.incident.past import counted, counters, past

SERVICE = "order-service"
INCIDENT = "INC-20261123T150004Z-gateway_failing-ab12"


class Story:
    """One service's story under a state directory of its own, told from `NOW` on."""

    def __init__(self, folder: Path, incident_id: str = INCIDENT) -> None:
        self.settings = RunbookSettings(state_dir=folder, services={SERVICE: ServiceSettings()})
        self.incident_id = incident_id
        self.ledger = self.settings.ledger_path(SERVICE)
        self.looks: tuple[PastObservation, ...] = ()

    @property
    def incident(self) -> IncidentState:
        """The incident as the ledger tells it."""
        states = fold_incidents(read_ledger(self.ledger).records, SERVICE)
        return next(one for one in states if one.incident_id == self.incident_id)

    def looked(self, *looks: PastObservation) -> None:
        """Remember runs, oldest first."""
        self.looks = (*self.looks, *looks)
        for look in looks:
            assert remember_observation(history_path(self.settings, SERVICE), look)

    def healthy_hour(self, **changes: object) -> None:
        """Sixty healthy runs before it."""
        self.looked(*(past(minutes, **changes) for minutes in range(60, 0, -1)))

    def told(self, kind: str, after_s: float, summary: str = "", **details: object) -> None:
        """Let the service itself, or an operator, write a fact."""
        source = str(details.pop("source", Source.ORDER_SERVICE))
        fact = {"timestamp": at(after_s), "type": kind, "service": SERVICE, "event": "observed", "source": source}
        self.write(LedgerRecord.model_validate({**fact, "summary": summary or kind, "details": details}))

    def fails(self, evidence: Evidence, after_s: float = 4.0, logs: LogCheck | None = None) -> Diagnosis:
        """Let one run find it: the checks remembered, the evidence kept, the incident opened."""
        context = evidence.context.model_copy(update={"history": self.looks})
        seen = evidence.model_copy(update={"context": context})
        diagnosis = name_cause(seen)
        self.looked(past_observation(seen, diagnosis))
        run = StoredRun(stored_at=at(after_s), evidence=seen, diagnosis=diagnosis, logs=logs or LogCheck())
        save_run(self.settings.state_dir, run)
        self._decide(diagnosis, seen, after_s)
        return diagnosis

    def passes(self, evidence: Evidence, after_s: float) -> None:
        """Let one run find nothing."""
        self.looked(past_observation(evidence, Diagnosis(status=Status.OK)).model_copy(update={"at": at(after_s)}))

    def acts(self, action: str, outcome: str | None, after_s: float, detail: str = "", **more: object) -> None:
        """Record an action, and how it ended three seconds later."""
        key = f"{self.incident_id}/{action}/{after_s:g}"
        facts: dict[str, object] = {"action": action, "key": key, **more}
        self.write(self.record(Event.ACTION_STARTED, after_s, f"{action} action_started", facts))
        if outcome is not None:
            ended = {**facts, "outcome": outcome, "detail": detail or f"{action} {outcome}"}
            self.write(self.record(Event.ACTION_FINISHED, after_s + 3.0, f"{action} action_finished", ended))

    def says(self, audience: Audience, about: str, text: str, after_s: float) -> None:
        """Deliver a message, and record that it was."""
        message = Message(
            key=f"{self.incident_id}/{audience}/{about}", incident_id=self.incident_id, audience=audience, text=text
        )
        LocalSink(self.settings.notifications_path).keep(message, LOCAL, at(after_s), delivered=True)
        self.write(*told_records(self.incident, message, {"key": message.key, "audience": audience}, at(after_s)))

    def acknowledged(self, by: str, after_s: float) -> None:
        """Let a person take it."""
        record = self.record(Event.ACKNOWLEDGED, after_s, "acknowledged", {"by": by})
        self.write(record.model_copy(update={"source": Source.OPERATOR}))

    def ends(self, after_s: float) -> None:
        """Close it."""
        self.write(*ending_records(self.incident, at(after_s), End(because="its trouble no longer shows")))

    def write(self, *records: LedgerRecord) -> None:
        """Append to the ledger."""
        append(self.ledger, records)

    def _decide(self, diagnosis: Diagnosis, evidence: Evidence, after_s: float) -> None:
        held = OpenLedger(
            service=SERVICE, now=at(after_s), incidents=open_incidents(read_ledger(self.ledger).records, SERVICE)
        )
        self.write(*incident_changes(diagnosis, evidence, held, lambda _: self.incident_id))

    def record(
        self, event: Event, after_s: float, summary: str, details: dict[str, object] | None = None
    ) -> LedgerRecord:
        """Make a record of the incident."""
        return record_of(self.incident, event, at(after_s), summary, details)


def at(after_s: float) -> datetime:
    """A time so many seconds after `NOW`."""
    return NOW + timedelta(seconds=after_s)


_EQUITY = "orders_total|asset_class=equity|gateway=XNAS|outcome="


def counting(filled: float, rejected: float = 0.0, seconds_s: float | None = None) -> dict[str, float]:
    """The service's counters after so many orders."""
    spent = filled * 0.01 if seconds_s is None else seconds_s
    orders = {f"{_EQUITY}filled": filled, f"{_EQUITY}rejected": rejected}
    return counters(**orders, order_seconds_sum=spent, order_seconds_count=filled + rejected)


def gateway_story(folder: Path) -> Story:
    """A gateway dies, one action helps, one does not, one is refused; a person halts the class; it ends."""
    story = Story(folder)
    story.looked(*(past(m, counters=counting(600 - m * 10), orders_unknown_count=0) for m in range(60, 0, -1)))
    story.told("gateway_unreachable", -20, "gateway XNAS does not answer", gateway="XNAS")
    dead = observations.gateway("XNAS", Seen.FAILED)
    denied = observations.order(AssetClass.EQUITY, OrderOutcome.DENIED).model_copy(
        update={"code": "GATEWAY_UNREACHABLE"}
    )
    story.fails(
        three(
            gateways=(dead, observations.gateway("FXALL")),
            orders=(denied, observations.order(AssetClass.FX)),
            metrics=counted(counting(600, 25, 30)),
        )
    )
    story.says(Audience.TIER_3, "opened", "XNAS is gone", 5)
    story.acts(Action.MARK_DEGRADED, Outcome.RECOVERED, 6, detail="XNAS is marked")
    story.acts(Action.REROUTE_ORDERS, Outcome.NOT_RECOVERED, 7, detail="no alternate took orders")
    story.acts(Action.PAUSE_STRATEGIES, None, 9)
    story.says(Audience.TIER_2, "refused-NO_ALTERNATE", "No action was taken, NO_ALTERNATE", 12)
    story.acknowledged("Ada", 40)
    story.looked(past(-1, status="degraded", orders=failing(), counters=counting(605, 40, 33), orders_unknown_count=3))
    story.told("control_changed", 70, "trading equity set by ops", part="trading", key="equity",
               now={"state": "halted"}, source="operator")  # fmt: skip
    story.told("control_changed", 100, "trading equity set by ops", part="trading", key="equity",
               now={"state": "active"}, source="operator")  # fmt: skip
    story.looked(past(-2, counters=counting(650, 40, 33.5), orders_unknown_count=0))
    story.ends(150)
    return story


def failing() -> tuple[object, ...]:
    """The test orders of a run that found equity down."""
    equity, fx = past(0).orders
    return (equity.model_copy(update={"outcomes": {"denied:GATEWAY_UNREACHABLE": 1}}), fx)


def part(case: PostmortemCase, name: str) -> str:
    """One part of the document."""
    return next(block.text for block in postmortem_blocks(case) if block.name == name)
