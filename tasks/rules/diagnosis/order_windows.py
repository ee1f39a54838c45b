"""Count orders before and after a change, from the service's counters across runs and from our own test orders."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

from tasks.model.diagnosis.changes import Change, ChangeKind
from tasks.model.diagnosis.deploy_regression import OrderCounts, RegressionCase, RouteCounts
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastOrder
from tasks.model.probes.metrics import MetricsSnapshot
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.model.values import Value
from tasks.rules.probes.counters import START_TIME, counter_rates, restarted_between
from tasks.rules.probes.history import past_orders, snapshot_now, snapshot_of

BEFORE_FOR = timedelta(hours=1)
# A denial with one of these codes is what a feature of the release does; other denials are the client's or a person's.
FEATURE_OF_CODE = {"PRICE_OUTSIDE_BAND": "limit_price_band", "ORDER_RATE_EXCEEDED": "order_throttle"}
SERVICE_CODES = frozenset({*FEATURE_OF_CODE, "INTERNAL_ERROR"})
GATEWAY_CODES = frozenset({"GATEWAY_UNREACHABLE", "GATEWAY_BUSY"})
SERVICE_OUTCOMES = frozenset(
    {
        OrderOutcome.ERROR,
        OrderOutcome.NOT_REACHED,
        OrderOutcome.TIMED_OUT,
        OrderOutcome.NO_EXECUTION,
        OrderOutcome.MALFORMED,
    }
)
GATEWAY_OUTCOMES = frozenset({OrderOutcome.REJECTED, OrderOutcome.UNKNOWN})
# What the service's counter calls them.
COUNTED_SERVICE = frozenset({"error"})
COUNTED_GATEWAY = frozenset({"rejected", "unknown", "not_received"})
COUNTED_DENIED = "denied"
Route = tuple[AssetClass, str | None]


class Window(Value):
    """The orders between two checks, by route. `since` is None for a single check, which lies at `until`."""

    since: datetime | None
    until: datetime
    counts: tuple[tuple[AssetClass, str | None, OrderCounts], ...]

    @property
    def orders_count(self) -> int:
        """Orders that tested the release."""
        return sum(counts.judged_count for _, _, counts in self.counts)

    @property
    def errors_count(self) -> int:
        """Orders that the service failed."""
        return sum(counts.errors_count for _, _, counts in self.counts)


def compared_since(evidence: Evidence, change: Change) -> datetime:
    """Say from when on orders count as before a change: an hour, and never those of yet another release."""
    releases = [one.at for one in evidence.context.changes if one.kind is ChangeKind.RELEASE and one.at < change.at]
    return max((change.at - BEFORE_FOR, *releases[-1:]))


def counter_windows(evidence: Evidence, change: Change) -> tuple[tuple[Window, bool], ...]:
    """Count from the service's own counters, window by window; True says that it lies after the change.

    A window that straddles the change is left out, unless the process was restarted in it: it counts from there.
    """
    since = compared_since(evidence, change)
    past = [found for one in evidence.context.history if one.at > since and (found := snapshot_of(one))]
    now = snapshot_now(evidence.latest)
    snapshots = sorted((*past, *((now,) if now else ())), key=lambda one: one.taken_at)
    windows = []
    for earlier, later in pairwise(snapshots):
        after = _is_after(earlier, later, change.at)
        if after is not None:
            windows.append((_counted(earlier, later), after))
    return tuple(windows)


def probe_windows(evidence: Evidence, change: Change) -> tuple[tuple[Window, bool], ...]:
    """Count our own test orders, run by run and round by round."""
    since = compared_since(evidence, change)
    past = [(one.at, one.orders) for one in evidence.context.history if one.at > since]
    past += [(one.looked_at, past_orders((one,))) for one in evidence.observations]
    return tuple((_probe_window(at, orders), at >= change.at) for at, orders in past if orders)


def regression_case(
    evidence: Evidence, change: Change, windows: tuple[tuple[Window, bool], ...], sick: frozenset[str]
) -> RegressionCase:
    """Put the question of safety rule 7: what changed, since when errors are raised, and the orders by route."""
    sides: dict[Route, dict[bool, list[OrderCounts]]] = defaultdict(lambda: {False: [], True: []})
    for window, after in windows:
        for asset_class, gateway, counts in window.counts:
            sides[(asset_class, gateway)][after].append(counts)
    healthy = {one.gateway: one.seen is Seen.PASSED and one.gateway not in sick for one in evidence.latest.gateways}
    routes = tuple(
        RouteCounts(
            asset_class=asset_class,
            gateway=gateway,
            gateway_healthy=healthy.get(gateway) if gateway else None,
            before=_sum(both[False]),
            after=_sum(both[True]),
        )
        for (asset_class, gateway), both in sides.items()
    )
    return RegressionCase(changed_at=change.at, began_at=raised_since(windows, change.at), routes=routes)


def raised_since(windows: tuple[tuple[Window, bool], ...], changed_at: datetime) -> datetime | None:
    """Say since when errors are raised without a break: at a rate half as high as after the change, or higher."""
    after = [window for window, is_after in windows if is_after]
    orders = sum(window.orders_count for window in after)
    errors = sum(window.errors_count for window in after)
    if not errors or not orders:
        return None
    began: datetime | None = None
    for window, is_after in reversed(windows):
        if window.orders_count == 0:
            continue
        if window.errors_count / window.orders_count < errors / orders / 2:
            if began is not None:
                break
            continue
        start = window.since if window.since is not None and not is_after else window.until
        began = max(start, changed_at) if is_after else start
    return began


def _probe_window(at: datetime, orders: tuple[PastOrder, ...]) -> Window:
    counts = tuple((one.asset_class, one.gateway, _probed(one.outcomes)) for one in orders)
    return Window(since=None, until=at, counts=counts)


def _is_after(earlier: MetricsSnapshot, later: MetricsSnapshot, changed_at: datetime) -> bool | None:
    if later.taken_at <= changed_at:
        return False
    if earlier.taken_at >= changed_at:
        return True
    started_s = later.value(START_TIME)
    is_restarted = restarted_between(earlier, later) and started_s is not None
    return True if is_restarted and (started_s or 0.0) >= changed_at.timestamp() - 60 else None


def _counted(earlier: MetricsSnapshot, later: MetricsSnapshot) -> Window:
    totals: dict[Route, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for rate in counter_rates(earlier, later, "orders_total"):
        labels = dict(rate.labels)
        route = _route(labels.get("asset_class"), labels.get("gateway"))
        if route and rate.increase:
            totals[route][_side_of(labels.get("outcome", ""))] += round(rate.increase)
    for rate in counter_rates(earlier, later, "orders_denied_total"):
        labels = dict(rate.labels)
        route, side = _route(labels.get("asset_class"), None), _side_of_code(labels.get("code", ""))
        if route and rate.increase and side:
            totals[route][side] += round(rate.increase)
    counts = tuple((*route, _order_counts(sides)) for route, sides in totals.items())
    return Window(since=earlier.taken_at, until=later.taken_at, counts=counts)


def _route(asset_class: str | None, gateway: str | None) -> Route | None:
    name = AssetClass.read(asset_class)
    return None if name is None else (name, gateway if gateway not in {None, "", "none"} else None)


def _side_of(outcome: str) -> str:
    if outcome in COUNTED_SERVICE:
        return "errors"
    if outcome in COUNTED_GATEWAY:
        return "gateway"
    # Denials are told apart by their code, in a counter of their own.
    return "left_out" if outcome == COUNTED_DENIED else "fine"


def _side_of_code(code: str) -> str | None:
    if code in SERVICE_CODES:
        return "errors"
    return "gateway" if code in GATEWAY_CODES else None


def _order_counts(sides: dict[str, int]) -> OrderCounts:
    errors, gateway = sides.get("errors", 0), sides.get("gateway", 0)
    return OrderCounts(
        orders_count=errors + gateway + sides.get("fine", 0), errors_count=errors, gateway_errors_count=gateway
    )


def _probed(outcomes: dict[str, int]) -> OrderCounts:
    sides: dict[str, int] = defaultdict(int)
    for word, count in outcomes.items():
        side = _side_of_probe(word)
        if side:
            sides[side] += count
    return _order_counts(sides)


def _side_of_probe(word: str) -> str | None:
    outcome, _, code = word.partition(":")
    if outcome == OrderOutcome.DENIED:
        return _side_of_code(code)
    if outcome == OrderOutcome.BLIND:
        return None
    if outcome in SERVICE_OUTCOMES:
        return "errors"
    return "gateway" if outcome in GATEWAY_OUTCOMES else "fine"


def _sum(counts: list[OrderCounts]) -> OrderCounts:
    return OrderCounts(
        orders_count=sum(one.orders_count for one in counts),
        errors_count=sum(one.errors_count for one in counts),
        gateway_errors_count=sum(one.gateway_errors_count for one in counts),
    )
