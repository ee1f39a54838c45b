"""Gather the status of a stack: every part's pid, address, health and release, the triages, the open incidents."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from deployments.prefect_api.approvals import waiting_approvals
from deployments.prefect_api.client import PrefectDoor, stack_door
from deployments.stack.environment import api_url
from deployments.stack.last_triage import last_triage, next_triage_at
from deployments.stack.local_http import ask
from deployments.stack.parts import WORKER
from deployments.stack.ports import GATEWAYS, HOST, MONITORING, ORDER_SERVICE, SERVER
from deployments.stack.stack_file import PartRecord, StackRecord, read_stack
from deployments.stack.state_dir import StateDir
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.mode import current_mode
from tasks.clients.process.marks import left_under
from tasks.clients.process.port_holders import stranger_in
from tasks.clients.process.processes import identify, read_pid
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.errors import RunbookError
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.rules.escalation.desk_updates import next_updates
from tasks.rules.formats.time import utc_text
from tasks.rules.in_force.restrictions import in_force_words, read_restrictions
from tasks.rules.incidents.fold import open_incidents
from tasks.settings import RunbookSettings, load_settings

# A triage runs every minute; a remediation with its proof may take longer than one, but not than this.
OVERDUE_S = 150.0


def gather_status(state: StateDir) -> dict[str, Any]:
    """Gather the status, in the shape that `runbook status --json` prints.

    Errors: none; what is not there or does not answer is null.
    """
    stack = read_stack(state.stack_file)
    parts = stack.parts if stack else {}
    with ThreadPoolExecutor() as pool:
        holders = _strangers(stack, pool)
        # Whoever else has the port is told neither our password nor anything of ours.
        door = stack_door(state, stack.ports) if stack and not holders[SERVER] else None
        server = pool.submit(door.ask, "/health") if door else None
        service = pool.submit(_service, state, stack)
        gateways = {name: pool.submit(_gateway, stack, parts.get(name), name) for name in GATEWAYS} if stack else {}
        triage = pool.submit(_triages, stack, door)
        approvals = pool.submit(waiting_approvals, door, datetime.now(UTC)) if door else None
        monitoring = _monitoring(stack, parts.get(MONITORING))
        incidents, updates, faults = _open_incidents(state, datetime.now(UTC))
        return {
            "running": any(part.alive for part in parts.values()),
            "prefect": _held(_prefect(stack, parts.get(SERVER), server.result() if server else None), holders, SERVER),
            "worker": {"pid": _pid(parts.get(WORKER))},
            "monitoring": _held(monitoring, holders, MONITORING),
            "services": {ORDER_SERVICE: _held(service.result(), holders, ORDER_SERVICE)} if stack else {},
            "gateways": {name: _held(one.result(), holders, name) for name, one in gateways.items()},
            "triage": triage.result(),
            "open_incidents": incidents,
            "next_updates": {name: utc_text(at) for name, at in updates.items()},
            "ledger_faults": faults,
            "approvals": approvals.result() if approvals else [],
            "mode": _mode(state),
            "state_dir": str(state.root),
            "left_pids": [] if stack else [one.pid for one in left_under(state.root)],
        }


def _strangers(stack: StackRecord | None, pool: ThreadPoolExecutor) -> dict[str, str | None]:
    """Name who holds a port of the stack and is none of its processes, by part."""
    if stack is None:
        return {}
    ports = {name: stack.ports[name] for name in (SERVER, MONITORING, ORDER_SERVICE, *GATEWAYS) if name in stack.ports}
    return dict(zip(ports, pool.map(lambda port: stranger_in(port, stack.mark), ports.values()), strict=True))


def _held(part: dict[str, Any], holders: Mapping[str, str | None], name: str) -> dict[str, Any]:
    """Take the answer of a stranger for no answer of the part."""
    holder = holders.get(name)
    return {**part, "health": None, "held_by": holder} if holder else part


def _triages(stack: StackRecord | None, door: PrefectDoor | None) -> dict[str, Any]:
    """Ask for the last and the next triage; where Prefect does not answer, nothing is known of either."""
    now = datetime.now(UTC)
    if stack is None:
        return triage_status(None, None, None, now)
    try:
        last, next_at = (last_triage(door), next_triage_at(door)) if door else (None, None)
    except RunbookError:
        door, last, next_at = None, None, None
    found = triage_status(stack, last, next_at, now)
    return found if door else {**found, "known": False, "overdue": False}


def triage_status(
    stack: StackRecord | None, last: dict[str, Any] | None, next_at: str | None, now: datetime
) -> dict[str, Any]:
    """Tell of the last and the next triage; overdue when none has finished for two minutes of a stack that runs."""
    ended_at = datetime.fromisoformat(last["finished_at"]) if last else None
    latest = max(filter(None, (ended_at, stack.started_at if stack else None)), default=None)
    overdue = latest is not None and (now - latest).total_seconds() > OVERDUE_S
    return {"last": last, "next_at": next_at, "overdue": overdue, "known": True}


def _prefect(stack: StackRecord | None, part: PartRecord | None, health: object) -> dict[str, Any]:
    return {
        "pid": _pid(part),
        "api_url": api_url(stack.ports) if stack else None,
        "ui_url": f"http://{HOST}:{stack.ports[SERVER]}" if stack else None,
        "health": "ok" if health is True else None,
        "database": stack.database if stack else None,
    }


def _monitoring(stack: StackRecord | None, part: PartRecord | None) -> dict[str, Any]:
    base_url = f"http://{HOST}:{stack.ports[MONITORING]}" if stack and MONITORING in stack.ports else None
    health = ask(f"{base_url}/health") if base_url else None
    status = health.get("status") if isinstance(health, dict) else None
    return {"pid": _pid(part), "base_url": base_url, "health": status}


def _service(state: StateDir, stack: StackRecord | None) -> dict[str, Any]:
    if stack is None:
        return {}
    base_url = f"http://{HOST}:{stack.ports[ORDER_SERVICE]}"
    health, routing = ask(f"{base_url}/health"), ask(f"{base_url}/routing")
    told = health if isinstance(health, dict) else {}
    held = read_restrictions(routing) if isinstance(routing, dict) else ()
    return {
        "pid": _service_pid(state, stack),
        "base_url": base_url,
        "release": told.get("release"),
        "health": told.get("status"),
        "in_force": [one.model_dump(mode="json") for one in held],
        "in_force_words": in_force_words(held) if isinstance(routing, dict) else None,
        "log_files": [str(state.service_log), str(state.log(ORDER_SERVICE))],
        "incidents_file": str(state.incidents_file),
    }


def _service_pid(state: StateDir, stack: StackRecord) -> int | None:
    # A restart by a flow leaves its pid in the pid file; the stack file knows the first one.
    named = read_pid(state.pid_file)
    if named is not None and identify(named) is not None:
        return named
    return _pid(stack.parts.get(ORDER_SERVICE))


def _gateway(stack: StackRecord, part: PartRecord | None, name: str) -> dict[str, Any]:
    base_url = f"http://{HOST}:{stack.ports[name]}"
    health = ask(f"{base_url}/health")
    status = health.get("status") if isinstance(health, dict) else None
    admin_url = f"http://{HOST}:{stack.ports[f'{name}-admin']}"
    return {"pid": _pid(part), "base_url": base_url, "admin_url": admin_url, "health": status}


def _pid(part: PartRecord | None) -> int | None:
    return part.identity.pid if part is not None and part.alive else None


def _open_incidents(state: StateDir, now: datetime) -> tuple[list[str], dict[str, datetime], list[str]]:
    """Name the open incidents of every watched service, and why a ledger cannot be read: *none* is not known then.

    Beside them: until when the desk is notified of each again.
    """
    settings = _settings(state)
    ledgers: dict[LedgerPlace, list[str]] = {}
    if settings is None:
        ledgers[LedgerPlace(path=state.incidents_file, state_dir=state.root)] = [ORDER_SERVICE]
    else:
        for service in settings.services:
            ledgers.setdefault(settings.ledger(service), []).append(service)
    found: list[str] = []
    updates: dict[str, datetime] = {}
    faults: list[str] = []
    for place, services in ledgers.items():
        try:
            ledger = read_ledger(place)
        except RunbookError as error:
            faults.append(str(error))
        else:
            for service in services:
                limits = settings.service(service).escalation if settings else EscalationLimits()
                planned = settings.service(service).planned if settings else ()
                found += [one.incident_id for one in open_incidents(ledger, service)]
                updates |= next_updates(ledger, service, limits, now, planned)
    return found, updates, faults


def _mode(state: StateDir) -> str | None:
    settings = _settings(state)
    return current_mode(settings).value if settings else None


def _settings(state: StateDir) -> RunbookSettings | None:
    own = {name: value for name, value in os.environ.items() if name == "RUNBOOK_MODE"}
    if not state.settings_file.exists():
        return None
    files = {"RUNBOOK_CONFIG": str(state.settings_file), "RUNBOOK_STATE_DIR": str(state.root)}
    try:
        return load_settings({**own, **files})
    except RunbookError:
        return None
