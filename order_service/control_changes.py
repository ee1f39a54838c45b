"""What may be asked of the control plane: each change with who and why."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from order_service.control_state import GatewayState, RouteScope, StrategyState, TradingState
from order_service.routing import GatewayName

TableHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Change(BaseModel):
    """Who changes something, and why. Both are required: an unexplained halt costs the next shift an hour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
    set_by: str = Field(
        default="operator", min_length=1, max_length=100, pattern=r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    )
    source: Literal["operator", "triage", "order_service"] = "operator"


class GatewayChange(Change):
    """Set a gateway's state."""

    state: GatewayState


class RouteChange(Change):
    """Send new orders of a class to another gateway of its route; null follows the table again.

    With the scope `synthetic` only test orders take that way, so that a gateway is tried before real orders go there.
    """

    gateway: GatewayName | None
    scope: RouteScope = RouteScope.ALL


class TradingChange(Change):
    """Set a class's trading state."""

    state: TradingState


class StrategyChange(Change):
    """Set a strategy's state, in every class."""

    state: StrategyState


class FeatureChange(Change):
    """Switch a feature."""

    enabled: bool = Field(strict=True)


class RestoreChange(Change):
    """Put a good routing table back, by the SHA-256 of its bytes."""

    hash: TableHash
