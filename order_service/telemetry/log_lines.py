"""JSON-line logs, written by a thread of their own. A full log disk loses lines, counts them, and stops nothing."""

import logging
import logging.handlers
import queue
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from order_service.runtime.clock import rfc3339
from order_service.runtime.settings import Settings

QUEUED_LINES = 20_000


class JsonLine(logging.Formatter):
    """Write a record as one JSON line, the traceback in a field of its own."""

    def __init__(self, service: str, release: str) -> None:
        super().__init__()
        self._service = service
        self._release = release

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "timestamp": rfc3339(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "service": self._service,
            "release": self._release,
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = type(record.exc_info[1]).__name__
            line["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
        return orjson.dumps(line, default=str).decode()


class _OnlyQueue(logging.handlers.QueueHandler):
    """Hand the record over as it is and never wait; formatting is the listener's work."""

    def __init__(self, lines: "queue.Queue[logging.LogRecord]", on_lost: Callable[[str], None]) -> None:
        super().__init__(lines)
        self._on_lost = on_lost

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._on_lost("the log queue is full")


class _Rotating(logging.handlers.RotatingFileHandler):
    """Rotate by size; report when a line could not be written."""

    on_lost: Callable[[str], None]
    on_written: Callable[[], None]

    def emit(self, record: logging.LogRecord) -> None:
        self._failed = False
        super().emit(record)
        if not self._failed:
            self.on_written()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own name
        self._failed = True
        self.on_lost(str(sys.exc_info()[1]))
        self._reopen()

    def _reopen(self) -> None:
        """Drop the stream with its half-written buffer; the next line opens the file again."""
        stream, self.stream = self.stream, None
        try:
            if stream is not None:
                stream.close()
        except OSError as error:
            self.on_lost(str(error))


class LogLines:
    def __init__(self, settings: Settings, on_lost: Callable[[], None]) -> None:
        self.error: str | None = None
        self._on_lost = on_lost
        lines: queue.Queue[logging.LogRecord] = queue.Queue(QUEUED_LINES)
        self._listener = logging.handlers.QueueListener(lines, self._file(settings))
        self._entrance = _OnlyQueue(lines, self._lost)
        root = logging.getLogger()
        root.addHandler(self._entrance)
        root.setLevel(settings.log_level)
        for noisy in ("uvicorn.access", "asyncio", "filelock"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self._listener.start()

    def stop(self) -> None:
        logging.getLogger().removeHandler(self._entrance)
        self._listener.stop()
        for handler in self._listener.handlers:
            handler.close()

    def _file(self, settings: Settings) -> logging.Handler:
        path = settings.log_path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._lost(str(error))
        handler = _Rotating(
            path, maxBytes=settings.log_max_bytes, backupCount=settings.log_backup_count, encoding="utf-8", delay=True
        )
        handler.on_lost = self._lost
        handler.on_written = self._written
        handler.setFormatter(JsonLine(settings.name, settings.release))
        return handler

    def _lost(self, reason: str) -> None:
        self.error = reason
        self._on_lost()

    def _written(self) -> None:
        self.error = None
