"""`runbook look gateways`: each gateway asked directly, past the service."""

import asyncio

from deployments.commands.looking import Answer, JsonOutput, exit_code_of, give, watched_service
from deployments.views.look import gateway_lines
from tasks.clients.observe import gateway_looks, looking
from tasks.model.errors import CannotLook, Code


def look_gateways(*, service: str | None = None, json_output: JsonOutput = False) -> None:
    """Ask each gateway's own health, so that a dead gateway and a service that cannot reach it differ.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    json_output
        Print one JSON document.
    """
    give(lambda: asyncio.run(gateways_answer(service)), json_output=json_output)


async def gateways_answer(service: str | None) -> Answer:
    """Ask the gateways and lay out what they say.

    Errors: `NOT_CONFIGURED` when there is none to ask.
    """
    _, name, watched = watched_service(service)
    if not watched.gateways:
        raise CannotLook(Code.NOT_CONFIGURED, f"expected gateways was none; set gateways of services.{name}")
    async with looking(watched) as client:
        looks = await gateway_looks(client, watched)
    document = {"service": name, "gateways": [look.model_dump(mode="json") for look in looks]}
    return Answer(document, gateway_lines(looks), exit_code_of(look.seen for look in looks))
