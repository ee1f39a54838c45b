"""What the ledger and the sink know of messages: who was told what, and what the head of a thread has to say."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from tasks.clients.incident_ledger import read_ledger, transact
from tasks.clients.mode_switch import current_mode
from tasks.clients.notifications import SUPERSEDED, LocalSink
from tasks.model.delivery import Queued
from tasks.model.errors import CannotLook, Code, RunbookError
from tasks.model.incident import Event, IncidentState, Ledger, LedgerRecord
from tasks.rules.acknowledgement import is_acknowledged
from tasks.rules.incident_changes import record_of, told_records
from tasks.rules.incident_state import fold_incidents
from tasks.rules.slack_head import Head
from tasks.rules.superseded import Superseded, superseded
from tasks.rules.tiers import TIERS
from tasks.settings import RunbookSettings

Stamp = tuple[int, int]


class MessageRecords:
    """The records of all services; a ledger is folded again only when it has grown."""

    def __init__(self, settings: RunbookSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._sink = LocalSink(settings.notifications_path)
        self._folded: dict[str, tuple[Stamp, dict[str, IncidentState]]] = {}

    def incident(self, service: str, incident_id: str) -> IncidentState | None:
        """Find an incident; None also where the ledger cannot be read, or its service is watched no more."""
        return self._states(service).get(incident_id)

    def why_superseded(self, entry: Queued, queued: Iterable[Queued]) -> Superseded | None:
        """Say why a message is no longer true, by what the ledger holds now; None where it is, or nobody knows."""
        states = self._states(entry.service)
        return superseded(entry, states.get(entry.message.incident_id), states.values(), queued)

    def supersede(self, entry: Queued, why: Superseded) -> None:
        """Write down that a message was dropped; where its audience is to hear of the end instead, in the ledger, too.

        Errors: `SINK_UNWRITABLE`, `LEDGER_UNWRITABLE`, `LEDGER_UNREADABLE`; the next round writes what is missing.
        """
        self._sink.keep(entry.message, SUPERSEDED, self._clock(), delivered=False)
        if why.is_told:
            transact(self._settings.ledger(entry.service), lambda ledger: self._dropped(entry, why, ledger))

    def _states(self, service: str) -> dict[str, IncidentState]:
        try:
            ledger = self._settings.ledger(service)
            stamp = _stamp(ledger.path)
            if self._folded.get(service, (None, None))[0] != stamp:
                states = fold_incidents(read_ledger(ledger), service)
                self._folded[service] = (stamp, {one.incident_id: one for one in states})
        except RunbookError:
            return {}
        return self._folded[service][1]

    def is_told(self, entry: Queued) -> bool:
        """Say whether a message was delivered already, or was for somebody instead who has been reached since."""
        if entry.instead_of and self._told(entry, entry.instead_of):
            return True
        return self._told(entry, entry.message.key)

    def record(self, entry: Queued) -> None:
        """Write down that a message was delivered: a line of the sink, and the ledger's `notified`; each once.

        Errors: `SINK_UNWRITABLE`, `LEDGER_UNWRITABLE`, `LEDGER_UNREADABLE`; the next round writes what is missing.
        """
        self._sink.keep(entry.message, entry.delivered_by, self._clock(), delivered=True)
        if self.incident(entry.service, entry.message.incident_id) is not None:
            transact(self._settings.ledger(entry.service), lambda ledger: self._notified(entry, ledger))

    def show_undelivered(self, entry: Queued, channel: str) -> None:
        """Write the line that says that nobody took a message.

        Errors: `SINK_UNWRITABLE`.
        """
        self._sink.keep(entry.message, channel, self._clock(), delivered=False)

    def head(self, service: str, incident_id: str, place: str) -> Head:
        """Say what the head of a thread has to say now; the button stands where a tier reads, not on the desk."""
        incident, slack = self.incident(service, incident_id), self._settings.slack
        taken = incident is not None and is_acknowledged(
            incident, self._settings.service(service).escalation, self._clock()
        )
        return Head(
            service=service,
            incident_id=incident_id,
            mode=current_mode(self._settings),
            incident=incident,
            taken=taken,
            button=slack.app_token is not None and place in {slack.of(tier).channel for tier in TIERS},
        )

    def _told(self, entry: Queued, key: str) -> bool:
        incident = self.incident(entry.service, entry.message.incident_id)
        return key in incident.told if incident is not None else self._sink.delivered(key)

    def _notified(self, entry: Queued, ledger: Ledger) -> tuple[LedgerRecord, ...]:
        incident = _untold(entry, ledger)
        if incident is None:
            return ()
        details: dict[str, object] = {
            "key": entry.message.key,
            "audience": entry.message.audience,
            "channel": entry.delivered_by,
        }
        if entry.instead_of:
            details["instead_of"] = entry.instead_of
        return told_records(incident, entry.message, details, self._clock())

    def _dropped(self, entry: Queued, why: Superseded, ledger: Ledger) -> tuple[LedgerRecord, ...]:
        incident = _untold(entry, ledger)
        if incident is None:
            return ()
        details: dict[str, object] = {
            "key": entry.message.key,
            "audience": entry.message.audience,
            "channel": SUPERSEDED,
            "because": why.because,
        }
        said = f"not told {entry.message.audience}: {why.because}"
        return (record_of(incident, Event.NOTIFIED, self._clock(), said, details),)


def _untold(entry: Queued, ledger: Ledger) -> IncidentState | None:
    """Find the incident of a message in which it is not told yet."""
    states = fold_incidents(ledger, entry.service)
    incident = next((one for one in states if one.incident_id == entry.message.incident_id), None)
    return None if incident is None or entry.message.key in incident.told else incident


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    except OSError as error:
        raise CannotLook(Code.LEDGER_UNREADABLE, f"expected a readable file was {error.strerror} path={path}") from None
    return (found.st_size, found.st_mtime_ns)
