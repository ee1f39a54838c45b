"""Both locks of a service as one: this host's own, and the one that all hosts share on the Prefect server.

The server's is a global concurrency limit, held by a lease that expires by itself. It is beside this host's own lock,
never instead of it: where the server is away the host's lock is all there is, and no action waits for an answer of
Prefect for long. Prefect keeps no words with a lease, so who holds it, and until when, stands in a variable of the same
name.
"""

import asyncio
import contextlib
import contextvars
import re
import threading
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, SyncPrefectClient, get_client
from prefect.client.schemas.actions import (
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
    VariableCreate,
    VariableUpdate,
)
from prefect.client.schemas.responses import ConcurrencyLimitWithLeaseResponse
from prefect.exceptions import ObjectAlreadyExists, PrefectException
from prefect.settings import PREFECT_API_URL
from pydantic import AwareDatetime, ValidationError

from tasks.clients.locks import host_lock
from tasks.clients.prefect.errors import API_ERRORS
from tasks.model.remediation.remediation import Lease
from tasks.model.values import Value

# The server takes no shorter one. It is renewed several times in that time, so that one lost answer ends nothing.
LEASE_S = 60.0
RENEW_EVERY_S = 20.0
# The server looks for expired leases every 15 s; a lease that is older than this was not seen to expire at all.
SEEN_EXPIRED_WITHIN = timedelta(seconds=45)
TIMEOUT_S = 2.0
LOCKED, NOT_FOUND = 423, 404
CANNOT_SAY: tuple[type[Exception], ...] = (TimeoutError, *API_ERRORS, PrefectException, ValidationError)
NO_NOTE = "a holder that left no note"
_giving_back: set["asyncio.Future[str]"] = set()


class SharedNote(Value):
    """Who holds the lock, and until when unless it is renewed; `doubted` where nobody was seen to hold it."""

    owner: str
    until: AwareDatetime
    doubted: bool = False


class SharedLease(Value):
    """What the server said: a lease; or who holds the lock; or why the server could not be asked."""

    lease_id: UUID | None = None
    until: AwareDatetime | None = None
    holder: str = ""
    fault: str = ""


async def take_on_server(service: str, owner: str, left: UUID | None = None) -> SharedLease:
    """Take the lock at once, say who holds it, or say why nobody can say.

    Runbook: §2, before any action.
    A server that is away, slow or too old is a fault in words, within two seconds.
    Steps: what a holder that was killed on this very host had taken is given back first.
    """
    if not PREFECT_API_URL.value():
        return SharedLease(fault="no PREFECT_API_URL is set")
    asking = asyncio.ensure_future(_asked(service, owner, left))
    try:
        return await asyncio.wait_for(asyncio.shield(asking), TIMEOUT_S)
    except TimeoutError:
        asking.add_done_callback(_too_late)
        return SharedLease(fault=f"no answer of Prefect within {TIMEOUT_S:g} s")


async def give_back(lease_id: UUID) -> str:
    """Give the lock back; say why it could not be, if so: then it is free again when its lease expires."""
    try:
        async with asyncio.timeout(TIMEOUT_S), get_client() as client:
            await client.release_concurrency_slots_with_lease(lease_id)
    except CANNOT_SAY as error:
        return f"{_fault(error)}; it is free again within {LEASE_S + 15:g} s"
    return ""


class Renewal:
    """Renew a lease from a thread of its own, since an action may keep the event loop busy for longer than a lease."""

    def __init__(self, service: str, owner: str, lease_id: UUID) -> None:
        self._service, self._owner, self._lease_id = service, owner, lease_id
        self._stopped = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._renew,), daemon=True, name=f"renew {service}")
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _renew(self) -> None:
        while not self._stopped.wait(RENEW_EVERY_S):
            # A server that is away is asked again; the action goes on under the host's own lock.
            with contextlib.suppress(*CANNOT_SAY), get_client(sync_client=True) as client:
                self._renew_once(client)

    def _renew_once(self, client: SyncPrefectClient) -> None:
        client.renew_concurrency_lease(self._lease_id, LEASE_S)
        client.update_variable(VariableUpdate(name=name_of(self._service), value=_value(self._owner)))


def name_of(service: str) -> str:
    """Name the limit and its variable: what Prefect allows in a name, and no two services alike."""
    plain = re.sub(r"[^a-z0-9-]", "-", service.lower())
    return f"runbook-{plain}" if plain == service else f"runbook-{plain}-{zlib.crc32(service.encode()):08x}"


async def _asked(service: str, owner: str, left: UUID | None) -> SharedLease:
    try:
        async with get_client() as client:
            if left is not None:
                await client.release_concurrency_slots_with_lease(left)
            return await _taken(client, service, owner)
    except CANNOT_SAY as error:
        return SharedLease(fault=_fault(error))


