"""Bring the whole stack up, everything at once. One machine, every part a process of its own."""

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from deployments.prefect_api.client import stack_door
from deployments.stack.forked import CAN_FORK
from deployments.stack.local_http import ask
from deployments.stack.parts import (
    BUTTONS,
    WORKER,
    Part,
    buttons_part,
    gateway_parts,
    has_button,
    monitoring_part,
    release_parts,
    server_part,
    trigger_first_triage,
    worker_part,
)
from deployments.stack.ports import GATEWAYS, HOST, MONITORING, ORDER_SERVICE, SERVER
from deployments.stack.stack_file import PartRecord
from deployments.stack.starting import Starting
from deployments.stack.state_dir import StateDir
from tasks.clients.locks import host_lock
from tasks.clients.process.marks import STACK_MARK, marked
from tasks.clients.process.probe import service_identity
from tasks.clients.process.supervisors.psutil_ import start_service
from tasks.model.errors import CannotAct, Code, RunbookError
from tasks.model.probes.processes import ProcessIdentity
from tasks.settings import ServiceSettings, load_settings

PART_NAMES = (SERVER, WORKER, *GATEWAYS, ORDER_SERVICE, MONITORING)
UI = "Prefect UI"
INTERRUPT_CHECK_S = 0.2
# What is reported of a part: its name, and `starting` or `up`.
Report = Callable[[str, str], None]


def expected_parts() -> frozenset[str]:
    """Name the parts that this stack should have: all, and the one that hears Slack's button where one is set."""
    return frozenset({*PART_NAMES, *([BUTTONS] if has_button() else [])})


def order_service_settings(state: StateDir) -> ServiceSettings:
    """Read how the order service is started, from the file that the flows read which restart it."""
    variables = {"RUNBOOK_CONFIG": str(state.settings_file), "RUNBOOK_STATE_DIR": str(state.root)}
    return load_settings(variables).service(ORDER_SERVICE)


def order_service_is_alive(state: StateDir, mark: str) -> bool:
    """Say whether this stack's order service runs, also when a flow has restarted it since."""
    try:
        found = service_identity(order_service_settings(state))
    except RunbookError:
        return False
    return found is not None and found.pid in {one.pid for one in marked(STACK_MARK, mark)}


def start_parts(state: StateDir, starting: Starting, missing: frozenset[str], report: Report) -> None:
    """Start what is missing, all at once; only the order service waits, for its release and its gateways.

    Errors: `START_FAILED` or `NOT_READY` of the first part that does not come up. What was started then still runs.
    """
    ports = starting.stack.ports

    def launch(part: Part) -> None:
        report(part.name, "starting")
        starting.launch(part)
        report(part.name, "up")

    def launch_gateways() -> None:
        parts = [part for part in gateway_parts(state, ports) if part.name in missing]
        if not CAN_FORK or len(parts) < 2:
            for part in parts:
                launch(part)
            return
        for part in parts:
            report(part.name, "starting")
        starting.launch_forked(parts, lambda part: report(part.name, "up"))

    with ThreadPoolExecutor(len(PART_NAMES) + 1) as pool:
        prefect = [
            pool.submit(launch, part)
            for part in (server_part(state, ports), worker_part(state, ports))
            if part.name in missing
        ]
        beside = [(MONITORING, monitoring_part), (BUTTONS, buttons_part)]
        beside_them = [pool.submit(launch, part(state, ports)) for name, part in beside if name in missing]
        gateways = pool.submit(launch_gateways)
        service = (
            [pool.submit(start_order_service, state, starting, gateways, report)] if ORDER_SERVICE in missing else []
        )
        _wait_for([*prefect, *beside_them, gateways, *service], starting)
    if prefect and not trigger_first_triage(stack_door(state, ports)):
        raise CannotAct(Code.PREFECT_UNREACHABLE, "expected a first triage was not created; see `runbook status`")


def start_order_service(state: StateDir, starting: Starting, gateways: "Future[None]", report: Report) -> None:
    """Build the first release where there is none, then start what is current under the flows' own supervisor."""
    report(ORDER_SERVICE, "starting")
    for part in release_parts(state):
        starting.run(part)
    gateways.result()
    settings = order_service_settings(state)
    lease = host_lock.take(state.root, ORDER_SERVICE, "runbook up")
    if not lease.taken:
        # A triage is at it (safety rule 3: one lock for every door).
        report(ORDER_SERVICE, f"left to {lease.holder}, which acts on it")
        return
    try:
        identity = _start(settings, starting)
    finally:
        host_lock.release(state.root, lease)
    log = state.log(ORDER_SERVICE)
    starting.record(PartRecord(name=ORDER_SERVICE, identity=identity, base_url=settings.url, log=log))
    report(ORDER_SERVICE, "up")


def _start(settings: ServiceSettings, starting: Starting) -> ProcessIdentity:
    try:
        return start_service(settings, starting.or_stop(lambda: _serves(settings)))
    except CannotAct as error:
        raise CannotAct(error.code, f"part={ORDER_SERVICE} {error.detail} log={settings.start_log}") from None


def _serves(service: ServiceSettings) -> bool:
    health = ask(f"{service.url}/health")
    return isinstance(health, dict) and health.get("status") in {"ok", "degraded"}


def _wait_for(started: "list[Future[None]]", starting: Starting) -> None:
    try:
        waiting = set(started)
        while waiting:
            # A short wait, so that Ctrl-C is heard on every platform.
            done, waiting = wait(waiting, timeout=INTERRUPT_CHECK_S, return_when=FIRST_EXCEPTION)
            for one in done:
                one.result()
    except BaseException:
        starting.stop()
        raise


def addresses(ports: dict[str, int]) -> dict[str, str]:
    """Name every address that a person may open."""
    parts = (ORDER_SERVICE, *GATEWAYS, MONITORING)
    return {UI: f"http://{HOST}:{ports[SERVER]}", **{part: f"http://{HOST}:{ports[part]}" for part in parts}}
