"""Count what the ledger of a service tells. The ledger only grows, so these counts stand after any restart."""

from collections import Counter
from datetime import datetime

from deployments.monitoring.durations import Durations
from tasks.model.diagnosis import Audience, Cause
from tasks.model.incident import Action, Event, LedgerRecord, Outcome
from tasks.model.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.rules.action_history import is_rearm
from tasks.rules.json_values import text_of
from tasks.rules.maintenance import maintenance_at
from tasks.rules.silence import is_sign
from tasks.rules.times import parse_time

OTHER = "other"


class LedgerCounts:
    """Take the records of one service in the order of the file.

    Labels are closed lists: a word that is in none of them counts as `unknown` or `other`.
    """

    def __init__(self, service: str) -> None:
        self._service = service
        self._began_at: dict[str, datetime] = {}
        self._windows: list[LedgerRecord] = []
        self.open: dict[str, str] = {}
        self.known: set[str] = set()
        self.opened: Counter[str] = Counter()
        self.started: Counter[str] = Counter()
        self.results: Counter[tuple[str, ...]] = Counter()
        self.unfinished: set[str] = set()
        self.told: Counter[str] = Counter()
        self.to_detect = Durations()
        self.to_recover = Durations()
        self.skipped = 0
        self.last_sign_at: datetime | None = None

    def take(self, record: LedgerRecord) -> None:
        """Count one record; one of another service changes nothing."""
        if record.service not in {self._service, None}:
            return
        if is_sign(record, self._service):
            self.last_sign_at = max(record.timestamp, self.last_sign_at or record.timestamp)
        if is_rearm(record):
            self.unfinished.clear()
        if record.type in {STARTED_TYPE, ENDED_TYPE}:
            self._windows.append(record)
        if record.incident_id:
            self._step(record)

    def in_maintenance(self, now: datetime) -> bool:
        """Say whether a maintenance window is open."""
        return maintenance_at(self._windows, self._service, now) is not None

    def _step(self, record: LedgerRecord) -> None:
        match record.event:
            case Event.OPENED:
                self._opened(record)
            case Event.RECOVERED:
                self._recovered(record)
            case Event.CLOSED:
                self._closed(record)
            case Event.ACTION_STARTED:
                self._action_started(record)
            case Event.ACTION_FINISHED:
                self._action_finished(record)
            case Event.NOTIFIED:
                self.told[_one_of(Audience, text_of(record.details, "audience", 100), OTHER)] += 1
            case _:
                pass

    def _opened(self, record: LedgerRecord) -> None:
        incident_id = record.incident_id or ""
        cause = _one_of(Cause, text_of(record.details, "cause", 100), Cause.UNKNOWN)
        self.open[incident_id], self._began_at[incident_id] = cause, record.timestamp
        if incident_id in self.known:
            return
        self.known.add(incident_id)
        self.opened[cause] += 1
        well_at = parse_time(record.details.get("last_well_at"))
        if well_at is not None:
            self.to_detect.add((record.timestamp - well_at).total_seconds())

    def _recovered(self, record: LedgerRecord) -> None:
        began_at = self._began_at.pop(record.incident_id or "", None)
        if began_at is not None:
            self.to_recover.add((record.timestamp - began_at).total_seconds())

    def _closed(self, record: LedgerRecord) -> None:
        self._recovered(record)
        self.open.pop(record.incident_id or "", None)

    def _action_started(self, record: LedgerRecord) -> None:
        self.started[_action(record)] += 1
        self.unfinished.add(_key(record))

    def _action_finished(self, record: LedgerRecord) -> None:
        outcome = _one_of(Outcome, text_of(record.details, "outcome", 100), Outcome.UNKNOWN)
        self.results[_action(record), outcome] += 1
        if outcome != Outcome.UNKNOWN:
            self.unfinished.discard(_key(record))


def _action(record: LedgerRecord) -> str:
    return _one_of(Action, text_of(record.details, "action", 100), OTHER)


def _key(record: LedgerRecord) -> str:
    return text_of(record.details, "key", 200) or record.incident_id or ""


def _one_of(words: type[Audience] | type[Action] | type[Cause] | type[Outcome], word: str | None, other: str) -> str:
    return str(word) if word in set(words) else str(other)
