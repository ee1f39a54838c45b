"""Make another release current, by the command that the settings name; the release's own tools check it."""

import asyncio
from pathlib import Path

from tasks.clients.process.commands import CommandEnd, Surroundings, run_wholly
from tasks.clients.process.releases_root import current_release_folder, live_table_hash
from tasks.clients.service.http import HttpClient
from tasks.clients.service.one_pass import service_client
from tasks.clients.service.probes import health_probe
from tasks.clients.service.routing import routing_probe
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import ControlReason
from tasks.model.probes.probes import Seen
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.progress import Report, unheard
from tasks.rules.remediation.kept_configuration import Configuration, lost
from tasks.settings import ServiceSettings
from tasks.work.remediation.execute import ActionContext, ActionOutcome
from tasks.work.remediation.restart import restarted

TIMEOUT_S = 60.0
READS_COUNT = 3
READ_EVERY_S = 0.5


async def rolled_back(context: ActionContext, report: Report = unheard) -> ActionOutcome:
    """Move the pointer, then replace the process; a move that was refused has changed nothing, and stops nothing.

    Steps: 1. what is in force 2. the move 3. the start 4. proof that nothing but the code has changed
    """
    latest = context.inputs.latest
    table_hash = await asyncio.to_thread(live_table_hash, context.service)
    before = Configuration(health=latest.health, routing=latest.routing, table_hash=table_hash)
    move = await asyncio.to_thread(moved_back, context.service, context.planned.target.release or "", context.why)
    if move.outcome is not Outcome.DONE:
        return move
    start = await restarted(context, report)
    detail = f"{move.detail}; {start.detail}"
    differs = lost(before, await configuration_now(context.service)) if start.outcome is Outcome.DONE else ()
    if differs:
        found = f"expected the configuration of before the rollback, found: {'; '.join(differs)}; set it right yourself"
        return ActionOutcome(outcome=Outcome.UNKNOWN, detail=f"{detail}; {found}", code=GuardCode.ROUTING_DIFFERS)
    return ActionOutcome(outcome=start.outcome, detail=detail)


def moved_back(
    service: ServiceSettings, release: str, why: ControlReason, timeout_s: float = TIMEOUT_S
) -> ActionOutcome:
    """Run `roll_back_command` with the release, who and why in its places; an argument list, never a shell.

    Runbook: §2.3 Roll back to the previous release.
    Whatever the command left behind is ended before its end is judged, so that nothing moves afterwards.
    Steps: 1. what could not be ended, or a live routing table that the command replaced: *unknown*, and a person checks
    2. the pointer says whether it moved: *refused* only where it is still where it was 3. without a pointer on this
    machine the exit code has to do, and only a zero says anything
    """
    before, table = current_release_folder(service), live_table_hash(service)
    words = {"{release}": release, "{by}": why.set_by, "{reason}": why.reason}
    command = [_filled(word, words) for word in service.roll_back_command]
    end = run_wholly(command, timeout_s, Surroundings(folder=service.working_directory))
    if not end.ran:
        return ActionOutcome(outcome=Outcome.REFUSED, detail=end.fault, code=GuardCode.NOT_AVAILABLE)
    if end.left_alive:
        alive = ", ".join(map(str, end.left_alive))
        detail = f"expected the rollback command to be over, found pid {alive} alive, which may move the release yet"
        return ActionOutcome(outcome=Outcome.UNKNOWN, detail=f"{detail}; end it, then check which release is current")
    if table is not None and live_table_hash(service) != table:
        return _table_replaced(table, live_table_hash(service))
    return _judged(end, release, before, current_release_folder(service))


def _judged(end: CommandEnd, release: str, before: Path | None, now: Path | None) -> ActionOutcome:
    ended = f"; {len(end.left)} processes that it left behind were ended" if end.left else ""
    is_there = now is not None and now.name == release
    if end.succeeded and (is_there or (before is None and now is None)):
        return ActionOutcome(outcome=Outcome.DONE, detail=f"release {release} is current{ended}")
    current = now.name if now else "not known"
    judged = f"expected release {release} to be current, found {current}: {end.story}{ended}"
    if before is not None and now == before:
        return ActionOutcome(outcome=Outcome.REFUSED, detail=judged, code=GuardCode.NO_GOOD_RELEASE)
    return ActionOutcome(
        outcome=Outcome.UNKNOWN, detail=f"{judged}; check which release is current", code=GuardCode.NO_GOOD_RELEASE
    )


def _table_replaced(before: str, now: str | None) -> ActionOutcome:
    was = now[:12] if now else "none"
    detail = (
        f"expected the rollback to keep the routing table {before[:12]}, found it replaced by {was}: nothing was "
        "restarted, "
        "and the next start would run with it; put the table back, then restart"
    )
    return ActionOutcome(outcome=Outcome.UNKNOWN, detail=detail, code=GuardCode.ROUTING_DIFFERS)


def _filled(word: str, words: dict[str, str]) -> str:
    for place, text in words.items():
        word = word.replace(place, text)
    return word


async def configuration_now(service: ServiceSettings) -> Configuration:
    """Ask the service what it runs with; it answers already, but its first answers may be late."""
    async with service_client(service) as client:
        for _ in range(READS_COUNT - 1):
            now = await _configuration(client, service)
            if now.routing is not None and now.routing.seen not in {Seen.FAILED, Seen.BLIND}:
                return now
            await asyncio.sleep(READ_EVERY_S)
        return await _configuration(client, service)


async def _configuration(client: HttpClient, service: ServiceSettings) -> Configuration:
    health, routing = await asyncio.gather(health_probe(client, service), routing_probe(client, service))
    return Configuration(health=health, routing=routing)
