"""`notifications.jsonl` under the state directory: every message, to whom it went, how, and whether it arrived.

It works with no account and no network, and where nothing else is set it is the channel.
"""

import logging
from datetime import datetime
from pathlib import Path

import orjson
from pydantic import ValidationError

from tasks.clients.files.file_lock import file_locked
from tasks.clients.files.jsonl import LOCK_TIMEOUT_S, write_lines
from tasks.clients.files.regular_file import read_tail
from tasks.model.errors import Code, NotDelivered
from tasks.model.messages.messages import Delivery, Message

LOCAL = "local"
# Where a message went that was no longer true: nowhere.
SUPERSEDED = "superseded"
# A line that was written just before a crash lies near the end.
LOOK_BACK_BYTES = 1_048_576
# What is older than this was told weeks ago.
READ_LIMIT_BYTES = 64 * 1_048_576
LOGGER = logging.getLogger("runbook.notifications")


class LocalSink:
    """The file that holds every message."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, message: Message, channel: str, now: datetime, *, delivered: bool) -> None:
        """Append one line, unless it stands there already; it is on disk before this returns.

        Errors: `SINK_UNWRITABLE`.
        """
        told = message.model_dump(exclude={"files", "as_of", "until", "also"})
        delivery = Delivery(timestamp=now, channel=channel, delivered=delivered, **told)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with file_locked(self._path, LOCK_TIMEOUT_S):
                if self._holds(delivery):
                    return
                write_lines(
                    self._path, orjson.dumps(delivery.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE)
                )
        except OSError as error:
            reason = f"expected to append was {error.strerror} path={self._path}; free the disk or fix the permissions"
            raise NotDelivered(Code.SINK_UNWRITABLE, reason, retryable=True) from None
        LOGGER.warning("to %s by %s: %s", message.audience, channel, message.text)

    def delivered(self, key: str) -> bool:
        """Say whether a message stands here as delivered; what is older than the check back is not found."""
        return any(one.key == key and one.delivered for one in self._last())

    def _holds(self, delivery: Delivery) -> bool:
        return any(_same(one) == _same(delivery) for one in self._last())

    def _last(self) -> tuple[Delivery, ...]:
        try:
            return _deliveries(read_tail(self._path, LOOK_BACK_BYTES)[0])
        except OSError:
            return ()


def _same(delivery: Delivery) -> tuple[str, bool, bool]:
    return delivery.key, delivery.delivered, delivery.channel == SUPERSEDED


def read_deliveries(path: Path) -> tuple[Delivery, ...]:
    """Read the messages that were kept, of a very large file the last; lines that are none are left out."""
    try:
        return _deliveries(read_tail(path, READ_LIMIT_BYTES)[0])
    except OSError:
        return ()


def _deliveries(lines: bytes) -> tuple[Delivery, ...]:
    return tuple(found for line in lines.splitlines() if (found := _delivery(line)) is not None)


def _delivery(line: bytes) -> Delivery | None:
    try:
        return Delivery.model_validate_json(line)
    except ValidationError:
        return None
