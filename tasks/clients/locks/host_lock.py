"""One lock a service, for all actions and every door (safety rule 3). It is skipped when held, never queued for.

This is the lock of one host: the operating system's, so that a killed holder never blocks the next one. Beside it lies
a note of who holds it, for people, and of what that holder also took on the Prefect server.
"""

from contextlib import suppress
from pathlib import Path
from uuid import UUID

from filelock import FileLock, Timeout
from pydantic import AwareDatetime, ValidationError

from tasks.clients.files.atomic import private_folder, write_whole
from tasks.clients.files.file_lock import LOCK_MODE
from tasks.clients.files.regular_file import read_regular
from tasks.clients.process.processes import identify, is_running, own_pid
from tasks.model.errors import CannotAct
from tasks.model.probes.processes import ProcessIdentity
from tasks.model.remediation.remediation import Lease
from tasks.model.values import Value

NOTE_LIMIT_BYTES = 65_536
# The operating system lets go of a lock when its holder dies, so that a killed run never blocks the next one.
_held: dict[tuple[Path, str], FileLock] = {}


class Holder(Value):
    """Who holds a lock: words for people, and the process, which may have died since.

    `lease_id` is what it took on the Prefect server, which is free again by itself at `until`.
    """

    owner: str
    process: ProcessIdentity
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    lease_id: UUID | None = None


def take(state_dir: Path, service: str, owner: str, now: AwareDatetime | None = None) -> Lease:
    """Take the lock of a service at once, or say who holds it."""
    note = _note(state_dir, service)
    private_folder(note.parent)
    lock = FileLock(note.with_suffix(".lock"), timeout=0, mode=LOCK_MODE, thread_local=False)
    if (state_dir, service) in _held:
        return _refused(state_dir, service, "this process")
    try:
        lock.acquire()
    except Timeout:
        return _refused(state_dir, service, "unknown")
    _held[state_dir, service] = lock
    left = _read(note)
    process = identify(own_pid())
    if process is not None:
        _write(note, Holder(owner=owner, process=process, since=now))
    return Lease(service=service, taken=True, holder=owner, left_lease_id=left.lease_id if left else None)


def release(state_dir: Path, lease: Lease) -> None:
    """Give the lock back; a lease that was not taken is nothing to give back."""
    lock = _held.pop((state_dir, lease.service), None) if lease.taken else None
    if lock is not None:
        with suppress(OSError):
            _note(state_dir, lease.service).unlink(missing_ok=True)
        lock.release()


def note_shared(state_dir: Path, service: str, lease_id: UUID, until: AwareDatetime) -> None:
    """Note what was also taken on the Prefect server, so that whoever follows a killed holder can give it back."""
    note = _note(state_dir, service)
    holder = _read(note) if (state_dir, service) in _held else None
    if holder is not None:
        _write(note, holder.model_copy(update={"lease_id": lease_id, "until": until}))


def holder_of(state_dir: Path, service: str) -> str | None:
    """Say who acts on a service now, or None; a holder that died holds nothing."""
    holder = _read(_note(state_dir, service))
    return _words(holder) if holder is not None and is_running(holder.process) else None


def _refused(state_dir: Path, service: str, unknown: str) -> Lease:
    return Lease(service=service, taken=False, holder=holder_of(state_dir, service) or unknown)


def _words(holder: Holder) -> str:
    since = f" since {holder.since:%H:%M:%S}Z" if holder.since else ""
    until = f", its lease on the Prefect server until {holder.until:%H:%M:%S}Z" if holder.until else ""
    return f"{holder.owner}{since}; it ends with its process{until}"


def _read(note: Path) -> Holder | None:
    try:
        return Holder.model_validate_json(read_regular(note, NOTE_LIMIT_BYTES))
    except (OSError, ValidationError):
        return None


def _write(note: Path, holder: Holder) -> None:
    # Whole or not at all: a note that is half written names nobody, and its lease is given back by nobody. The lock
    # is held without it, too: on a full disk a service is started all the same.
    with suppress(CannotAct):
        write_whole(note, holder.model_dump_json().encode(), durable=False)


def _note(state_dir: Path, service: str) -> Path:
    return state_dir / "locks" / f"{service}.holder"
