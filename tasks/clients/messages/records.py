"""What the ledger and the sink know of messages: who was notified what, and what the head of a thread has to say."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tasks.clients.incidents.ledger import read_ledger, transact
from tasks.clients.incidents.mode import current_mode
from tasks.clients.messages.local_file import SUPERSEDED, LocalSink
from tasks.model.errors import CannotObserve, Code, RunbookError
from tasks.model.incidents.incident import Event, IncidentState, Ledger, LedgerRecord
from tasks.model.incidents.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.model.messages.delivery import Queued
from tasks.model.messages.messages import Message
from tasks.model.messages.slack_press import WaitingPlan
from tasks.model.probes.orders import WELL_KNOWN
from tasks.rules.escalation.desk_updates import is_worked_on, next_update_at
from tasks.rules.escalation.timers import is_acknowledged
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.tiers import TIERS
from tasks.rules.incidents.transitions import record_of, told_records
from tasks.rules.messages.slack.thread_head import Head
from tasks.rules.messages.superseded import Superseded, superseded
from tasks.rules.remediation.planning.approval_records import waiting_plan
from tasks.settings import RunbookSettings

Stamp = tuple[int, int]


class Folded(NamedTuple):
    """What a ledger said when it was as large and as old as `stamp`; `windows` are the records of maintenance."""

    stamp: Stamp
    incidents: dict[str, IncidentState]
    windows: tuple[LedgerRecord, ...]


class MessageRecords:
    """The records of all services; a ledger is folded again only when it has grown."""

    def __init__(self, settings: RunbookSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._sink = LocalSink(settings.notifications_path)
        self._folded: dict[str, Folded] = {}

    def incident(self, service: str, incident_id: str) -> IncidentState | None:
        """Find an incident; None also where the ledger cannot be read, or its service is watched no more."""
        return self._states(service).get(incident_id)

    def why_superseded(self, entry: Queued, queued: Iterable[Queued]) -> Superseded | None:
        """Say why nothing of a message is true any more, by what the ledger holds now; None where nobody knows."""
        if entry.message.until and self._clock() >= entry.message.until:
            return Superseded(because="the next update is due")
        states, waiting = self._states(entry.service), tuple(queued) if entry.message.also else queued
        found = None
        for key, incident_id in entry.message.stands_for.items():
            said = {"key": key, "incident_id": incident_id, "also": {}}
            part = entry.model_copy(update={"message": entry.message.model_copy(update=said)})
            found = superseded(part, states.get(incident_id), states.values(), waiting)
            if found is None:
                return None
        return found

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
            known = self._folded.get(service)
            if known is None or known.stamp != stamp:
                self._folded[service] = _folded(read_ledger(ledger), service, stamp)
        except RunbookError:
            return {}
        return self._folded[service].incidents

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
        button = slack.app_token is not None and place in {slack.of(tier).channel for tier in TIERS}
        answers = button and self._settings.answers_in_slack and incident is not None and incident.is_open
        return Head(
            service=service,
            incident_id=incident_id,
            mode=current_mode(self._settings),
            incident=incident,
            taken=taken,
            next_update_at=self._next_update_at(service, incident) if incident else None,
            button=button,
            plan=self._waiting(service, incident_id) if answers else None,
            classes=(self._settings.service(service).known_classes or WELL_KNOWN) if answers else (),
        )

    def _next_update_at(self, service: str, incident: IncidentState) -> datetime | None:
        now, watched = self._clock(), self._settings.service(service)
        at = next_update_at(incident, watched.escalation.desk_every_s, now)
        return at if at and not is_worked_on(incident, self._folded[service].windows, now, watched.planned) else None

    def _waiting(self, service: str, incident_id: str) -> WaitingPlan | None:
        try:
            records = read_ledger(self._settings.ledger(service)).records
        except RunbookError:
            return None
        return waiting_plan(records, incident_id, self._clock())

    def _told(self, entry: Queued, key: str) -> bool:
        incident = self.incident(entry.service, entry.message.incident_id)
        return key in incident.told if incident is not None else self._sink.delivered(key)

    def _notified(self, entry: Queued, ledger: Ledger) -> tuple[LedgerRecord, ...]:
        details: dict[str, object] = {"channel": entry.delivered_by}
        if entry.instead_of:
            details["instead_of"] = entry.instead_of
        return tuple(
            record
            for incident, keys in _unsent(entry.message, ledger, entry.service)
            for record in told_records(incident, entry.message, {**keys, **details}, self._clock())
        )

    def _dropped(self, entry: Queued, why: Superseded, ledger: Ledger) -> tuple[LedgerRecord, ...]:
        details: dict[str, object] = {"channel": SUPERSEDED, "because": why.because}
        said = f"not sent to {entry.message.audience}: {why.because}"
        return tuple(
            record_of(incident, Event.NOTIFIED, self._clock(), said, {**keys, **details})
            for incident, keys in _unsent(entry.message, ledger, entry.service)
        )


def _folded(ledger: Ledger, service: str, stamp: Stamp) -> Folded:
    incidents = {one.incident_id: one for one in fold_incidents(ledger, service)}
    windows = tuple(one for one in ledger.records if one.type in {STARTED_TYPE, ENDED_TYPE})
    return Folded(stamp, incidents, windows)


def _unsent(message: Message, ledger: Ledger, service: str) -> Iterable[tuple[IncidentState, dict[str, object]]]:
    """Find the incidents that a message speaks of, each with those of its keys that are not recorded in it yet."""
    for incident in fold_incidents(ledger, service):
        ours = [
            key for key, name in message.stands_for.items() if name == incident.incident_id and key not in incident.told
        ]
        if ours:
            yield incident, {"key": ours[0], "audience": message.audience, **({"also": ours[1:]} if ours[1:] else {})}


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    except OSError as error:
        raise CannotObserve(
            Code.LEDGER_UNREADABLE, f"expected a readable file was {error.strerror} path={path}"
        ) from None
    return (found.st_size, found.st_mtime_ns)
