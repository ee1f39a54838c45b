"""The event loop spins five seconds after the start: a core is busy and nothing is answered."""

from order_service.drill_faults.switch import Switch

AFTER_S = 5.0


def install(switch: Switch) -> None:
    """Spin for good; only the end of the process ends it."""
    switch.when_on(_find_best_price)


def _find_best_price() -> None:
    price = 0
    while price >= 0:
        price = (price + 1) % 1_000_003
