"""The release brings a new feature, switched on, that breaks every crypto order; switching it off heals it."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from order_service import routing
from order_service.drill_faults.switch import Switch, wrap
from order_service.order import AssetClass, NewOrder

FEATURE = "crypto_price_guard"


class _PriceGuard(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True


class _Features(routing.FeatureRules):
    crypto_price_guard: _PriceGuard = _PriceGuard()


class _Table(routing.RoutingTable):
    features: _Features


def install(switch: Switch) -> None:
    """Make the feature known to the table, then let it fail; the table on disk need not name it."""
    for name, value in (("FeatureRules", _Features), ("RoutingTable", _Table)):
        setattr(routing, name, value)
    from order_service.features import Features  # noqa: PLC0415 - it must see the table's new class

    def around(check: Callable[[Features, NewOrder], None]) -> Callable[[Features, NewOrder], None]:
        def checks(features: Features, order: NewOrder) -> None:
            check(features, order)
            if switch.on and order.asset_class is AssetClass.CRYPTO and features.enabled(FEATURE):
                raise ZeroDivisionError("no reference price")

        return checks

    wrap(Features, "check", around)
