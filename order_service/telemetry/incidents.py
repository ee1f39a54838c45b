"""The shared incident ledger, from this side: facts the service saw, appended by a thread so that no order waits."""

import contextlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import orjson

from order_service.runtime.clock import rfc3339, utc_now
from order_service.runtime.files import LOCK_WAIT_S, append_line

log = logging.getLogger(__name__)

RETRY_S = 1.0
KEPT_WHILE_FAILING = 1000

IncidentType = Literal[
    "gateway_unreachable",
    "gateway_recovered",
    "order_routing_failed",
    "routing_table_refused",
    "routing_table_loaded",
    "control_changed",
    "control_state_broken",
    "service_started",
    "service_stopped",
    "journal_unavailable",
    "journal_recovered",
]
Event = Literal["observed", "recovered"]
Details = Mapping[str, object]


class IncidentLog:
    """Append facts to `incidents.jsonl` and pass each on to whoever listens.

    Errors: none reach the caller; a ledger that cannot be written is retried, counted, and shown as `error`.
    """

    def __init__(self, path: Path, service: str, on_failed: Callable[[], None]) -> None:
        self._path = path
        self._service = service
        self._on_failed = on_failed
        self._records: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting: deque[bytes] = deque(maxlen=KEPT_WHILE_FAILING)
        self.listener: Callable[[dict[str, object]], None] | None = None
        self.error: str | None = None
        self._thread = threading.Thread(target=self._run, name="incident-log", daemon=True)
        self._thread.start()

    def record(
        self,
        incident_type: IncidentType,
        summary: str,
        details: Details,
        *,
        event: Event = "observed",
        source: str = "order_service",
    ) -> None:
        """Hand over one fact; never waits."""
        record: dict[str, object] = {
            "timestamp": rfc3339(utc_now()),
            "type": incident_type,
            "service": self._service,
            "incident_id": None,
            "event": event,
            "source": source,
            "summary": summary,
            "details": dict(details),
        }
        self._records.put(orjson.dumps(record, default=str))
        if self.listener is not None:
            self.listener(record)

    def close(self) -> None:
        self._records.put(None)
        self._thread.join(timeout=LOCK_WAIT_S + 2)

    def _run(self) -> None:
        open_ = True
        while open_:
            with contextlib.suppress(queue.Empty):
                record = self._records.get(timeout=RETRY_S if self._waiting else None)
                open_ = record is not None
                if record is not None:
                    self._waiting.append(record)
            self._append_waiting()

    def _append_waiting(self) -> None:
        while self._waiting:
            try:
                append_line(self._path, self._waiting[0])
            except OSError as error:
                self.error = str(error)
                self._on_failed()
                return
            self.error = None
            self._waiting.popleft()
