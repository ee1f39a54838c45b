"""`runbook look health`: one `GET /health`, as a client would make it."""

import asyncio
from datetime import UTC, datetime

from deployments.commands.looking import Answer, JsonOutput, Target, exit_code_of, give, target_of
from deployments.views.look import health_lines
from tasks.clients.http_exchange import Call, exchange, http_client
from tasks.rules.health_answer import judge_health


def look_health(*, service: str | None = None, url: str | None = None, json_output: JsonOutput = False) -> None:
    """Ask for the health once; it passes only on 200 and `status` ok.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    url
        Ask this address instead, without any settings; a bare host gets `/health`.
    json_output
        Print one JSON document.
    """
    give(lambda: asyncio.run(health_answer(target_of(url, service, "/health"))), json_output=json_output)


async def health_answer(target: Target) -> Answer:
    """Make the look and lay it out."""
    limits = target.limits
    async with http_client(limits.connect_timeout_s) as client:
        call = Call("GET", target.url, limits.health_timeout_s, body_limit_bytes=limits.body_limit_bytes)
        look = judge_health(target.kept(await exchange(client, call)), datetime.now(UTC))
    document = {"service": target.service, "url": target.shown_url, **look.model_dump(mode="json")}
    return Answer(document, health_lines(look), exit_code_of([look.seen]))
