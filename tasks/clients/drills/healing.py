"""Undo what a drill broke, and what the automation did about it, as the person who runs the drill would."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psutil

from tasks.clients import control
from tasks.clients.commands import Surroundings, run_command
from tasks.clients.drills.fault_switch import NO_FAULT, admin_url, switch_fault
from tasks.clients.drills.own_stack import OwnStack, own_stack, process_at
from tasks.clients.http_exchange import http_client
from tasks.clients.order_service import health_look
from tasks.clients.rearm import rearm_automation
from tasks.clients.routing_look import routing_look
from tasks.clients.state_files import write_whole
from tasks.model.control import ControlAnswer, ControlReason, GatewayState, TradingState
from tasks.model.drills import DrillScene
from tasks.model.errors import CannotAct, Code, RunbookError
from tasks.model.looks import HealthLook, RouteLook
from tasks.settings import RunbookSettings, ServiceSettings

MEND_TIMEOUT_S = 120.0
Part = Callable[[], Awaitable[None]]


async def healed(settings: RunbookSettings, scene: DrillScene) -> DrillScene:
    """Heal all that a drill may have broken; what was not broken is left as it is.

    Errors: `NOT_OUR_STACK`; `NOT_WELL` names what could not be healed, after all the rest was.
    Steps: 1. let stopped processes go on, and switch faults off 2. the table 3. start what is missing 4. what the
    automation set 5. let it act again, since a drill has spent its budget
    """
    stack, watched = own_stack(settings, scene.service), settings.service(scene.service)

    async def processes() -> None:
        _let_go_on(watched, stack)

    async def table() -> None:
        if scene.table and stack.table.read_text("utf-8") != scene.table:
            write_whole(stack.table, scene.table.encode())

    async def parts() -> None:
        await _mend(settings, watched, stack)

    async def rearmed() -> None:
        rearm_automation(settings, scene.service, scene.by, f"drill {scene.drill} is over", datetime.now(UTC))

    faults = await _faults((processes, table, parts, lambda: _unset(watched, scene), rearmed))
    if faults:
        detail = (
            f"expected all of drill {scene.drill} healed was {'; '.join(faults)}; mend it, then `runbook drill heal`"
        )
        raise CannotAct(Code.NOT_WELL, detail, retryable=True)
    return scene.model_copy(update={"healed_at": datetime.now(UTC)})


async def _faults(parts: tuple[Part, ...]) -> list[str]:
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


async def _mend(settings: RunbookSettings, watched: ServiceSettings, stack: OwnStack) -> None:
    """Start what is missing, then switch every fault off; a gateway that was just started has none."""
    urls = (watched.url, *(admin_url(one) for one in watched.gateways.values()))
    if any(process_at(url, stack.mark) is None for url in urls):
        # `runbook up` starts our own parts, which need what we were given.
        own = {"RUNBOOK_STATE_DIR": str(settings.state_dir)}
        where = Surroundings(own, watched.working_directory, trusted=True)
        ended = await asyncio.to_thread(run_command, settings.drill.mend_command, MEND_TIMEOUT_S, where)
        if not ended.succeeded:
            raise CannotAct(Code.START_FAILED, f"expected the missing parts to come up was {ended.story}")
    for name in watched.gateways:
        await switch_fault(watched, name, NO_FAULT)


async def _unset(watched: ServiceSettings, scene: DrillScene) -> None:
    """Take back what was set by hand: the table is read again, classes trade, routes are the table's own."""
    why = ControlReason(reason=f"drill {scene.drill} is over", set_by=scene.by)
    _expect_done(await control.reload_table(watched, why))
    async with http_client(watched.look.connect_timeout_s) as client:
        routing, health = await routing_look(client, watched), await health_look(client, watched)
    for route in routing.routes:
        await _follow_the_table(watched, route, why)
    for name in _marked(health):
        _expect_done(await control.set_gateway(watched, name, GatewayState.ENABLED, why))


async def _follow_the_table(watched: ServiceSettings, route: RouteLook, why: ControlReason) -> None:
    if route.trading_state != TradingState.ACTIVE:
        _expect_done(await control.set_trading(watched, route.asset_class, TradingState.ACTIVE, why))
    if route.gateway != route.table_gateway:
        _expect_done(await control.set_route(watched, route.asset_class, None, why))


def _marked(health: HealthLook) -> list[str]:
    return [one.name for one in health.dependencies if one.set_to in {GatewayState.DEGRADED, GatewayState.DISABLED}]


def _expect_done(answer: ControlAnswer) -> None:
    if not answer.is_done:
        raise CannotAct(Code.NOT_WELL, f"expected the change to be in force was {answer.outcome}: {answer.detail}")
