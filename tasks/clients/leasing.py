"""Both locks of a service as one: this host's own, and the one that all hosts share on the Prefect server."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from tasks.clients import service_lock, shared_lock
from tasks.clients.shared_lock import Renewal
from tasks.model.remediation import Lease

_renewals: dict[tuple[Path, str], tuple[UUID, Renewal]] = {}


async def leased(state_dir: Path, service: str, owner: str) -> Lease:
    """Take both locks at once, or neither; where the server cannot be asked, this host's alone, with the reason.

    Runbook: §2, before any action (safety rule 3).
    Errors: none; a held lock is skipped, never queued for.
    """
    try:
        host = service_lock.take(state_dir, service, owner, datetime.now(UTC))
    except OSError as error:
        return Lease(service=service, taken=False, holder=f"nobody: its file cannot be written, {error.strerror}")
    if not host.taken:
        return host
    shared = await shared_lock.take(service, owner, host.left_lease_id)
    if shared.lease_id is None and shared.holder:
        service_lock.release(state_dir, host)
        return Lease(service=service, taken=False, holder=shared.holder)
    if shared.lease_id is None or shared.until is None:
        return host.model_copy(update={"alone": shared.fault})
    service_lock.note_shared(state_dir, service, shared.lease_id, shared.until)
    _renewals[state_dir, service] = (shared.lease_id, Renewal(service, owner, shared.lease_id))
    return host


async def released(state_dir: Path, lease: Lease) -> str:
    """Give both locks back; say why the shared one could not be, if so."""
    lease_id, renewal = _renewals.pop((state_dir, lease.service), (None, None)) if lease.taken else (None, None)
    if renewal is not None:
        renewal.stop()
    try:
        return await shared_lock.give_back(lease_id) if lease_id is not None else ""
    finally:
        service_lock.release(state_dir, lease)
