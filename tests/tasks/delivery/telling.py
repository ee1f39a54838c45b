"""One incident that is told through a Slack of our own, round by round, with the time passed in."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.messages.deadline import CALL_THREAD
from tasks.clients.messages.delivery_thread import send_all
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.messages.outbox import Outbox
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event, IncidentState, LedgerRecord, Source
from tasks.model.messages.messages import Attachment, Delivery, Message
from tasks.rules.incidents.fold import fold_incidents
from tasks.settings import RunbookSettings, ServiceSettings
from tests.fakes.polling import eventually
from tests.fakes.slack.slack_api import CHANNEL, DESK_CHANNEL, TOKEN, FakeSlack

SERVICE, INCIDENT = "order-service", "INC-1"
A_MINUTE = timedelta(seconds=61)
PATIENT_S, QUICK_S = 3.0, 0.2
ROUNDS_AT_MOST_COUNT = 30


def message(about: str = "opened", audience: Audience = Audience.TIER_1, **changes: Any) -> Message:
    """One message about the incident."""
    key = f"{INCIDENT}/{audience}/{about}"
    base = Message(key=key, incident_id=INCIDENT, audience=audience, text=f"about {about}")
    return base.model_copy(update=changes)


def with_file(about: str = "opened") -> Message:
    """One page with a file."""
    return message(about, files=(Attachment(name="request.txt", text="GET /health"),))


def slack_settings(slack: FakeSlack, **changes: Any) -> dict[str, Any]:
    """The settings of Slack that reach the fake: one channel for all tiers, another for the desk."""
    desk = {"channel": DESK_CHANNEL}
    base = {"token": TOKEN, "base_url": slack.base_url, "channel": CHANNEL, "desk": desk, "timeout_s": PATIENT_S}
    return {**base, **changes}


@dataclass
class Telling:
    """A state directory with one open incident, and the time as its rounds see it.

    Where it `is_patient`, what a round gave up on has ended before the next one, as it has after a real minute.
    """

    state_dir: Path
    slack: dict[str, Any] = field(default_factory=dict)
    fallback: dict[str, Any] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_patient: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> RunbookSettings:
        """The settings as a run loads them."""
        known = {"services": {SERVICE: ServiceSettings()}, "slack": self.slack, "fallback": self.fallback}
        known |= self.more
        return RunbookSettings.model_validate({"state_dir": self.state_dir, **known})

    @property
    def ledger(self) -> Path:
        """The incident ledger."""
        return self.state_dir / "incidents.jsonl"

    @property
    def outbox(self) -> Outbox:
        """The queue as a new process finds it."""
        return Outbox(self.state_dir)

    @property
    def incident(self) -> IncidentState:
        """The incident as the ledger tells it."""
        return fold_incidents(read_ledger(self.ledger).records, SERVICE)[0]

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """The lines of the sink."""
        return read_deliveries(self.state_dir / "notifications.jsonl")

    def opened(self) -> "Telling":
        """Open the incident."""
        self.happens(Event.OPENED, cause="service_hung", tier="tier_1")
        return self

    def happens(self, event: Event, **details: Any) -> None:
        """Write one event of the incident into the ledger."""
        source = Source.OPERATOR if event is Event.ACKNOWLEDGED else Source.TRIAGE
        record = LedgerRecord(
            timestamp=self.now,
            type="health_check_error",
            service=SERVICE,
            incident_id=INCIDENT,
            event=event,
            source=source,
            details=details,
        )
        append(self.ledger, [record])

    def queue(self, *messages: Message) -> None:
        """Queue messages as a run does."""
        for number, one in enumerate(messages):
            self.outbox.put(SERVICE, one, self.now + timedelta(microseconds=number))

    def round(self) -> None:
        """Make one round as a new process."""
        if self.is_patient:
            eventually(lambda: not any(one.name == CALL_THREAD for one in threading.enumerate()))
        outbox = self.outbox
        with outbox.only_sender(1.0) as is_us:
            assert is_us
            send_all(self.settings, outbox, lambda: self.now, lambda _: None)

    def rounds(self, count: int) -> None:
        """Make rounds a minute apart."""
        for _ in range(count):
            self.now += A_MINUTE
            self.round()

    def settle(self) -> None:
        """Make rounds until nothing is left to do; a slow machine may need one more than the faults do."""
        for _ in range(ROUNDS_AT_MOST_COUNT):
            self.rounds(1)
            if not self.outbox.pending_count():
                return
        raise AssertionError(f"still queued: {self.outbox.waiting()}, {self.outbox.threads()}")

    def told(self) -> list[str]:
        """The keys that the ledger says were reported, each as often as it says so."""
        records = read_ledger(self.ledger).records
        return [str(one.details.get("key")) for one in records if one.event == Event.NOTIFIED]

    def arrived(self) -> list[str]:
        """The keys that the sink says were delivered."""
        return [one.key for one in self.deliveries if one.delivered]
