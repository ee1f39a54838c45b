"""The routing table: which gateway takes an asset class, within which limits. Frozen once read."""

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from order_service.api.contract import AssetClass
from order_service.orders.order import Amount, Symbol
from order_service.runtime.validation import first_problem

MAX_TABLE_BYTES = 1024 * 1024
GATEWAY_NAME_PATTERN = r"^[A-Z][A-Z0-9]{1,15}$"
GatewayName = Annotated[str, StringConstraints(pattern=GATEWAY_NAME_PATTERN)]
Seconds = Annotated[float, Field(gt=0, le=60)]


class TableRefused(Exception):
    """Say why a routing table is not taken."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GatewayRules(_Frozen):
    """What one gateway is good for, and how long an order waits for it.

    Units: seconds. An order's longest wait is `total_timeout_s`; waiting for a connection is bounded below it, so
    that a timeout before the connection stands is known to have sent nothing.
    """

    asset_classes: frozenset[AssetClass] = Field(min_length=1)
    connect_timeout_s: Seconds = 1.0
    read_timeout_s: Seconds = 3.8
    total_timeout_s: Seconds = 4.0
    probe_timeout_s: Seconds = 4.0
    slow_ms: float = Field(default=500.0, gt=0)
    max_connections: int = Field(default=64, ge=1, le=1024)

    @model_validator(mode="after")
    def _connecting_ends_before_the_total(self) -> Self:
        if self.connect_timeout_s >= self.total_timeout_s:
            raise ValueError("expected connect_timeout_s below total_timeout_s")
        return self


class Route(_Frozen):
    """Where one asset class goes, and how much of it."""

    gateway: GatewayName
    alternates: tuple[GatewayName, ...] = ()
    test_symbols: frozenset[Symbol] = Field(min_length=1)
    max_quantity: Amount
    max_synthetic_quantity: Amount

    @model_validator(mode="after")
    def _alternates_are_others(self) -> Self:
        names = (self.gateway, *self.alternates)
        if len(set(names)) != len(names):
            raise ValueError("expected alternates to differ from the gateway and from each other")
        if self.max_synthetic_quantity > self.max_quantity:
            raise ValueError("expected max_synthetic_quantity within max_quantity")
        return self

    @property
    def choices(self) -> tuple[str, ...]:
        return (self.gateway, *self.alternates)


class LimitPriceBand(_Frozen):
    """Deny limit orders priced too far from the symbol's last fill."""

    enabled: bool
    max_deviation_ratio: Decimal = Field(gt=0, le=10)


class OrderThrottle(_Frozen):
    """Deny orders above a rate, per strategy and asset class."""

    enabled: bool
    max_orders_per_s: int = Field(ge=1, le=1_000_000)


class FeatureRules(_Frozen):
    """The features this release knows; a table that names another one is refused."""

    limit_price_band: LimitPriceBand
    order_throttle: OrderThrottle

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(cls.model_fields)

    def enabled(self, feature: str) -> bool:
        return bool(getattr(self, feature).enabled)


class RoutingTable(_Frozen):
    """The whole table. A class without a route is a table that denies that class, not a broken one."""

    gateways: dict[GatewayName, GatewayRules] = Field(min_length=1)
    routes: dict[AssetClass, Route] = Field(min_length=1)
    features: FeatureRules

    @model_validator(mode="after")
    def _routes_lead_to_gateways_that_support_them(self) -> Self:
        for asset_class, route in self.routes.items():
            for name in route.choices:
                rules = self.gateways.get(name)
                if rules is None:
                    raise ValueError(f"routes.{asset_class}: gateway {name} is not in the table")
                if asset_class not in rules.asset_classes:
                    raise ValueError(f"routes.{asset_class}: gateway {name} does not support {asset_class}")
        return self


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table that was accepted, with the digest of the bytes it was read from."""

    table: RoutingTable
    hash: str
    loaded_at: datetime


def table_hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def parse_table(raw: bytes, known_gateways: frozenset[str]) -> RoutingTable:
    """Read a table, or refuse it as a whole.

    Errors: TableRefused with the place and the reason; never half a table.
    """
    try:
        table = RoutingTable.model_validate(tomllib.loads(raw.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise TableRefused(f"expected UTF-8, was other bytes at offset {error.start}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TableRefused(f"expected TOML, was broken; {error}") from error
    except ValidationError as error:
        place, problem = first_problem(error)
        raise TableRefused(f"{place}: {problem}" if place else problem) from error
    homeless = sorted(set(table.gateways) - known_gateways)
    if homeless:
        raise TableRefused(f"gateways.{homeless[0]}: no address is known for this gateway")
    return table
