"""An incident that nobody closes, minute by minute: everything is read from the file again at every step."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.messages.outbox import Outbox
from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.incident import Event, IncidentState, LedgerRecord, Source
from tasks.model.incidents.planned_work import PlannedWork
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass, SyntheticOrder
from tasks.notify.find_due_pages import messages_due
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.transitions import End, ending_records, told_records
from tasks.settings import RunbookSettings, ServiceSettings

SERVICE, INCIDENT = "order-service", "INC-1"
# A Monday half an hour after New York opened, and the Saturday after it.
OPEN = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CLOSED = datetime(2026, 11, 28, 15, 0, tzinfo=UTC)
NEAR_CLOSE = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)


class Incident:
    """One incident in a ledger of its own. Nothing is kept between two steps but the file."""

    def __init__(self, folder: Path, began: datetime = OPEN, **limits: float) -> None:
        self.folder = folder
        self.began = began
        self.limits = limits
        self.planned: tuple[PlannedWork, ...] = ()
        self.said: list[tuple[float, str, str]] = []

    @property
    def settings(self) -> RunbookSettings:
        """The settings, read again."""
        watched = ServiceSettings(
            synthetic_orders={AssetClass.EQUITY: SyntheticOrder(symbol="ZVZZT")},
            escalation=EscalationLimits.model_validate(self.limits),
            planned=self.planned,
        )
        return RunbookSettings(state_dir=self.folder, services={SERVICE: watched}, desk_time_zone="America/New_York")

    @property
    def state(self) -> IncidentState:
        """The incident, folded again."""
        return fold_incidents(read_ledger(self.settings.ledger_path(SERVICE)).records, SERVICE)[0]

    def at(self, minutes: float) -> datetime:
        """A time after it began."""
        return self.began + timedelta(minutes=minutes)

    def write(self, *records: LedgerRecord) -> None:
        """Append to the file."""
        append(self.settings.ledger_path(SERVICE), records)

    def happened(self, event: Event, minutes: float = 0, *, source: Source = Source.TRIAGE, **details: object) -> None:
        """Append one record of the incident."""
        self.write(
            LedgerRecord(
                timestamp=self.at(minutes),
                type="health_check_error",
                service=SERVICE,
                incident_id=INCIDENT,
                event=event,
                source=source,
                summary="service_hung: silent for 9 s",
                details=details,
            )
        )

    def opened(self, tier: Audience = Audience.TIER_1, *, told: bool = True) -> "Incident":
        """Open it, and tell its first tier in the same run, as a rule."""
        cause = Cause.SERVICE_HUNG if tier is Audience.TIER_1 else Cause.DEPENDENCY_UNREACHABLE
        self.happened(Event.OPENED, cause=cause, tier=tier)
        if told:
            self.told(0, self.message(tier, "opened"))
        return self

    def message(self, audience: Audience, about: str) -> Message:
        """One message."""
        return Message(key=f"{INCIDENT}/{audience}/{about}", incident_id=INCIDENT, audience=audience, text=about)

    def told(self, minutes: float, message: Message) -> None:
        """Record that a message arrived."""
        self.write(*told_records(self.state, message, {"key": message.key}, self.at(minutes)))

    def acknowledged(self, minutes: float, for_minutes: float, **changes: object) -> None:
        """A person takes it."""
        until = self.at(minutes + for_minutes).isoformat()
        self.happened(Event.ACKNOWLEDGED, minutes, source=Source.OPERATOR, **{"by": "kim", "until": until, **changes})

    def closed(self, minutes: float) -> None:
        """It is over."""
        self.write(*ending_records(self.state, self.at(minutes), End(because="gone")))

    def due(self, minutes: float) -> tuple[Message, ...]:
        """What must be reported at a minute."""
        return messages_due(self.settings, SERVICE, self.at(minutes))

    def minute(self, minutes: float, *, delivered: Iterable[Audience] = tuple(Audience)) -> None:
        """One scheduled run: what is due is queued, sent, and recorded where it arrives."""
        for message in self.due(minutes):
            queued = Outbox(self.folder).put(SERVICE, message, self.at(minutes))
            if message.audience in delivered:
                Outbox(self.folder).remove(queued)
                self.told(minutes, message)
                self.said.append((minutes, message.audience, message.key.split("/", 2)[2]))

    def minutes(self, first: int, last: int, *, delivered: Iterable[Audience] = tuple(Audience)) -> "Incident":
        """A run every minute."""
        arrives = tuple(delivered)
        for number in range(first, last + 1):
            self.minute(number, delivered=arrives)
        return self
