"""The stub's numbers as Prometheus text, under the names of the contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from order_service.stub.desk import GATEWAYS, RELEASE

_TRADING_VALUES = {"halted": 0, "reducing": 1, "active": 2}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Hold what is counted."""

    outcomes: Mapping[tuple[str, str, str], int]
    unknown_count: int
    down: frozenset[str]
    features: Mapping[str, bool]
    trading_states: Mapping[str, str]


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
    yield f"orders_unknown {numbers.unknown_count}"
    yield "# TYPE build_info gauge"
    yield f'build_info{{release="{RELEASE}"}} 1'
    yield "# TYPE feature_enabled gauge"
    yield from (f'feature_enabled{{feature="{name}"}} {int(enabled)}' for name, enabled in numbers.features.items())
    yield "# TYPE trading_state gauge"
    states = numbers.trading_states.items()
    yield from (f'trading_state{{asset_class="{name}"}} {_TRADING_VALUES.get(state, 0)}' for name, state in states)
