"""`runbook look orders`: one quarantined synthetic order for each asset class, and every order that is not proven."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

from cyclopts import Parameter

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
from deployments.views.order_states import order_state_lines
from tasks.clients.observe import looking
from tasks.clients.order_service import order_looks
from tasks.clients.order_states import order_states, proven_within
from tasks.model.errors import CannotLook, Code
from tasks.model.looks import OrderLook, OrderOutcome
from tasks.model.order_states import BlindReason, OrderSafety, OrderStates
from tasks.model.orders import AssetClass
from tasks.settings import ServiceSettings


def look_orders(
    *,
    service: str | None = None,
    asset_class: AssetClass | None = None,
    unproven: Annotated[bool, Parameter(name=("--unproven", "--no-orders"), negative=())] = False,
    wait_s: float = 0.0,
    json_output: JsonOutput = False,
) -> None:
    """Post one small synthetic order for each asset class, and name every order whose outcome is not proven.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    asset_class
        Only the synthetic order of this asset class.
    unproven
        Send no order: only name the orders whose outcome is not proven. Exit 0 where every order is.
    wait_s
        With --unproven: ask again for so many seconds, at most 60, until every order is proven.
    json_output
        Print one JSON document, with each request and response.
    """
    if unproven:
        give(lambda: asyncio.run(unproven_answer(service, wait_s)), json_output=json_output)
    give(lambda: asyncio.run(orders_answer(service, asset_class)), json_output=json_output)


async def orders_answer(service: str | None, asset_class: AssetClass | None) -> Answer:
    """Send the orders, ask for those that are not proven, and lay out what became of them.

    Errors: `NOT_CONFIGURED` when there is no order to send; `BAD_SETTING` for one that breaks its quarantine.
    """
    _, name, watched = watched_service(service)
    asked = only(watched, asset_class)
    if not asked.synthetic_orders:
        wanted = asset_class or "any asset class"
        detail = f"expected a synthetic order for {wanted} was none; set synthetic_orders of services.{name}"
        raise CannotLook(Code.NOT_CONFIGURED, detail)
    async with looking(asked) as client:
        looks, states = await asyncio.gather(order_looks(client, asked), order_states(asked))
    document = {
        "service": name,
        "orders": [look.model_dump(mode="json") for look in looks],
        **states.model_dump(mode="json"),
    }
    return Answer(document, [*order_lines(looks), *order_state_lines(states)], exit_code(looks, states))


async def unproven_answer(service: str | None, wait_s: float) -> Answer:
    """Ask for the orders that are not proven, and send none. Only where every order is, a disruption is safe."""
    _, name, watched = watched_service(service)
    states = await proven_within(watched, wait_s)
    code = {OrderSafety.SAFE: FINE, OrderSafety.BLIND: COULD_NOT_LOOK}.get(states.verdict, FAILED)
    return Answer({"service": name, **states.model_dump(mode="json")}, order_state_lines(states), code)


def only(watched: ServiceSettings, asset_class: AssetClass | None) -> ServiceSettings:
    """Leave only the synthetic order of one asset class."""
    if asset_class is None:
        return watched
    orders = {name: order for name, order in watched.synthetic_orders.items() if name is asset_class}
    return watched.model_copy(update={"synthetic_orders": orders})


def exit_code(looks: Iterable[OrderLook], states: OrderStates) -> int:
    """Give the exit code: an order that was not delivered or is not proven decides, then what could not be seen.

    An order that is in flight for a moment is no failure, nor is a service that has no such list.
    """
    left = {look.outcome for look in looks if not look.outcome.delivered}
    if left - {OrderOutcome.BLIND} or states.verdict is OrderSafety.UNSAFE:
        return FAILED
    unseen = states.verdict is OrderSafety.BLIND and states.blind is not BlindReason.NOT_AVAILABLE
    return COULD_NOT_LOOK if left or unseen else FINE
