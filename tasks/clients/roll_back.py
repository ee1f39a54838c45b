"""Make another release current, by the command that the settings name; the release's own tools check it."""

import asyncio
from pathlib import Path

import httpx

from tasks.clients.acting import Done
from tasks.clients.commands import CommandEnd, Surroundings, run_wholly
from tasks.clients.observe import looking
from tasks.clients.order_service import health_look
from tasks.clients.releases_root import current_release_folder, live_table_hash
from tasks.clients.routing_look import routing_look
from tasks.model.control import ControlReason
from tasks.model.incident import Outcome
from tasks.model.looks import Seen
from tasks.model.verdicts import GuardCode
from tasks.rules.kept_configuration import Configuration
from tasks.settings import ServiceSettings

TIMEOUT_S = 60.0
READS_COUNT = 3
READ_EVERY_S = 0.5


def moved_back(service: ServiceSettings, release: str, why: ControlReason, timeout_s: float = TIMEOUT_S) -> Done:
    """Run `roll_back_command` with the release, who and why in its places; an argument list, never a shell.

    Runbook: §2.3 Roll back to the previous release.
    Errors: none. Whatever the command left behind is ended before its end is judged, so that nothing moves afterwards.
    Steps: 1. what could not be ended, or a live routing table that the command replaced: *unknown*, and a person looks
    2. the pointer says whether it moved: *refused* only where it is still where it was 3. without a pointer on this
    machine the exit code has to do, and only a zero says anything
    """
    before, table = current_release_folder(service), live_table_hash(service)
    words = {"{release}": release, "{by}": why.set_by, "{reason}": why.reason}
    command = [_filled(word, words) for word in service.roll_back_command]
    end = run_wholly(command, timeout_s, Surroundings(folder=service.working_directory))
    if not end.ran:
        return Done(outcome=Outcome.REFUSED, detail=end.fault, code=GuardCode.NOT_AVAILABLE)
    if end.left_alive:
        alive = ", ".join(map(str, end.left_alive))
        detail = f"expected the rollback command to be over, was: pid {alive} still runs and may move the release yet"
        return Done(outcome=Outcome.UNKNOWN, detail=f"{detail}; end it, then look which release is current")
    if table is not None and live_table_hash(service) != table:
        return _table_replaced(table, live_table_hash(service))
    return _judged(end, release, before, current_release_folder(service))


def _judged(end: CommandEnd, release: str, before: Path | None, now: Path | None) -> Done:
    ended = f"; {len(end.left)} processes that it left behind were ended" if end.left else ""
    is_there = now is not None and now.name == release
    if end.succeeded and (is_there or (before is None and now is None)):
        return Done(outcome=Outcome.DONE, detail=f"release {release} is current{ended}")
    current = now.name if now else "not known"
    told = f"expected release {release} to be current, was {current}: {end.story}{ended}"
    if before is not None and now == before:
        return Done(outcome=Outcome.REFUSED, detail=told, code=GuardCode.NO_GOOD_RELEASE)
    return Done(
        outcome=Outcome.UNKNOWN, detail=f"{told}; look which release is current", code=GuardCode.NO_GOOD_RELEASE
    )


def _table_replaced(before: str, now: str | None) -> Done:
    was = now[:12] if now else "none"
    detail = (
        f"expected the rollback to keep the routing table {before[:12]}, was replaced by {was}: nothing was restarted, "
        "and the next start would run with it; put the table back, then restart"
    )
    return Done(outcome=Outcome.UNKNOWN, detail=detail, code=GuardCode.ROUTING_DIFFERS)


def _filled(word: str, words: dict[str, str]) -> str:
    for place, text in words.items():
        word = word.replace(place, text)
    return word


async def configuration_now(service: ServiceSettings) -> Configuration:
    """Ask the service what it runs with; it answers already, but its first answers may be late."""
    async with looking(service) as client:
        for _ in range(READS_COUNT - 1):
            now = await _configuration(client, service)
            if now.routing is not None and now.routing.seen not in {Seen.FAILED, Seen.BLIND}:
                return now
            await asyncio.sleep(READ_EVERY_S)
        return await _configuration(client, service)


async def _configuration(client: httpx.AsyncClient, service: ServiceSettings) -> Configuration:
    health, routing = await asyncio.gather(health_look(client, service), routing_look(client, service))
    return Configuration(health=health, routing=routing)
