"""A test order of ours that may rest on a book, kept on disk from before it is sent until it is proven to be gone."""

from pydantic import AwareDatetime

from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value


class LeftOrder(Value):
    """One such order. `was_taken`: the service answered that it has it. `given_up`: its sender could not cancel it.

    `was_filled`: it was to rest, and filled: nothing is left to cancel, and a person closes its position.
    """

    client_order_id: str
    asset_class: AssetClass
    symbol: str
    service_url: str
    sent_at: AwareDatetime
    order_id: str | None = None
    was_taken: bool = False
    given_up: bool = False
    was_filled: bool = False
