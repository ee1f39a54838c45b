"""Break one thing of the local stack by a signal, a fault switch, a file; each step first looks whose it is."""

from collections.abc import Callable
from datetime import UTC, datetime

import psutil

from tasks.clients import control
from tasks.clients.drills.blinking import blink
from tasks.clients.drills.fault_switch import admin_url, switch_fault
from tasks.clients.drills.own_stack import OwnStack, identity_at, own_stack, still_ours
from tasks.clients.state_files import write_whole
from tasks.model.control import ControlReason
from tasks.model.drills import DrillScene, Injection, Spoil, Step
from tasks.model.errors import CannotAct, Code
from tasks.model.processes import ProcessIdentity
from tasks.rules.drills.drill_table import drill_of
from tasks.rules.drills.spoiled_tables import spoiled
from tasks.settings import RunbookSettings, ServiceSettings


async def injected(settings: RunbookSettings, scene: DrillScene) -> DrillScene:
    """Inject the fault of a drill; the time is taken just before the first step.

    Errors: `NOT_OUR_STACK` before a step that would touch anything else, `NOT_WELL` where there is nothing to break.
    """
    stack = own_stack(settings, scene.service)
    began_at = datetime.now(UTC)
    for step in drill_of(scene.drill).steps:
        await _break(settings.service(scene.service), stack, scene, step)
    return scene.model_copy(update={"injected_at": began_at})


async def _break(service: ServiceSettings, stack: OwnStack, scene: DrillScene, step: Step) -> None:
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
            await _spoil(service, stack, scene, step)


def _signal(stack: OwnStack, url: str, send: Callable[[psutil.Process], None]) -> ProcessIdentity:
    """Signal the process that listens at an address, once more proven to be the stack's own."""
    identity = identity_at(url, stack.mark)
    process = still_ours(identity, stack.mark) if identity is not None else None
    if identity is None or process is None:
        raise CannotAct(Code.NOT_WELL, f"expected a process of this stack at {url} was none; `runbook up --detach`")
    send(process)
    return identity


async def _spoil(service: ServiceSettings, stack: OwnStack, scene: DrillScene, step: Step) -> None:
    """Spoil the table on disk, and let the service take it unless it shall lie there unread."""
    if step.spoil is None:
        raise ValueError("a table is spoiled in one way")
    write_whole(stack.table, spoiled(scene.table, step.spoil).encode())
    if step.spoil is not Spoil.CORRUPTED:
        await control.reload_table(service, ControlReason(reason=f"drill {scene.drill}", set_by=scene.by))
