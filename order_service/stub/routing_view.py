"""The routing document of the stub, in the shape of the contract."""

from order_service.stub.control import Control
from order_service.stub.desk import GATEWAYS, HASHES, LIMITS, ROUTES, STARTED_AT, TABLE_HASH, TEST_SYMBOLS, Document


def routing_document(control: Control, down: frozenset[str]) -> Document:
    """Show where each asset class goes, who set it and why."""
    return {
        "asset_classes": {asset_class: _asset_class(control, asset_class) for asset_class in ROUTES},
        "gateways": {
            name: {
                "state": control.gateway_state(name),
                "up": name not in down,
                "asset_classes": classes,
                "set": control.setting("gateways", name),
            }
            for name, classes in GATEWAYS.items()
        },
        "strategies": dict(control.settings["strategies"]),
        "features": {
            name: {"enabled": enabled, "set": control.setting("features", name)}
            for name, enabled in control.features().items()
        },
        "table": {
            "hash": control.table_hash,
            "loaded_at": STARTED_AT,
            "file_hash": control.table_hash,
            "file_error": None,
            "shipped_hash": TABLE_HASH,
            "kept": [{"hash": digest, "loaded_at": STARTED_AT} for digest in HASHES],
        },
    }


def _asset_class(control: Control, asset_class: str) -> Document:
    trading, route = control.setting("trading", asset_class), control.setting("routes", asset_class)
    tried = control.setting("synthetic_routes", asset_class)
    last = max((one for one in (trading, route) if one), key=lambda one: one["set_at"], default={})
    return {
        "gateway": control.route(asset_class),
        "synthetic_gateway": None if tried is None else tried["gateway"],
        "table_gateway": ROUTES[asset_class][0],
        "alternates": list(ROUTES[asset_class][1:]),
        "test_symbols": [TEST_SYMBOLS[asset_class]],
        "limits": dict(LIMITS),
        "trading_state": control.trading_state(asset_class),
        "trading_set": trading,
        "route_set": route,
        "synthetic_route_set": tried,
        "set_by": last.get("set_by", "table"),
        "reason": last.get("reason"),
        "set_at": last.get("set_at"),
    }
