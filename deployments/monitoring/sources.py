"""Read what is counted: the ledger and the look history of each watched service, and who acts on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from deployments.monitoring.following import Follower
from deployments.monitoring.ledger_counts import LedgerCounts
from deployments.monitoring.look_counts import LookCounts
from tasks.clients.ledger_archiving import archive_path
from tasks.clients.look_history import finished_at, history_path, recall_looks
from tasks.clients.service_lock import holder_of
from tasks.clients.silence import LOOKED_WITHIN
from tasks.rules.ledger_lines import parse_lines
from tasks.rules.silence import silence_of
from tasks.settings import RunbookSettings


@dataclass
class Numbers:
    """What is known of one service. `readable` says of each source whether it could be read the last time.

    `last_sign_at` is when a triage last came to its end, or acted, `silent` that this is too long ago.
    """

    ledger: LedgerCounts
    looks: LookCounts
    acting: bool = False
    maintenance: bool = False
    last_sign_at: datetime | None = None
    silent: bool = False
    readable: dict[str, bool] = field(default_factory=dict)


class ServiceSources:
    """The sources of one service."""

    def __init__(self, settings: RunbookSettings, service: str) -> None:
        self._settings, self._service = settings, service
        self._history = history = history_path(settings, service)
        self._started_at = datetime.now(UTC)
        past = recall_looks(history, self._started_at, LOOKED_WITHIN)
        self._ledger_file = Follower(settings.ledger_path(service))
        self._turn: int | None = None
        self._looks_file = Follower(history, rotated=history.with_suffix(".jsonl.1"))
        self._numbers = Numbers(LedgerCounts(service), LookCounts(past[-1] if past else None))
        _succeeds(self._looks_file.skip)

    def read(self) -> Numbers:
        """Read what is new, and give all; one reader at a time.

        Errors: none; a source that cannot be read keeps its last numbers, and is told as unreadable.
        """
        numbers, now = self._numbers, datetime.now(UTC)
        numbers.readable = {"ledger": _succeeds(self._read_ledger), "looks": _succeeds(self._read_looks)}
        numbers.acting = holder_of(self._settings.state_dir, self._service) is not None
        numbers.maintenance = numbers.ledger.in_maintenance(now)
        numbers.last_sign_at = self._last_sign_at(now)
        numbers.silent = self._is_silent(now)
        return numbers

    def _last_sign_at(self, now: datetime) -> datetime | None:
        signs = (finished_at(self._history, now, LOOKED_WITHIN), self._numbers.ledger.last_sign_at)
        return max((at for at in signs if at is not None and at <= now), default=None)

    def _is_silent(self, now: datetime) -> bool:
        if self._numbers.looks.latest_at is None:
            return False
        return silence_of(
            self._numbers.last_sign_at or self._started_at,
            now,
            acting=self._numbers.acting,
            approval_timeout_s=self._settings.approval_timeout_s,
            watching_since=self._started_at,
        ).silent

    def _read_ledger(self) -> None:
        """Count on; where another file took the ledger's place, as after archiving, all is counted again."""
        for data in self._ledger_file.new_lines():
            if self._turn is None or self._ledger_file.turns != self._turn:
                self._turn = self._ledger_file.turns
                self._numbers.ledger = LedgerCounts(self._service)
                for archived in Follower(archive_path(self._settings.ledger_path(self._service))).new_lines():
                    self._count(archived)
            self._count(data)

    def _count(self, data: bytes) -> None:
        found = parse_lines(data)
        self._numbers.ledger.skipped += len(found.skipped)
        for record in found.records:
            self._numbers.ledger.take(record)

    def _read_looks(self) -> None:
        for data in self._looks_file.new_lines():
            for line in data.splitlines():
                self._numbers.looks.take_line(line)


def _succeeds(read: Callable[[], None]) -> bool:
    try:
        read()
    except OSError:
        return False
    return True
