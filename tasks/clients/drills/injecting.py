"""Break one thing of the local stack by a signal, a fault switch, a file; each step first makes sure whose it is."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import psutil

from tasks.clients.drills.fault_switch import admin_url, switch_fault
from tasks.clients.drills.order_flow import SYMBOLS
from tasks.clients.drills.own_stack import OwnStack, identity_at, own_stack, still_ours
from tasks.clients.files.atomic import write_whole
from tasks.clients.service import control
from tasks.model.drills.drills import DrillContext, Injection, Spoil, Step
from tasks.model.errors import CannotAct, Code
from tasks.model.probes.control import ControlReason
from tasks.model.probes.processes import ProcessIdentity
from tasks.rules.drills.catalogue import drill_of
from tasks.rules.drills.spoiled_tables import spoiled
from tasks.settings import RunbookSettings, ServiceSettings


async def injected(settings: RunbookSettings, context: DrillContext) -> DrillContext:
    """Inject the fault of a drill; the time is taken just before the first step.

    Errors: `NOT_OUR_STACK` before a step that would touch anything else, `NOT_WELL` where there is nothing to break.
    """
    stack = own_stack(settings, context.service)
    began_at = datetime.now(UTC)
    for step in drill_of(context.drill).steps:
        await _break(settings.service(context.service), stack, context, step)
    return context.model_copy(update={"injected_at": began_at})


async def _break(service: ServiceSettings, stack: OwnStack, context: DrillContext, step: Step) -> None:
    match step.what:
        case Injection.STOP_SERVICE:
            _signal(stack, service.url, psutil.Process.suspend)
        case Injection.KILL_SERVICE:
            _signal(stack, service.url, psutil.Process.kill)
        case Injection.BLINK_SERVICE:
            stopped = _signal(stack, service.url, psutil.Process.suspend)
            blink(service, stopped, stack.mark, step.for_s)
        case Injection.STOP_GATEWAY:
            _signal(stack, admin_url(service.gateways[step.gateway]), psutil.Process.suspend)
        case Injection.KILL_GATEWAY:
            _signal(stack, admin_url(service.gateways[step.gateway]), psutil.Process.kill)
        case Injection.SWITCH_FAULT:
            await switch_fault(service, step.gateway, step.switch)
        case Injection.SPOIL_TABLE:
            await _spoil(service, stack, context, step)


def _signal(stack: OwnStack, url: str, send: Callable[[psutil.Process], None]) -> ProcessIdentity:
    """Signal the process that listens at an address, once more proven to be the stack's own."""
    identity = identity_at(url, stack.mark)
    process = still_ours(identity, stack.mark) if identity is not None else None
    if identity is None or process is None:
        raise CannotAct(Code.NOT_WELL, f"expected a process of this stack at {url}, found none; `runbook up --detach`")
    send(process)
    return identity


async def _spoil(service: ServiceSettings, stack: OwnStack, context: DrillContext, step: Step) -> None:
    """Spoil the table on disk, and let the service take it unless it shall lie there unread."""
    if step.spoil is None:
        raise ValueError("a table is spoiled in one way")
    write_whole(stack.table, spoiled(context.table, step.spoil).encode())
    if step.spoil is not Spoil.CORRUPTED:
        await control.reload_table(service, ControlReason(reason=f"drill {context.drill}", set_by=context.by))


POLL_S = 0.1
# Each sender of a drill's orders waits on one connection; a pass of checks opens one for each of its questions.
LOOKS_COUNT = 3
SLACK_S = 0.3


def blink(service: ServiceSettings, identity: ProcessIdentity, mark: str, longest_s: float) -> None:
    """Wait in the background for a check to come and to give up, then let the stopped process go on.

    Units: `longest_s` is when it goes on although no check came; the score then says that nothing was felt.
    """
    threading.Thread(target=_go_on_after_check, args=(service, identity, mark, longest_s), daemon=True).start()


def _go_on_after_check(service: ServiceSettings, identity: ProcessIdentity, mark: str, longest_s: float) -> None:
    deadline = time.monotonic() + longest_s
    while _waiting_count(service.port) < len(SYMBOLS) + LOOKS_COUNT and time.monotonic() < deadline:
        time.sleep(POLL_S)
    time.sleep(service.look.health_timeout_s + SLACK_S)
    process = still_ours(identity, mark)
    if process is not None:
        process.resume()


def _waiting_count(port: int) -> int:
    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return 0
    # Both ends are listed; the far port is the service's on the side of who waits.
    waiting = (one for one in found if one.status == psutil.CONN_ESTABLISHED)
    return sum(getattr(one.raddr, "port", None) == port for one in waiting)
