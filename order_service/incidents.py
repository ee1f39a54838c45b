"""The shared incident ledger, from this side: facts the service saw, appended by a thread so that no order waits."""

import contextlib
import errno
import logging
import os
import queue
import stat
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import orjson
from filelock import FileLock, Timeout

from order_service.clock import rfc3339, utc_now

log = logging.getLogger(__name__)

LOCK_WAIT_S = 5.0
# Whoever may open a lock file may hold it: only its owner may.
LOCK_MODE = 0o600
OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
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
        """Write what is left and stop."""
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
            except (OSError, Timeout) as error:
                self.error = str(error)
                self._on_failed()
                return
            self.error = None
            self._waiting.popleft()


def append_line(path: Path, line: bytes) -> None:
    """Append one line to a ledger that others write too, and move aside under the same lock: it is opened each time.

    A line that a crash tore is closed first, so that it costs itself alone.
    Errors: OSError, filelock.Timeout; what was written of the line is then taken back, so that it can be tried again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=LOCK_WAIT_S, mode=LOCK_MODE):
        handle = os.open(path, OPEN_FLAGS, 0o644)
        try:
            _write(handle, line + b"\n")
        finally:
            os.close(handle)


def _write(handle: int, line: bytes) -> None:
    found = os.fstat(handle)
    # What goes into a pipe is gone when its reader is.
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    whole = _closing_newline(handle, found.st_size) + line
    try:
        written_bytes = os.write(handle, whole)
        os.fsync(handle)
    except OSError:
        _take_back(handle, found.st_size)
        raise
    if written_bytes != len(whole):
        _take_back(handle, found.st_size)
        raise OSError(errno.ENOSPC, "short write")


def _closing_newline(handle: int, size: int) -> bytes:
    if size == 0:
        return b""
    os.lseek(handle, size - 1, os.SEEK_SET)
    return b"" if os.read(handle, 1) == b"\n" else b"\n"


def _take_back(handle: int, size: int) -> None:
    with contextlib.suppress(OSError):
        os.ftruncate(handle, size)
