"""Read once a sweep what the services of a host may share: ledgers, checks, the queue of messages."""

import threading
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Generic, TypeVar

from tasks.clients.incidents.ledger import write_fault
from tasks.clients.messages.outbox import Outbox
from tasks.model.checks.checks import Check
from tasks.model.incidents.incident import Ledger, LedgerRecord
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.rules.incidents.fold import known_incidents
from tasks.settings import RunbookSettings
from tasks.work.postmortem.accepted_checks import accepted_of, list_checks
from tasks.work.triage.context import Kept, ledger_or_fault

Read = TypeVar("Read")


class SharedReads:
    """The files of one moment, read when first asked for; for many threads.

    A file that hangs holds up those services alone that share it.
    """

    def __init__(self, settings: RunbookSettings) -> None:
        self._settings = settings
        self._ledgers = {path: _Once(_reading(path)) for path in map(settings.ledger, settings.services)}
        self._checks: _Once[tuple[tuple[Check, ...], tuple[str, ...]]] = _Once(lambda: list_checks(settings.state_dir))
        self._unsent: _Once[int] = _Once(Outbox(settings.state_dir).pending_count)

    def kept_of(self, service: str) -> Kept:
        """Give what is kept of one service.

        Errors: none; what cannot be read is reported.
        """
        ledger, fault = self._ledgers[self._settings.ledger(service)].value()
        checks = accepted_of(*self._checks.value(), service)
        return Kept(ledger.of(service), fault, *checks, self._unsent.value())

    def unsent_count(self) -> int:
        """Count the notifications that this host has left to send."""
        return self._unsent.value()


class _Grouped:
    """A ledger by service, so that the records of a hundred services are not walked through a hundred times."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._before, self._since = _by_service(ledger.before.records), _by_service(ledger.since)

    def of(self, service: str) -> Ledger:
        """Give the ledger as one service sees it: its own records and those of nobody, in the order of the file."""
        before = _seen_by(service, self._before)
        fold = self._ledger.before.model_copy(
            update={"incidents": {service: known_incidents(self._ledger.before, service)}, "records": before}
        )
        records = (*before, *_seen_by(service, self._since))
        return self._ledger.model_copy(update={"records": records, "before": fold})


def _by_service(records: tuple[LedgerRecord, ...]) -> dict[str, list[LedgerRecord]]:
    ordered = sorted(records, key=_service_of)
    return {name: list(group) for name, group in groupby(ordered, key=_service_of)}


def _seen_by(service: str, records: Mapping[str, list[LedgerRecord]]) -> tuple[LedgerRecord, ...]:
    return tuple(sorted([*records.get(service, ()), *records.get("", ())], key=lambda record: record.line))


class _Once(Generic[Read]):
    """Read something when it is first asked for, and never again."""

    def __init__(self, read: Callable[[], Read]) -> None:
        self._read, self._lock = read, threading.Lock()
        self._found: list[Read] = []

    def value(self) -> Read:
        """Give what was read; whoever asks during the read waits for it."""
        with self._lock:
            if not self._found:
                self._found.append(self._read())
        return self._found[0]


def _reading(place: LedgerPlace) -> Callable[[], tuple[_Grouped, str]]:
    def read() -> tuple[_Grouped, str]:
        ledger, fault = ledger_or_fault(place)
        return _Grouped(ledger), fault or write_fault(place)

    return read


def _service_of(record: LedgerRecord) -> str:
    return record.service or ""
