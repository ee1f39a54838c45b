"""What is in force: everything that holds trading back or re-routes it, with who set it, when and why."""

from enum import StrEnum

from pydantic import AwareDatetime

from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value

# What sets the changes of the automation, as the control plane and the desk read it.
AUTOMATION = "triage"


class Held(StrEnum):
    """What kind of thing a restriction holds."""

    TRADING = "trading"
    STRATEGY = "strategy"
    GATEWAY = "gateway"
    ROUTE = "route"
    FEATURE = "feature"


class Restriction(Value):
    """One thing in force. `name` is its class, strategy, gateway or feature.

    The `state` of a route is the gateway that it goes to. Without `set_by` nobody said who set it.
    """

    kind: Held
    name: str
    state: str
    set_by: str | None = None
    reason: str | None = None
    set_at: AwareDatetime | None = None

    @property
    def by_automation(self) -> bool:
        """Say whether the automation set it, and so owes it to people that it is lifted."""
        return self.set_by == AUTOMATION

    @property
    def stops_orders(self) -> bool:
        """Say whether it keeps new orders from being sent."""
        return self.kind in {Held.TRADING, Held.STRATEGY} or (self.kind is Held.GATEWAY and self.state == "disabled")


class InForce(Value):
    """Everything in force in one observation; `unknown` says why where nobody could read it."""

    restrictions: tuple[Restriction, ...] = ()
    unknown: str = ""

    @property
    def is_known(self) -> bool:
        """Say whether it was read, so that nothing listed means that nothing is in force."""
        return not self.unknown

    @property
    def own(self) -> tuple[Restriction, ...]:
        return tuple(one for one in self.restrictions if one.by_automation)

    def of_class(self, asset_class: AssetClass) -> Restriction | None:
        held = (one for one in self.restrictions if one.kind is Held.TRADING and one.name == asset_class)
        return next(held, None)
