"""Read what is counted: ledger and observation history of each service, and who acts on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deployments.monitoring.counts import LedgerCounts, PassCounts
from deployments.monitoring.following import Follower
from tasks.clients.evidence.history import finished_at, history_path, recall_observations
from tasks.clients.incidents.archiving import archive_path
from tasks.clients.locks.host_lock import holder_of
from tasks.rules.fleet.watchdog import stall_of
from tasks.rules.incidents.parse import parse_lines
from tasks.settings import RunbookSettings
from tasks.work.fleet.watchdog import OBSERVED_WITHIN


@dataclass
class Numbers:
    """What is known of one service. `readable` says of each source whether it could be read the last time.

    `last_activity_at` is when a triage last completed or acted, `stalled` that this is too long ago.
    """

    ledger: LedgerCounts
    passes: PassCounts
    remediating: bool = False
    maintenance: bool = False
    last_activity_at: datetime | None = None
    stalled: bool = False
    readable: dict[str, bool] = field(default_factory=dict)


class ServiceSources:
    def __init__(self, settings: RunbookSettings, service: str) -> None:
        self._settings, self._service = settings, service
        self._history = history = history_path(settings, service)
        self._started_at = datetime.now(UTC)
        past = recall_observations(history, self._started_at, OBSERVED_WITHIN)
        self._ledger_file = Follower(settings.ledger_path(service))
        self._replaced_count: int | None = None
        self._history_file = Follower(history, rotated=history.with_suffix(".jsonl.1"))
        self._numbers = Numbers(LedgerCounts(service), PassCounts(past[-1] if past else None))
        _succeeds(self._history_file.skip)

    def read(self) -> Numbers:
        """Read what is new, and give all; one reader at a time.

        Errors: none; a source that cannot be read keeps its last numbers, and is reported as unreadable.
        """
        numbers, now = self._numbers, datetime.now(UTC)
        numbers.readable = {"ledger": _succeeds(self._read_ledger), "history": _succeeds(self._read_history)}
        numbers.remediating = holder_of(self._settings.state_dir, self._service) is not None
        numbers.maintenance = numbers.ledger.in_maintenance(now, self._settings.service(self._service).planned)
        numbers.last_activity_at = self._last_activity_at(now)
        numbers.stalled = self._is_stalled(now)
        return numbers

    def _last_activity_at(self, now: datetime) -> datetime | None:
        times = (finished_at(self._history, now, OBSERVED_WITHIN), self._numbers.ledger.last_activity_at)
        return max((at for at in times if at is not None and at <= now), default=None)

    def _is_stalled(self, now: datetime) -> bool:
        if self._numbers.passes.latest_at is None:
            return False
        return stall_of(
            self._numbers.last_activity_at or self._started_at,
            now,
            acting=self._numbers.remediating,
            approval_timeout_s=self._settings.approval_timeout_s,
            watching_since=self._started_at,
        ).stalled

    def _read_ledger(self) -> None:
        """Count on; where another file took the ledger's place, as after archiving, all is counted again."""
        for data in self._ledger_file.new_lines():
            if self._replaced_count is None or self._ledger_file.replaced_count != self._replaced_count:
                self._replaced_count = self._ledger_file.replaced_count
                self._numbers.ledger = LedgerCounts(self._service)
                for archived in Follower(archive_path(self._settings.ledger_path(self._service))).new_lines():
                    self._count(archived)
            self._count(data)

    def _count(self, data: bytes) -> None:
        found = parse_lines(data)
        self._numbers.ledger.skipped += len(found.skipped)
        for record in found.records:
            self._numbers.ledger.take(record)

    def _read_history(self) -> None:
        for data in self._history_file.new_lines():
            for line in data.splitlines():
                self._numbers.passes.take_line(line)


def _succeeds(read: Callable[[], None]) -> bool:
    try:
        read()
    except OSError:
        return False
    return True
