"""Prove who answers at the service's address before it is sent the control token (safety rule 16).

Only what is provably a stranger is refused: where nobody can say, a person's pause must not be prevented.
"""

import asyncio

from tasks.clients.process.probe import find_process
from tasks.clients.service.http import Call, exchange, http_client
from tasks.model.probes.probes import Exchange, Fault
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.model.service.health_settings import HealthSettings
from tasks.rules.formats.json_values import parse_object
from tasks.rules.service.expression import NOT_JSON, document_of
from tasks.settings import ServiceSettings

# A service answers this in milliseconds; one that hangs is not waited for. Units: seconds.
ASKED_FOR_S = 1.0
SERVER_ERROR = 500


async def stranger_on_port(service: ServiceSettings) -> str:
    """Say why the process that listens at the service's address is surely not the service; empty where it may be.

    Errors: none.
    """
    found = await asyncio.to_thread(find_process, service)
    return _holder(found) if isinstance(found, ProcessCheck) else ""


async def stranger_at(service: ServiceSettings) -> str:
    """Say why whoever answers at the service's address is surely not the service; empty where it is, or may be.

    Errors: none.
    Steps: 1. the process that listens there is ours, or provably another's 2. where no process can be seen, the answer
    to `GET /health` has the shape of the contract, or provably another one; silence proves nothing.
    """
    found = await asyncio.to_thread(find_process, service)
    if not isinstance(found, ProcessCheck):
        return ""
    call = Call(method="GET", url=service.endpoint(service.health.path), deadline_s=ASKED_FOR_S)
    async with http_client(service.http, min(ASKED_FOR_S, service.look.connect_timeout_s)) as client:
        return _holder(found) or _of_another(await exchange(client, call), service.health)


def _holder(found: ProcessCheck) -> str:
    if found.state not in {ProcessState.DEAD, ProcessState.NOT_OURS} or found.port_owner_pid is None:
        return ""
    return f"the port is held by pid={found.port_owner_pid} name={found.port_owner_name}; {found.detail}"


def _of_another(answered: Exchange, described: HealthSettings) -> str:
    """Say why a health answer is not the service's: a broken one may say anything, and a hung one nothing."""
    status = answered.http_status
    if answered.fault is not Fault.NONE or status is None or status >= SERVER_ERROR:
        return ""
    if parse_object(answered.body) is not None or _may_say_so(answered, described):
        return ""
    return f"GET {described.path} was answered with http_status={status} and no JSON object, as no order service does"


def _may_say_so(answered: Exchange, described: HealthSettings) -> bool:
    """Say whether a service of another make may answer without a JSON object: in text, a list, or a refusal in HTML."""
    if described == HealthSettings():
        return False
    is_good = answered.http_status in described.status_codes
    return not is_good or described.body_matches is not None or document_of(answered.body) is not NOT_JSON
