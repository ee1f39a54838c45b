"""The order-state gate, for a person: the verdict, then each order that is not proven."""

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, line
from tasks.model.order_states import OrderSafety, OrderStates, UnprovenOrder

STYLES = {OrderSafety.SAFE: GOOD, OrderSafety.WAIT: UNSURE, OrderSafety.UNSAFE: BAD, OrderSafety.BLIND: UNSURE}
# As wide as the looks beside it.
VERDICT_WIDTH, NAME_WIDTH = 21, 15


def order_state_lines(states: OrderStates) -> list[Text]:
    """Tell whether every order is proven, and name those that are not, with what to do about them."""
    head = line(
        (states.verdict.value.ljust(VERDICT_WIDTH), STYLES[states.verdict]),
        ("not proven".ljust(NAME_WIDTH), BOLD),
        f"{states.unproven_count}: {states.detail}" if states.unproven_count else states.detail,
    )
    unlisted = states.unproven_count - len(states.unproven)
    more = [line("  ", f"and {unlisted} more")] if unlisted else []
    advice = [line("  ", ("ask the venue for these ids; never send them again", DIM))]
    return [head, *(_order(one) for one in states.unproven), *more, *(advice if _is_unsafe(states) else [])]


def _is_unsafe(states: OrderStates) -> bool:
    return states.verdict is OrderSafety.UNSAFE


def _order(order: UnprovenOrder) -> Text:
    age = "age not known" if order.age_s is None else f"{order.age_s:.1f} s"
    place = f"{order.asset_class or 'class not known'} at {order.gateway or 'no gateway'}"
    return line("  ", (order.client_order_id, BOLD), f"  {order.status}  {place}  {age}  ", (order.detail, DIM))
