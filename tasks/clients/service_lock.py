"""One lock a service, for all actions and every door (safety rule 3). It is skipped when held, never queued for."""

from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from tasks.clients.processes import identify, is_running, own_pid
from tasks.model.processes import ProcessIdentity
from tasks.model.remediation import Lease
from tasks.model.values import Value

# The operating system lets go of a lock when its holder dies, so that a killed run never blocks the next one.
_held: dict[str, FileLock] = {}


class Holder(Value):
    """Who holds a lock: words for people, and the process, which may have died since."""

    owner: str
    process: ProcessIdentity


def take(state_dir: Path, service: str, owner: str) -> Lease:
    """Take the lock of a service at once, or say who holds it."""
    note = _note(state_dir, service)
    note.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(note.with_suffix(".lock"), timeout=0, thread_local=False)
    if service in _held:
        return Lease(service=service, taken=False, holder=holder_of(state_dir, service) or "this process")
    try:
        lock.acquire()
    except Timeout:
        return Lease(service=service, taken=False, holder=holder_of(state_dir, service) or "unknown")
    _held[service] = lock
    process = identify(own_pid())
    if process is not None:
        note.write_text(Holder(owner=owner, process=process).model_dump_json(), "utf-8")
    return Lease(service=service, taken=True, holder=owner)


def release(state_dir: Path, lease: Lease) -> None:
    """Give the lock back; a lease that was not taken is nothing to give back."""
    lock = _held.pop(lease.service, None) if lease.taken else None
    if lock is not None:
        _note(state_dir, lease.service).unlink(missing_ok=True)
        lock.release()


def holder_of(state_dir: Path, service: str) -> str | None:
    """Say who acts on a service now, or None; a holder that died holds nothing."""
    try:
        holder = Holder.model_validate_json(_note(state_dir, service).read_bytes())
    except (OSError, ValidationError):
        return None
    return holder.owner if is_running(holder.process) else None


def _note(state_dir: Path, service: str) -> Path:
    return state_dir / "locks" / f"{service}.holder"