def _fault(error: Exception) -> str:
    match error:
        case TimeoutError() | httpx.TimeoutException():
            return f"no answer of Prefect within {TIMEOUT_S:g} s"
        case httpx.HTTPStatusError():
            return f"Prefect answered with http_status={error.response.status_code}"
        case httpx.TransportError():
            return f"Prefect cannot be reached at {PREFECT_API_URL.value()}"
        case _:
            return "the answer of Prefect could not be read"


def _too_late(asking: "asyncio.Future[SharedLease]") -> None:
    """Give back what was granted after nobody waited for it any more; else it would block the next run."""
    if asking.cancelled() or asking.exception() is not None:
        return
    lease_id = asking.result().lease_id
    if lease_id is not None:
        giving = asyncio.ensure_future(give_back(lease_id))
        _giving_back.add(giving)
        giving.add_done_callback(_giving_back.discard)


async def _taken(client: PrefectClient, service: str, owner: str) -> SharedLease:
    name = name_of(service)
    try:
        lease = await _occupy(client, name)
        if not lease.limits:
            await _create(client, name)
            lease = await _occupy(client, name)
    except httpx.HTTPStatusError as error:
        if error.response.status_code == LOCKED:
            return SharedLease(holder=await _holder(client, name))
        raise
    value = _value(owner)
    await _write(client, name, value)
    return SharedLease(lease_id=lease.lease_id, until=SharedNote.model_validate(value).until)


async def _occupy(client: PrefectClient, name: str) -> ConcurrencyLimitWithLeaseResponse:
    answer = await client.increment_concurrency_slots_with_lease([name], 1, "concurrency", LEASE_S)
    return ConcurrencyLimitWithLeaseResponse.model_validate(answer.json())


async def _create(client: PrefectClient, name: str) -> None:
    with contextlib.suppress(ObjectAlreadyExists):
        await client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))


async def _holder(client: PrefectClient, name: str) -> str:
    """Say who holds the lock; see to it that a lock which nobody holds any more is free for the next run.

    Steps: a server that was restarted may have forgotten a lease and still count it. A note that ran out is doubted
    first, for the length of a lease, in which whoever does hold the lock writes a new one; only a doubted note that
    ran out as well frees the lock, and never for the run that frees it.
    """
    note, now = await _read(client, name), datetime.now(UTC)
    if note is not None and now < note.until + SEEN_EXPIRED_WITHIN:
        return f"{note.owner}, its lease until {note.until:%H:%M:%S}Z"
    if note is None or not note.doubted:
        owner = note.owner if note else NO_NOTE
        await _write(client, name, _value(owner, doubted=True))
        return f"{owner}, whose lease ran out and is still counted; it is freed if nobody renews it"
    await client.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(active_slots=0))
    return f"{note.owner}, whose lease ran out; the lock is freed for the next run"


async def _read(client: PrefectClient, name: str) -> SharedNote | None:
    variable = await client.read_variable_by_name(name)
    try:
        return SharedNote.model_validate(variable.value) if variable else None
    except ValidationError:
        return None


async def _write(client: PrefectClient, name: str, value: dict[str, object]) -> None:
    try:
        await client.update_variable(VariableUpdate(name=name, value=value))
    except httpx.HTTPStatusError as error:
        if error.response.status_code != NOT_FOUND:
            raise
        with contextlib.suppress(ObjectAlreadyExists):
            await client.create_variable(VariableCreate(name=name, value=value))


def _value(owner: str, *, doubted: bool = False) -> dict[str, object]:
    until = datetime.now(UTC) + timedelta(seconds=LEASE_S)
    return SharedNote(owner=owner, until=until, doubted=doubted).model_dump(mode="json")


_renewals: dict[tuple[Path, str], tuple[UUID, Renewal]] = {}


async def leased(state_dir: Path, service: str, owner: str) -> Lease:
    """Take both locks at once, or neither; where the server cannot be asked, this host's alone, with the reason.

    Runbook: §2, before any action (safety rule 3).
    A held lock is skipped, never queued for.
    """
    try:
        host = host_lock.take(state_dir, service, owner, datetime.now(UTC))
    except OSError as error:
        return Lease(service=service, taken=False, holder=f"nobody: its file cannot be written, {error.strerror}")
    if not host.taken:
        return host
    shared = await take_on_server(service, owner, host.left_lease_id)
    if shared.lease_id is None and shared.holder:
        host_lock.release(state_dir, host)
        return Lease(service=service, taken=False, holder=shared.holder)
    if shared.lease_id is None or shared.until is None:
        return host.model_copy(update={"alone": shared.fault})
    host_lock.note_shared(state_dir, service, shared.lease_id, shared.until)
    _renewals[state_dir, service] = (shared.lease_id, Renewal(service, owner, shared.lease_id))
    return host


async def released(state_dir: Path, lease: Lease) -> str:
    """Give both locks back; say why the shared one could not be, if so."""
    lease_id, renewal = _renewals.pop((state_dir, lease.service), (None, None)) if lease.taken else (None, None)
    if renewal is not None:
        renewal.stop()
    try:
        return await give_back(lease_id) if lease_id is not None else ""
    finally:
        host_lock.release(state_dir, lease)
