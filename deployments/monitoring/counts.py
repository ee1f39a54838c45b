"""Count what the ledger and the observation history of a service hold.

The ledger only grows, so its counts survive any restart. The history is dropped after a day, so its counts begin with
this process.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import ValidationError

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Action, Event, LedgerRecord, Outcome
from tasks.model.incidents.maintenance import ENDED_TYPE, STARTED_TYPE
from tasks.model.incidents.planned_work import PlannedWork
from tasks.model.probes.history import PastObservation
from tasks.rules.fleet.watchdog import is_activity
from tasks.rules.formats.json_values import text_of
from tasks.rules.formats.time import parse_time
from tasks.rules.incidents.action_history import is_rearm
from tasks.rules.incidents.maintenance_windows import maintenance_at

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
        self.notified: Counter[str] = Counter()
        self.to_detect = Durations()
        self.to_recover = Durations()
        self.skipped = 0
        self.last_activity_at: datetime | None = None

    def take(self, record: LedgerRecord) -> None:
        """Count one record; one of another service changes nothing."""
        if record.service not in {self._service, None}:
            return
        if is_activity(record, self._service):
            self.last_activity_at = max(record.timestamp, self.last_activity_at or record.timestamp)
        if is_rearm(record):
            self.unfinished.clear()
        if record.type in {STARTED_TYPE, ENDED_TYPE}:
            self._windows.append(record)
        if record.incident_id:
            self._step(record)

    def in_maintenance(self, now: datetime, planned: Iterable[PlannedWork] = ()) -> bool:
        """Say whether a maintenance window is open."""
        return maintenance_at(self._windows, self._service, now, planned) is not None

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
                self.notified[_one_of(Audience, text_of(record.details, "audience", 100), OTHER)] += 1
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


BUCKETS_S = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400)


class Durations:
    """Count lengths of time. Units: seconds."""

    def __init__(self) -> None:
        self._counts = [0] * len(BUCKETS_S)
        self.count = 0
        self.sum_s = 0.0

    def add(self, seconds_s: float) -> None:
        """Count one; clocks of two hosts may disagree, and time never runs backwards."""
        measured_s = max(0.0, seconds_s)
        self.count += 1
        self.sum_s += measured_s
        for place, bound_s in enumerate(BUCKETS_S):
            self._counts[place] += measured_s <= bound_s

    @property
    def buckets(self) -> Sequence[tuple[str, float]]:
        """The buckets as an exposition holds them."""
        bounded = zip(map(str, BUCKETS_S), self._counts, strict=True)
        return [*((bound, float(count)) for bound, count in bounded), ("+Inf", float(self.count))]


class PassCounts:
    """Take the runs of one service as their history gains them."""

    def __init__(self, latest: PastObservation | None = None) -> None:
        self.latest_at: datetime | None = latest.at if latest else None
        self.status: str | None = latest.status if latest else None
        self.runs: Counter[str] = Counter()
        self.rounds_count = 0
        self.health: Counter[str] = Counter()
        self.orders: Counter[tuple[str, ...]] = Counter()
        self.gateways: Counter[tuple[str, ...]] = Counter()
        self.diagnoses: Counter[str] = Counter()

    def take_line(self, line: bytes) -> None:
        """Count one line of the history; one that cannot be read is left out, as the runs themselves do."""
        try:
            self.take(PastObservation.model_validate_json(line))
        except ValidationError:
            return

    def take(self, run: PastObservation) -> None:
        self.latest_at, self.status = run.at, run.status
        self.runs[run.status] += 1
        self.rounds_count += run.rounds_count
        self.health[run.health] += 1
        self.diagnoses.update(set(run.troubles))
        for order in run.orders:
            for word, count in order.outcomes.items():
                # A refusal is `outcome:CODE`; the codes are the venues' own, and no closed list.
                self.orders[order.asset_class, word.partition(":")[0]] += count
        for gateway in run.gateways:
            self.gateways[gateway.gateway, "failed"] += gateway.failed_count
            self.gateways[gateway.gateway, "passed"] += gateway.looks_count - gateway.failed_count
