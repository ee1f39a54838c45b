"""The stub's numbers as Prometheus text, under the names of the contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from order_service.stub.control import Control
from order_service.stub.desk import GATEWAYS, RELEASE, ROUTES

_TRADING_VALUES = {"halted": 0, "reducing": 1, "active": 2}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Hold what is counted; of the unknown orders the real ones, then the test orders."""

    outcomes: Mapping[tuple[str, str, str], int]
    unknown_counts: tuple[int, int]
    down: frozenset[str]
    control: Control


def expose(numbers: Numbers) -> bytes:
    """Write the exposition."""
    return "".join(f"{line}\n" for line in _lines(numbers)).encode()


def _lines(numbers: Numbers) -> Iterator[str]:
    count = sum(numbers.outcomes.values())
    yield "# TYPE orders_total counter"
    for (asset_class, gateway, outcome), orders in sorted(numbers.outcomes.items()):
        yield f'orders_total{{asset_class="{asset_class}",gateway="{gateway}",outcome="{outcome}"}} {orders}'
    yield "# TYPE order_seconds histogram"
    yield f'order_seconds_bucket{{le="0.01"}} {count}'
    yield f'order_seconds_bucket{{le="+Inf"}} {count}'
    yield f"order_seconds_count {count}"
    yield f"order_seconds_sum {count * 0.001}"
    yield "# TYPE gateway_up gauge"
    yield from (f'gateway_up{{gateway="{name}"}} {int(name not in numbers.down)}' for name in GATEWAYS)
    yield "# TYPE orders_unknown gauge"
    yield f"orders_unknown {numbers.unknown_counts[0]}"
    yield "# TYPE orders_unknown_synthetic gauge"
    yield f"orders_unknown_synthetic {numbers.unknown_counts[1]}"
    yield "# TYPE build_info gauge"
    yield f'build_info{{release="{RELEASE}"}} 1'
    yield "# TYPE feature_enabled gauge"
    features = numbers.control.features().items()
    yield from (f'feature_enabled{{feature="{name}"}} {int(enabled)}' for name, enabled in features)
    yield "# TYPE trading_state gauge"
    states = [(name, numbers.control.trading_state(name)) for name in ROUTES]
    yield from (f'trading_state{{asset_class="{name}"}} {_TRADING_VALUES.get(state, 0)}' for name, state in states)
    yield "# TYPE strategy_state gauge"
    halted = [(name, numbers.control.is_halted(name)) for name in numbers.control.settings["strategies"]]
    yield from (f'strategy_state{{strategy="{name}"}} {0 if is_halted else 2}' for name, is_halted in halted)
