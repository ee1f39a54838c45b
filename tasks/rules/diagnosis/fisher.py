"""Fisher's exact test, one-sided, for two counts of errors; exact in its terms and fast for millions of orders."""

import math

# A term this much smaller than the sum no longer moves a double.
NEGLIGIBLE = 1e-18


def fisher_greater(errors_after: int, orders_after: int, errors_before: int, orders_before: int) -> float:
    """Give the chance of at least this many errors after, had the errors fallen on the orders at random.

    Errors: `ValueError` for counts that cannot be.
    Source: R. A. Fisher, The Logic of Inductive Inference (1935): the upper tail of the hypergeometric distribution.
    Steps: 1. take the tail on the side of the observed count that shrinks. 2. sum its terms, each from the one before.
    """
    if not (0 <= errors_after <= orders_after and 0 <= errors_before <= orders_before):
        raise ValueError("expected 0 <= errors <= orders on both sides")
    errors, orders = errors_after + errors_before, orders_after + orders_before
    lowest, highest = max(0, errors - orders_before), min(errors, orders_after)
    if errors_after <= lowest:
        return 1.0
    mode = (errors + 1) * (orders_after + 1) // (orders + 2)
    shape = (errors, orders, orders_after)
    if errors_after > mode:
        return min(1.0, _tail_up(errors_after, highest, shape))
    return max(0.0, 1.0 - _tail_down(errors_after - 1, lowest, shape))


def _tail_up(start: int, highest: int, shape: tuple[int, int, int]) -> float:
    errors, orders, after = shape
    term = total = 1.0
    for k in range(start, highest):
        term *= (errors - k) * (after - k) / ((k + 1) * (orders - errors - after + k + 1))
        total += term
        if term < total * NEGLIGIBLE:
            break
    return math.exp(_log_chance(start, shape) + math.log(total))


def _tail_down(start: int, lowest: int, shape: tuple[int, int, int]) -> float:
    errors, orders, after = shape
    term = total = 1.0
    for k in range(start, lowest, -1):
        term *= k * (orders - errors - after + k) / ((errors - k + 1) * (after - k + 1))
        total += term
        if term < total * NEGLIGIBLE:
            break
    return math.exp(_log_chance(start, shape) + math.log(total))


def _log_chance(k: int, shape: tuple[int, int, int]) -> float:
    errors, orders, after = shape
    return _log_choose(errors, k) + _log_choose(orders - errors, after - k) - _log_choose(orders, after)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
