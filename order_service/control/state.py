"""What people and their tools have set: gateways, routes, trading, strategies, features. Survives restarts."""

import logging
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from order_service.api.contract import AssetClass, GatewayState, RouteScope, StrategyState, TradingState
from order_service.orders.order import Strategy
from order_service.routing.table import GatewayName
from order_service.runtime.clock import utc_now
from order_service.runtime.files import PRIVATE_MODE, write_atomically

log = logging.getLogger(__name__)


class _Set(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str
    set_by: str
    set_at: AwareDatetime


class GatewaySetting(_Set):
    state: GatewayState


class RouteSetting(_Set):
    """One asset class's gateway; none follows the routing table."""

    gateway: GatewayName | None
    scope: RouteScope = RouteScope.ALL


class TradingSetting(_Set):
    state: TradingState


class StrategySetting(_Set):
    state: StrategyState


class FeatureSetting(_Set):
    enabled: bool


Setting = GatewaySetting | RouteSetting | TradingSetting | StrategySetting | FeatureSetting
Part = Literal["gateways", "routes", "synthetic_routes", "trading", "strategies", "features"]
SETTINGS: dict[Part, type[Setting]] = {
    "gateways": GatewaySetting,
    "routes": RouteSetting,
    "synthetic_routes": RouteSetting,
    "trading": TradingSetting,
    "strategies": StrategySetting,
    "features": FeatureSetting,
}


class ControlDocument(BaseModel):
    """Everything that was set, as it lies on disk."""

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

    def gateway_state(self, name: str) -> GatewayState:
        setting = self.document.gateways.get(name)
        return GatewayState.ENABLED if setting is None else setting.state

    def trading_state(self, asset_class: AssetClass) -> TradingState:
        setting = self.document.trading.get(asset_class)
        return TradingState.ACTIVE if setting is None else setting.state

    def apply(self, part: Part, key: str, setting: Setting) -> None:
        """Put one setting in force at once; `save` keeps it."""
        entries = {**getattr(self.document, part), key: setting}
        self.document = self.document.model_copy(update={part: entries})

    def drop(self, part: Part, key: str) -> None:
        """Take one setting out of force, if it is there; `save` keeps that."""
        entries = {name: setting for name, setting in getattr(self.document, part).items() if name != key}
        self.document = self.document.model_copy(update={part: entries})

    def save(self) -> bool:
        """Keep the settings on disk; a disk that refuses undoes no halt: it is in force, and reported as not kept.

        What is not set is not written, so that a release that does not know a kind of setting can be gone back to as
        long as none of that kind is in force. With one in force that release halts every class: it may be a halt.
        """
        try:
            document = self.document.model_dump_json(indent=2, exclude_defaults=True)
            write_atomically(self._path, document.encode(), PRIVATE_MODE)
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
