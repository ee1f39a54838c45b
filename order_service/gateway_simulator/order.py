"""An order as a venue reads it: strict enough that nonsense is never booked."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

AssetClass = Literal["equity", "future", "fx", "crypto"]
ASSET_CLASSES: tuple[AssetClass, ...] = ("equity", "future", "fx", "crypto")
Amount = Annotated[Decimal, Field(gt=0, allow_inf_nan=False, max_digits=30)]


class MalformedOrder(ValueError):
    """Tell that a body is no order; the field that is wrong comes along."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Order(BaseModel):
    """Hold one new order; fields the venue does not know are left aside."""

    model_config = ConfigDict(frozen=True)

    client_order_id: str = Field(min_length=1, max_length=128)
    symbol: str = Field(min_length=1, max_length=64)
    side: Literal["buy", "sell", "sell_short"]
    quantity: Amount
    order_type: str = Field(min_length=1, max_length=32)
    asset_class: AssetClass
    limit_price: Amount | None = None
    time_in_force: str | None = Field(default=None, max_length=32)
    synthetic: bool = False


def parse_order(body: bytes) -> Order:
    """Read an order from the body of a request.

    Errors: MalformedOrder, naming the first field that is wrong.
    """
    try:
        return Order.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise MalformedOrder(".".join(map(str, first["loc"])) or "body", first["msg"]) from None
