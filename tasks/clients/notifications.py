"""Where messages go. A channel takes one message or raises; the local sink is the channel that is always there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import orjson
from filelock import FileLock
from pydantic import ValidationError

from tasks.clients.jsonl import append_line
from tasks.model.errors import Code, NotDelivered
from tasks.model.messages import Delivery, Message

# A channel may take a few seconds; waiting longer would delay healing.
TELLING_TIMEOUT_S = 5.0
LOGGER = logging.getLogger("runbook.notifications")


class Channel(Protocol):
    """One way to reach people."""

    name: str

    def send(self, message: Message) -> None:
        """Hand the message over.

        Errors: `NotDelivered`; `retryable` says whether trying again can help.
        """


class LocalSink:
    """`notifications.jsonl` under the state directory, and the log: works with no account and no network."""

    name = "local"

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message) -> None:
        """Append the message as delivered; it stands on disk before this returns."""
        delivery = Delivery(timestamp=datetime.now(UTC), channel=self.name, delivered=True, **message.model_dump())
        try:
            append_line(self._path, orjson.dumps(delivery.model_dump(mode="json")))
        except OSError as error:
            reason = f"expected to append was {error.strerror} path={self._path}; free the disk or mend permissions"
            raise NotDelivered(Code.SINK_UNWRITABLE, reason, retryable=True) from None
        LOGGER.warning("to %s: %s", message.audience, message.text)


@contextmanager
def one_teller(state_dir: Path, service: str) -> Iterator[None]:
    """Let one run at a time tell of a service, so that two triages at once do not both tell the desk.

    Errors: none; telling twice is better than not telling, so a lock that is held for too long is passed by.
    """
    lock = FileLock(state_dir / "locks" / f"{service}.telling", timeout=TELLING_TIMEOUT_S)
    try:
        (state_dir / "locks").mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError:
        LOGGER.warning("somebody else tells of %s for too long; telling anyway", service)
    try:
        yield
    finally:
        lock.release()


def read_deliveries(path: Path) -> tuple[Delivery, ...]:
    """Read every message that was kept; lines that are none are left out, a missing file holds none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return ()
    return tuple(found for line in lines if (found := _delivery(line)) is not None)


def _delivery(line: bytes) -> Delivery | None:
    try:
        return Delivery.model_validate_json(line)
    except ValidationError:
        return None
