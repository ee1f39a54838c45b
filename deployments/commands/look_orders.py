"""`runbook look orders`: one quarantined synthetic order for each asset class."""

import asyncio
from collections.abc import Iterable

from deployments.commands.looking import (
    COULD_NOT_LOOK,
    FAILED,
    FINE,
    Answer,
    JsonOutput,
    give,
    watched_service,
)
from deployments.views.look import order_lines
from tasks.clients.observe import looking
from tasks.clients.order_service import order_looks
from tasks.model.errors import CannotLook, Code
from tasks.model.looks import OrderLook, OrderOutcome
from tasks.model.orders import AssetClass
from tasks.settings import ServiceSettings


def look_orders(
    *, service: str | None = None, asset_class: AssetClass | None = None, json_output: JsonOutput = False
) -> None:
    """Post one small synthetic order for each asset class; an answer without an `execution` fails.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    asset_class
        Only this asset class.
    json_output
        Print one JSON document, with each request and response.
    """
    give(lambda: asyncio.run(orders_answer(service, asset_class)), json_output=json_output)


async def orders_answer(service: str | None, asset_class: AssetClass | None) -> Answer:
    """Send the orders and lay out what became of them.

    Errors: `NOT_CONFIGURED` when there is no order to send; `BAD_SETTING` for one that breaks its quarantine.
    """
    _, name, watched = watched_service(service)
    asked = only(watched, asset_class)
    if not asked.synthetic_orders:
        wanted = asset_class or "any asset class"
        detail = f"expected a synthetic order for {wanted} was none; set synthetic_orders of services.{name}"
        raise CannotLook(Code.NOT_CONFIGURED, detail)
    async with looking(asked) as client:
        looks = await order_looks(client, asked)
    document = {"service": name, "orders": [look.model_dump(mode="json") for look in looks]}
    return Answer(document, order_lines(looks), exit_code(looks))


def only(watched: ServiceSettings, asset_class: AssetClass | None) -> ServiceSettings:
    """Leave only the synthetic order of one asset class."""
    if asset_class is None:
        return watched
    orders = {name: order for name, order in watched.synthetic_orders.items() if name is asset_class}
    return watched.model_copy(update={"synthetic_orders": orders})


def exit_code(looks: Iterable[OrderLook]) -> int:
    """Give the exit code: an order that was not delivered decides, then one that could not be sent."""
    left = {look.outcome for look in looks if not look.outcome.delivered}
    if left - {OrderOutcome.BLIND}:
        return FAILED
    return COULD_NOT_LOOK if left else FINE
