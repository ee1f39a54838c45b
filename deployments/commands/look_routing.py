"""`runbook look routing`: where each asset class goes, and whether the table on disk is sound."""

import asyncio

from deployments.commands.looking import FAILED, Answer, JsonOutput, exit_code_of, give, watched_service
from deployments.views.look import routing_lines
from tasks.clients.observe import looking
from tasks.clients.routing_look import routing_look
from tasks.model.looks import RoutingLook


def look_routing(*, service: str | None = None, json_output: JsonOutput = False) -> None:
    """Read each asset class's gateway, trading state, who set it and why; fails on a table that is not sound.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    json_output
        Print one JSON document.
    """
    give(lambda: asyncio.run(routing_answer(service)), json_output=json_output)


async def routing_answer(service: str | None) -> Answer:
    """Make the look and lay it out. A service without this path could not be looked at."""
    _, name, watched = watched_service(service)
    async with looking(watched) as client:
        look: RoutingLook = await routing_look(client, watched)
    # The service goes on with its last good table; the one on disk would fail it at its next start.
    code = FAILED if look.file_error else exit_code_of([look.seen])
    return Answer({"service": name, **look.model_dump(mode="json")}, routing_lines(look), code)
