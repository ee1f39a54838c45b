"""Where each asset class goes at this moment, who set it and why, and whether the file on disk still agrees."""

from dataclasses import dataclass

from order_service.api.contract import AssetClass
from order_service.control.state import ControlState
from order_service.gateways.health import GatewayHealth
from order_service.orders.order import plain
from order_service.orders.pre_trade_checks import Features, PreTradeChecks
from order_service.routing.table import Route
from order_service.routing.table_store import DiskState, RoutingStore
from order_service.runtime.clock import rfc3339


@dataclass(frozen=True, slots=True)
class RoutingReport:
    store: RoutingStore
    control: ControlState
    checks: PreTradeChecks
    features: Features
    health: GatewayHealth

    def document(self, disk: DiskState) -> dict[str, object]:
        return {
            "asset_classes": {asset_class.value: self._asset_class(asset_class) for asset_class in AssetClass},
            "gateways": {name: self._gateway(name) for name in self.health.vitals},
            "strategies": {
                name: setting.model_dump(mode="json") for name, setting in self.control.document.strategies.items()
            },
            "features": {name: self._feature(name) for name in self.features.names()},
            "table": {
                "hash": self.store.loaded.hash,
                "loaded_at": rfc3339(self.store.loaded.loaded_at),
                "file_hash": disk.file.hash,
                "file_error": disk.file.error,
                "shipped_hash": disk.shipped_hash,
                "kept": [{"hash": one.hash, "loaded_at": rfc3339(one.loaded_at)} for one in disk.kept],
            },
        }

    def _asset_class(self, asset_class: AssetClass) -> dict[str, object]:
        route = self.store.table.routes.get(asset_class)
        trading = self.control.document.trading.get(asset_class)
        by_hand = self.control.document.routes.get(asset_class)
        tried = self.control.document.synthetic_routes.get(asset_class)
        document: dict[str, object] = {
            "gateway": None if route is None else self.checks.gateway_for(asset_class, route),
            "synthetic_gateway": None if route is None else self.checks.synthetic_gateway(asset_class, route),
            "table_gateway": None if route is None else route.gateway,
            "alternates": [] if route is None else list(route.alternates),
            "test_symbols": [] if route is None else sorted(route.test_symbols),
            "limits": None if route is None else _limits(route),
            "trading_state": self.control.trading_state(asset_class),
        }
        document["trading_set"] = None if trading is None else trading.model_dump(mode="json")
        document["route_set"] = None if by_hand is None else by_hand.model_dump(mode="json")
        document["synthetic_route_set"] = None if tried is None else tried.model_dump(mode="json")
        last = max((s for s in (trading, by_hand) if s is not None), key=lambda s: s.set_at, default=None)
        document["set_by"] = "table" if last is None else last.set_by
        document["reason"] = None if last is None else last.reason
        document["set_at"] = None if last is None else rfc3339(last.set_at)
        return document

    def _gateway(self, name: str) -> dict[str, object]:
        setting = self.control.document.gateways.get(name)
        rules = self.store.table.gateways.get(name)
        return {
            "state": self.control.gateway_state(name),
            "up": bool(self.health.vitals[name].up),
            "asset_classes": [] if rules is None else sorted(rules.asset_classes),
            "set": None if setting is None else setting.model_dump(mode="json"),
        }

    def _feature(self, name: str) -> dict[str, object]:
        setting = self.control.document.features.get(name)
        return {
            "enabled": self.features.enabled(name),
            "set": None if setting is None else setting.model_dump(mode="json"),
        }


def _limits(route: Route) -> dict[str, str]:
    return {"max_quantity": plain(route.max_quantity), "max_synthetic_quantity": plain(route.max_synthetic_quantity)}
