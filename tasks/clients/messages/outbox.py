"""The queue on disk: a message is here before it is sent and until all is done, one file each, written whole."""

import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError

from tasks.clients.files.atomic import READ_LIMIT_BYTES, open_private, private_folder
from tasks.clients.files.file_lock import LOCK_MODE
from tasks.clients.files.regular_file import read_regular
from tasks.model.messages.delivery import Blocked, Queued, Thread
from tasks.model.messages.messages import Message
from tasks.model.values import Value
from tasks.settings import RunbookSettings

FOLDER = "outbox"
MESSAGES, THREADS = "messages", "threads"
ENDING = ".json"
LOGGER = logging.getLogger("runbook.outbox")
Kept = TypeVar("Kept", bound=Value)


class Outbox:
    """What is on its way to people, and the threads that it goes into.

    A disk that cannot be written stops no message: what could not be kept is held in memory, and is looked for in
    Slack before it is sent, as after a crash.
    """

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / FOLDER
        self._held: dict[str, Queued] = {}
        self._held_threads: dict[Path, Thread] = {}

    def put(self, service: str, message: Message, now: datetime, instead_of: str = "") -> Queued:
        """Queue a message, unless one of its key is there already; it is on disk when this returns."""
        entry = Queued(service=service, message=message, queued_at=now, instead_of=instead_of)
        try:
            _write(self._entry_path(message.key), entry, new=True)
        except FileExistsError:
            there = self.find(message.key)
            if there is None:
                # A file that cannot be read holds no message any more, and must not keep this one from being sent.
                self.save(entry)
            return there or entry
        except OSError as error:
            LOGGER.warning("cannot queue on disk, sending all the same: %s", error.strerror)
            self._held[message.key] = entry
        return entry

    def find(self, key: str) -> Queued | None:
        """Find a message that is on its way."""
        return self._held.get(key) or _read(self._entry_path(key), Queued)

    def save(self, entry: Queued) -> bool:
        """Keep how far a message has come; say whether it is on disk, and so would outlive this process."""
        try:
            _write(self._entry_path(entry.message.key), entry)
        except OSError as error:
            LOGGER.warning("cannot keep the queue on disk: %s", error.strerror)
            self._held[entry.message.key] = entry
            return False
        self._held.pop(entry.message.key, None)
        return True

    def remove(self, entry: Queued) -> None:
        """Let a message go: it was delivered and recorded."""
        self._held.pop(entry.message.key, None)
        with contextlib.suppress(OSError):
            self._entry_path(entry.message.key).unlink(missing_ok=True)

    def waiting(self) -> tuple[Queued, ...]:
        """Read every message that is on its way, in the order of what they say; a damaged file is left where it is."""
        found = {entry.message.key: entry for path in _files(self._folder / MESSAGES) if (entry := _read(path, Queued))}
        return tuple(
            sorted({**found, **self._held}.values(), key=lambda one: (one.said_at, one.queued_at, one.message.key))
        )

    def thread(self, service: str, incident_id: str, place: str) -> Thread:
        """Find the thread of an incident in a channel, or say that there is none yet."""
        new = Thread(service=service, incident_id=incident_id, place=place)
        path = self._thread_path(new)
        return self._held_threads.get(path) or _read(path, Thread) or new

    def threads(self) -> tuple[Thread, ...]:
        paths = {*_files(self._folder / THREADS), *self._held_threads}
        return tuple(one for path in sorted(paths) if (one := self._held_threads.get(path) or _read(path, Thread)))

    def save_thread(self, thread: Thread) -> bool:
        """Keep where a thread is and what its head says; say whether it is on disk."""
        path = self._thread_path(thread)
        try:
            _write(path, thread)
        except OSError:
            self._held_threads[path] = thread
            return False
        self._held_threads.pop(path, None)
        return True

    def remove_thread(self, thread: Thread) -> None:
        """Forget a thread that nothing more will be said in."""
        self._held_threads.pop(self._thread_path(thread), None)
        with contextlib.suppress(OSError):
            self._thread_path(thread).unlink(missing_ok=True)

    def blocked(self) -> dict[str, datetime]:
        """Read which routes are left alone, and until when."""
        kept = _read(self._folder / f"blocked{ENDING}", Blocked)
        return dict(kept.until) if kept else {}

    def save_blocked(self, until: dict[str, datetime]) -> None:
        """Keep which routes are left alone, so that the next run honours it."""
        with contextlib.suppress(OSError):
            _write(self._folder / f"blocked{ENDING}", Blocked(until=until))

    def pending_count(self) -> int:
        """Count what the next run has to do here: messages, and heads that do not say the end yet."""
        unsaid = sum(bool(one.head.ts) and not one.final for one in self.threads())
        return len(_files(self._folder / MESSAGES)) + unsaid

    @contextlib.contextmanager
    def only_sender(self, patience_s: float) -> Iterator[bool]:
        """Let one process at a time send; say whether it is us. A dead process holds no lock."""
        lock = FileLock(self._folder / "sender.lock", mode=LOCK_MODE)
        taken = False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=patience_s)
            taken = True
        except Timeout:
            LOGGER.info("somebody else sends")
        except OSError:
            # Without a folder there is nobody else's queue either, and what is held in memory must go out.
            taken = True
        try:
            yield taken
        finally:
            lock.release()

    def _entry_path(self, key: str) -> Path:
        return self._folder / MESSAGES / f"{_digest(key)}{ENDING}"

    def _thread_path(self, thread: Thread) -> Path:
        return self._folder / THREADS / f"{_digest(f'{thread.service}/{thread.incident_id}/{thread.place}')}{ENDING}"


def waiting_count(settings: RunbookSettings) -> int:
    """Count the messages that have not reached their audience yet, or are not recorded yet."""
    return len(_files(settings.state_dir / FOLDER / MESSAGES))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:32]


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob(f"*{ENDING}"))
    except OSError:
        return []


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    try:
        return kind.model_validate_json(read_regular(path, READ_LIMIT_BYTES))
    except (OSError, ValidationError):
        return None


def _write(path: Path, value: Value, *, new: bool = False) -> None:
    private_folder(path.parent)
    staged = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with open_private(staged, "wb") as file:
            file.write(value.model_dump_json().encode("utf-8", errors="replace"))
            file.flush()
            os.fsync(file.fileno())
        if new:
            _link(staged, path)
        else:
            staged.replace(path)
        _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)


def _link(staged: Path, path: Path) -> None:
    """Put a file where none is: one that another process put there, and is sending from, is not overwritten."""
    try:
        os.link(staged, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links.
        if path.exists():
            raise FileExistsError(path) from None
        staged.replace(path)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
