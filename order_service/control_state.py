"""What people and their tools have set by hand: gateways, routes, trading, strategies, features. Survives restarts."""

import logging
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from order_service.atomic_file import write_atomically
from order_service.clock import utc_now
from order_service.order import AssetClass, Strategy
from order_service.routing import GatewayName

log = logging.getLogger(__name__)


class GatewayState(StrEnum):
    """Say how far a gateway may be used; a degraded one still takes orders."""

    ENABLED = "enabled"
    DEGRADED = "degraded"
    DISABLED = "disabled"


class TradingState(StrEnum):
    """Say which new orders an asset class takes; cancels always pass."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class StrategyState(StrEnum):
    """Say whether a strategy's new orders are taken; cancels always pass."""

    ACTIVE = "active"
    HALTED = "halted"


class RouteScope(StrEnum):
    """Say which new orders of a class follow a route: the test orders alone, or all of them."""

    SYNTHETIC = "synthetic"
    ALL = "all"


class _Set(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str
    set_by: str
    set_at: AwareDatetime


class GatewaySetting(_Set):
    """One gateway's state, with who and why."""

    state: GatewayState


class RouteSetting(_Set):
    """One asset class's gateway; none follows the routing table."""

    gateway: GatewayName | None
    scope: RouteScope = RouteScope.ALL


class TradingSetting(_Set):
    """One asset class's trading state, with who and why."""

    state: TradingState


class StrategySetting(_Set):
    """One strategy's state, with who and why."""

    state: StrategyState


class FeatureSetting(_Set):
    """One feature switched by hand."""

    enabled: bool


Setting = GatewaySetting | RouteSetting | TradingSetting | StrategySetting | FeatureSetting


class ControlDocument(BaseModel):
    """Everything set by hand, as it lies on disk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateways: dict[GatewayName, GatewaySetting] = {}
    routes: dict[AssetClass, RouteSetting] = {}
    synthetic_routes: dict[AssetClass, RouteSetting] = {}
    trading: dict[AssetClass, TradingSetting] = {}
    strategies: dict[Strategy, StrategySetting] = {}
    features: dict[str, FeatureSetting] = {}


class ControlState:
    """Hold the settings and keep them on disk.

    Errors: none at start; a file that cannot be read halts every class, since it may have held a halt.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.broken: str | None = None
        self.save_error: str | None = None
        self.document = self._load()

    def gateway(self, name: str) -> GatewaySetting | None:
        """Give what was set for a gateway."""
        return self.document.gateways.get(name)

    def gateway_state(self, name: str) -> GatewayState:
        """Give a gateway's state; enabled where nothing was set."""
        setting = self.document.gateways.get(name)
        return GatewayState.ENABLED if setting is None else setting.state

    def route(self, asset_class: AssetClass) -> RouteSetting | None:
        """Give what was set for a class's route."""
        return self.document.routes.get(asset_class)

    def synthetic_route(self, asset_class: AssetClass) -> RouteSetting | None:
        """Give what was set for the test orders of a class alone."""
        return self.document.synthetic_routes.get(asset_class)

    def trading(self, asset_class: AssetClass) -> TradingSetting | None:
        """Give what was set for a class's trading."""
        return self.document.trading.get(asset_class)

    def trading_state(self, asset_class: AssetClass) -> TradingState:
        """Give a class's trading state; active where nothing was set."""
        setting = self.document.trading.get(asset_class)
        return TradingState.ACTIVE if setting is None else setting.state

    def strategy(self, name: str) -> StrategySetting | None:
        """Give what was set for a strategy."""
        return self.document.strategies.get(name)

    def feature(self, name: str) -> FeatureSetting | None:
        """Give what was set for a feature."""
        return self.document.features.get(name)

    def apply(self, part: str, key: str, setting: Setting) -> None:
        """Put one setting in force at once; `save` keeps it."""
        entries = {**getattr(self.document, part), key: setting}
        self.document = self.document.model_copy(update={part: entries})

    def drop(self, part: str, key: str) -> None:
        """Take one setting out of force, if it is there; `save` keeps that."""
        entries = {name: setting for name, setting in getattr(self.document, part).items() if name != key}
        self.document = self.document.model_copy(update={part: entries})

    def save(self) -> bool:
        """Keep the settings on disk; a disk that refuses undoes no halt: it is in force and said not to be kept.

        What is not set is not written, so that a release that does not know a kind of setting can be gone back to as
        long as none of that kind is in force. With one in force that release halts every class: it may be a halt.
        """
        try:
            write_atomically(self._path, self.document.model_dump_json(indent=2, exclude_defaults=True).encode())
        except OSError as error:
            self.save_error = str(error)
            log.exception("CONTROL_STATE_NOT_KEPT")
            return False
        self.save_error = None
        return True

    def _load(self) -> ControlDocument:
        try:
            return ControlDocument.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ControlDocument()
        except (OSError, ValidationError) as error:
            self.broken = f"{self._path} cannot be read; {type(error).__name__}"
            return self._halted()

    def _halted(self) -> ControlDocument:
        now = utc_now()
        reason = "the control state cannot be read and may have held a halt; set each class again"
        return ControlDocument(
            trading={
                asset_class: TradingSetting(
                    state=TradingState.HALTED, reason=reason, set_by="order_service", set_at=now
                )
                for asset_class in AssetClass
            }
        )
