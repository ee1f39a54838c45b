"""Undo what a drill broke, and what the automation did about it, as the person who runs the drill would."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psutil

from tasks.clients.drills.fault_switch import NO_FAULT, admin_url, switch_fault
from tasks.clients.drills.own_stack import OwnStack, own_stack, process_at
from tasks.clients.files.atomic import write_whole
from tasks.clients.incidents.rearm import rearm_automation
from tasks.clients.process.commands import Surroundings, run_command
from tasks.clients.service import control
from tasks.clients.service.http import http_client
from tasks.clients.service.probes import health_probe
from tasks.clients.service.routing import routing_probe
from tasks.model.drills.drills import DrillContext
from tasks.model.errors import CannotAct, Code, RunbookError
from tasks.model.probes.control import ControlAnswer, ControlReason, GatewayState, TradingState
from tasks.model.probes.probes import HealthProbe, RouteStatus
from tasks.settings import RunbookSettings, ServiceSettings

START_TIMEOUT_S = 120.0


async def fixed(settings: RunbookSettings, context: DrillContext) -> DrillContext:
    """Fix all that a drill may have broken; what was not broken is left as it is.

    Errors: `NOT_OUR_STACK`; `NOT_WELL` names what could not be fixed, after all the rest was.
    Steps: 1. let stopped processes go on, and switch faults off 2. the table 3. start what is missing 4. what the
    automation set 5. let it act again, since a drill has spent its budget
    """
    stack, watched = own_stack(settings, context.service), settings.service(context.service)

    async def processes() -> None:
        _let_go_on(watched, stack)

    async def table() -> None:
        if context.table and stack.table.read_text("utf-8") != context.table:
            write_whole(stack.table, context.table.encode())

    async def parts() -> None:
        await _start_missing(settings, watched, stack)

    async def rearmed() -> None:
        rearm_automation(settings, context.service, context.by, f"drill {context.drill} is over", datetime.now(UTC))

    faults = await _faults((processes, table, parts, lambda: _unset(watched, context), rearmed))
    if faults:
        detail = (
            f"expected all that drill {context.drill} broke to be fixed, found {'; '.join(faults)}; fix it, then "
            "`runbook drill heal`"
        )
        raise CannotAct(Code.NOT_WELL, detail, retryable=True)
    return context.model_copy(update={"healed_at": datetime.now(UTC)})


async def _faults(parts: tuple[Callable[[], Awaitable[None]], ...]) -> list[str]:
    faults = []
    for part in parts:
        try:
            await part()
        except (RunbookError, OSError, psutil.Error) as error:
            faults.append(str(error))
    return faults


def _let_go_on(watched: ServiceSettings, stack: OwnStack) -> None:
    for url in (watched.url, *(admin_url(one) for one in watched.gateways.values())):
        process = process_at(url, stack.mark)
        if process is not None and process.status() == psutil.STATUS_STOPPED:
            process.resume()


async def _start_missing(settings: RunbookSettings, watched: ServiceSettings, stack: OwnStack) -> None:
    """Start what is missing, then switch every fault off; a gateway that was just started has none."""
    urls = (watched.url, *(admin_url(one) for one in watched.gateways.values()))
    if any(process_at(url, stack.mark) is None for url in urls):
        # `runbook up` starts our own parts, which need what we were given.
        own = {"RUNBOOK_STATE_DIR": str(settings.state_dir)}
        where = Surroundings(own, watched.working_directory, trusted=True)
        ended = await asyncio.to_thread(run_command, settings.drill.mend_command, START_TIMEOUT_S, where)
        if not ended.succeeded:
            raise CannotAct(Code.START_FAILED, f"expected the missing parts to come up, found {ended.story}")
    for name in watched.gateways:
        await switch_fault(watched, name, NO_FAULT)


async def _unset(watched: ServiceSettings, context: DrillContext) -> None:
    """Take back what was set: the table is read again, classes trade, routes are the table's own."""
    why = ControlReason(reason=f"drill {context.drill} is over", set_by=context.by)
    _expect_done(await control.reload_table(watched, why))
    async with http_client(watched.http, watched.look.connect_timeout_s) as client:
        routing, health = await routing_probe(client, watched), await health_probe(client, watched)
    for route in routing.routes:
        await _follow_the_table(watched, route, why)
    for name in _marked(health):
        _expect_done(await control.set_gateway(watched, name, GatewayState.ENABLED, why))


async def _follow_the_table(watched: ServiceSettings, route: RouteStatus, why: ControlReason) -> None:
    if route.trading_state != TradingState.ACTIVE:
        _expect_done(await control.set_trading(watched, route.asset_class, TradingState.ACTIVE, why))
    if route.gateway != route.table_gateway:
        _expect_done(await control.set_route(watched, route.asset_class, None, why))


def _marked(health: HealthProbe) -> list[str]:
    return [one.name for one in health.dependencies if one.set_to in {GatewayState.DEGRADED, GatewayState.DISABLED}]


def _expect_done(answer: ControlAnswer) -> None:
    if not answer.is_done:
        raise CannotAct(Code.NOT_WELL, f"expected the change to be in force, found {answer.outcome}: {answer.detail}")
