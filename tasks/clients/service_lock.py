"""One lock a service, for all actions and every door (safety rule 3). It is skipped when held, never queued for."""

from pathlib import Path

from filelock import FileLock, Timeout

from tasks.model.remediation import Lease

# The operating system lets go of a lock when its holder dies, so that a killed run never blocks the next one.
_held: dict[str, FileLock] = {}


def take(state_dir: Path, service: str, owner: str) -> Lease:
    """Take the lock of a service at once, or say who holds it."""
    folder = state_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / f"{service}.owner"
    lock = FileLock(folder / f"{service}.lock", timeout=0, thread_local=False)
    if service in _held:
        return Lease(service=service, taken=False, holder=_read(note))
    try:
        lock.acquire()
    except Timeout:
        return Lease(service=service, taken=False, holder=_read(note))
    _held[service] = lock
    note.write_text(owner, "utf-8")
    return Lease(service=service, taken=True, holder=owner)


def release(lease: Lease) -> None:
    """Give the lock back; a lease that was not taken is nothing to give back."""
    lock = _held.pop(lease.service, None) if lease.taken else None
    if lock is not None:
        lock.release()


def _read(note: Path) -> str:
    try:
        return note.read_text("utf-8")[:200]
    except OSError:
        return "unknown"
