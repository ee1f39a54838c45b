"""The stub's metrics as Prometheus text, and its routing document."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from order_service.api.contract import TRADING_STATE_VALUE, Document, TradingState
from order_service.stub.control_plane import StubControl
from order_service.stub.desk import GATEWAYS, HASHES, LIMITS, RELEASE, ROUTES, STARTED_AT, TABLE_HASH, TEST_SYMBOLS


@dataclass(frozen=True, slots=True)
class Numbers:
    """Hold what is counted; of the unknown orders the real ones, then the test orders."""

    outcomes: Mapping[tuple[str, str, str], int]
    unknown_counts: tuple[int, int]
    down: frozenset[str]
    control: StubControl


def expose(numbers: Numbers) -> bytes:
    return "".join(f"{line}\n" for line in _lines(numbers)).encode()


def _lines(numbers: Numbers) -> Iterator[str]:
    control, count = numbers.control, sum(numbers.outcomes.values())
    yield "# TYPE orders_total counter"
    for (asset_class, gateway, outcome), orders in sorted(numbers.outcomes.items()):
        yield f'orders_total{{asset_class="{asset_class}",gateway="{gateway}",outcome="{outcome}"}} {orders}'
    yield "# TYPE order_seconds histogram"
    yield f'order_seconds_bucket{{le="0.01"}} {count}'
    yield f'order_seconds_bucket{{le="+Inf"}} {count}'
    yield f"order_seconds_count {count}"
    yield f"order_seconds_sum {count * 0.001}"
    for name, value in zip(("orders_unknown", "orders_unknown_synthetic"), numbers.unknown_counts, strict=True):
        yield f"# TYPE {name} gauge"
        yield f"{name} {value}"
    yield from _gauge("gateway_up", "gateway", ((name, name not in numbers.down) for name in GATEWAYS))
    yield from _gauge("build_info", "release", ((RELEASE, 1),))
    yield from _gauge("feature_enabled", "feature", control.features().items())
    states = ((name, TRADING_STATE_VALUE[TradingState(control.trading_state(name))]) for name in ROUTES)
    yield from _gauge("trading_state", "asset_class", states)
    strategies = ((name, 0 if control.is_halted(name) else 2) for name in control.settings["strategies"])
    yield from _gauge("strategy_state", "strategy", strategies)


def _gauge(name: str, label: str, values: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    yield from (f'{name}{{{label}="{key}"}} {int(value)}' for key, value in values)


def routing_document(control: StubControl, down: frozenset[str]) -> Document:
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


def _asset_class(control: StubControl, asset_class: str) -> Document:
    trading, route = control.setting("trading", asset_class), control.setting("routes", asset_class)
    tried = control.setting("synthetic_routes", asset_class)
    last = max((setting for setting in (trading, route) if setting), key=lambda each: each["set_at"], default={})
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
